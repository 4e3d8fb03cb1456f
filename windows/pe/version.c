/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "windows/pe/tables.h"

/*
 * The version resource: "The .rsrc Section" of the PE/COFF specification leads to it, and
 * VS_VERSIONINFO of the Windows SDK's documentation says what is in it: blocks of
 * {wLength, wValueLength, wType, szKey, padding, value, padding, children}.
 */
enum {
	RESOURCE_VERSION = 16, /* RT_VERSION */
	DIRECTORY_SIZE = 16,
	DIRECTORY_NUM_NAMED = 12,
	DIRECTORY_NUM_IDS = 14,
	DIRECTORY_ENTRY_SIZE = 8,
	MAX_DIRECTORY_ENTRIES = 4096,
	MAX_DEPTH = 4, /* VS_VERSION_INFO, StringFileInfo, StringTable, String */
};
#define SUBDIRECTORY	UINT32_C(0x80000000)
#define FIXED_SIGNATURE UINT32_C(0xfeef04bd)

struct resources {
	struct space *space;
	uint64_t start;
	uint32_t size;
};

/* The entry with this id (any: the first entry) of the directory at offset: where it leads. */
static bool find_entry(const struct resources *r, uint32_t offset, bool any, uint32_t id,
		       uint32_t *ret)
{
	uint8_t header[DIRECTORY_SIZE], entry[DIRECTORY_ENTRY_SIZE];
	uint64_t at = r->start + offset;

	if (offset > r->size || !space_try_read(r->space, at, header, sizeof(header), NULL))
		return false;
	uint32_t count = (uint32_t)load_u16(header + DIRECTORY_NUM_NAMED) +
			 load_u16(header + DIRECTORY_NUM_IDS);

	at += DIRECTORY_SIZE;
	for (uint32_t i = 0; i < count && i < MAX_DIRECTORY_ENTRIES; i++) {
		if (!space_try_read(r->space, at + 8ULL * i, entry, sizeof(entry), NULL))
			return false;
		if (any || load_u32(entry) == id) {
			*ret = load_u32(entry + 4);
			return true;
		}
	}
	return false;
}

/* Type, then the first name, then the first language: the resource's address and size. */
static bool find_resource(const struct resources *r, const struct pe_image *pe, uint64_t *va_ret,
			  uint32_t *size_ret)
{
	uint32_t at = 0;
	uint8_t data[8];

	for (unsigned level = 0; level < 3; level++) {
		if (!find_entry(r, at & ~SUBDIRECTORY, level > 0, RESOURCE_VERSION, &at))
			return false;
		if ((level < 2) != ((at & SUBDIRECTORY) != 0))
			return false;
	}
	if (!space_try_read(r->space, r->start + at, data, sizeof(data), NULL))
		return false;
	*va_ret = pe->base + load_u32(data);
	*size_ret = load_u32(data + 4);
	return true;
}

struct block {
	struct cursor value, children;
	const uint8_t *key; /* UTF-16 */
	size_t key_size;
	bool is_text;
};

/* Values and children begin at multiples of four from the resource's start. */
static bool align(struct cursor *c)
{
	size_t rest = cur_offset(c) & 3;

	return !rest || cur_left(c) < 4 - rest || cur_skip(c, 4 - rest);
}

/* The next block of c; false at the end, or where it is malformed. */
static bool next_block(struct cursor *c, struct block *ret)
{
	uint16_t length, value_length, type, unit = 1;
	struct cursor block;

	if (!align(c) || !cur_u16(c, &length) || length < 6 ||
	    !cur_sub(c, (size_t)length - 2 < cur_left(c) ? (size_t)length - 2 : cur_left(c),
		     &block) ||
	    !cur_u16(&block, &value_length) || !cur_u16(&block, &type))
		return false;
	ret->is_text = type == 1;
	ret->key = block.base + block.pos;
	do {
		if (!cur_u16(&block, &unit))
			return false;
	} while (unit);
	ret->key_size = (size_t)(block.base + block.pos - ret->key) - 2;
	if (!align(&block))
		return false;
	/* of text in characters, but some writers count bytes */
	size_t size = (size_t)value_length * (ret->is_text ? 2 : 1);

	if (!cur_sub(&block, size < cur_left(&block) ? size : cur_left(&block), &ret->value) ||
	    !align(&block))
		return false;
	ret->children = block;
	return true;
}

static void parse_fixed(struct cursor value, struct pe_version *ret)
{
	uint32_t signature, words[4];

	if (!cur_u32(&value, &signature) || signature != FIXED_SIGNATURE || !cur_skip(&value, 4))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!cur_u32(&value, &words[i]))
			return;
	uint32_t mask;

	if (!cur_u32(&value, &mask) || !cur_u32(&value, &ret->flags) ||
	    !cur_u32(&value, &ret->os) || !cur_u32(&value, &ret->type))
		return;
	ret->flags &= mask;
	for (size_t i = 0; i < 4; i++) {
		ret->file[i] = (uint16_t)(words[i / 2] >> (i & 1 ? 0 : 16));
		ret->product[i] = (uint16_t)(words[2 + i / 2] >> (i & 1 ? 0 : 16));
	}
	ret->has_fixed = true;
}

static struct error *add_string(const struct block *block, struct arena *a, struct pe_version *ret)
{
	struct pe_version_string *string = &ret->strings[ret->num_strings];
	size_t size = cur_left(&block->value) & ~(size_t)1, len = 0;
	const uint8_t *text = block->value.base + block->value.pos;

	while (len < size && (text[len] || text[len + 1]))
		len += 2;
	string->key = text_from_utf16(a, block->key, block->key_size, NULL);
	string->value = text_from_utf16(a, text, len, NULL);
	if (!string->key || !string->value)
		return &error_no_memory;
	ret->num_strings++;
	return NULL;
}

/* Strings are the text blocks of the lowest level; VarFileInfo's are numbers. */
static struct error *walk(struct cursor c, unsigned depth, struct arena *a, struct pe_version *ret)
{
	struct error *err = NULL;
	struct block block;

	while (!err && ret->num_strings < PE_MAX_VERSION_STRINGS && next_block(&c, &block)) {
		if (depth == 0)
			parse_fixed(block.value, ret);
		if (depth + 1 < MAX_DEPTH)
			err = walk(block.children, depth + 1, a, ret);
		else if (block.is_text)
			err = add_string(&block, a, ret);
	}
	return err;
}

static struct error *parse(const uint8_t *bytes, size_t len, const struct pe_image *pe,
			   struct arena *a, struct pe_version *ret)
{
	struct cursor c;
	uint16_t length;

	cur_init(&c, bytes, len, 0);
	if (!cur_u16(&c, &length))
		return error_new(ERROR_CORRUPT, "image 0x%" PRIx64 ": empty version resource",
				 pe->base);
	ret->truncated = length > len;
	cur_init(&c, bytes, len, 0);
	return walk(c, 0, a, ret);
}

struct error *pe_version_read(struct space *s, const struct pe_image *pe, struct arena *a,
			      struct pe_version *ret)
{
	struct resources r = { .space = s };
	struct pe_version version = { .num_strings = 0 };
	uint64_t va;
	uint32_t size;
	struct error *err;

	if (!pe_directory_find(pe, PE_DIR_RESOURCE, &r.start, &r.size))
		return error_new(ERROR_NOT_FOUND, "image 0x%" PRIx64 " has no resources", pe->base);
	if (!find_resource(&r, pe, &va, &size))
		return error_new(ERROR_NOT_FOUND,
				 "image 0x%" PRIx64 " has no version resource, or it is absent",
				 pe->base);
	if (size > PE_MAX_VERSION_SIZE)
		return error_new(ERROR_LIMIT,
				 "image 0x%" PRIx64 ": version resource of %u bytes (limit %u)",
				 pe->base, size, PE_MAX_VERSION_SIZE);
	uint8_t *bytes = malloc(size ? size : 1);

	if (!bytes)
		return &error_no_memory;
	size_t got = pe_read_front(s, va, bytes, size);

	err = got || !size ? parse(bytes, got, pe, a, &version)
			   : error_fault(va,
					 "image 0x%" PRIx64 ": version resource 0x%" PRIx64
					 " is not captured",
					 pe->base, va);
	free(bytes);
	if (!err)
		*ret = version;
	return err;
}
