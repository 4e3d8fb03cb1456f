/* SPDX-License-Identifier: MIT */
#ifndef PDB_BUILDER_H
#define PDB_BUILDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

/*
 * Writes a PDB from the bytes of its streams. The blocks of each stream are laid down in reverse
 * order, so that every record across a block boundary lies in two pieces.
 */
enum { BUILDER_BLOCK = 512, BUILDER_MAX = 1 << 16, BUILDER_STREAMS = 8 };

struct bytes {
	uint8_t at[BUILDER_MAX];
	uint32_t len;
};

static inline void put_raw(struct bytes *b, const void *bytes, size_t len)
{
	if (len > sizeof(b->at) - b->len)
		abort();
	memcpy(b->at + b->len, bytes, len);
	b->len += (uint32_t)len;
}

static inline void put_u8(struct bytes *b, unsigned v)
{
	const uint8_t byte = (uint8_t)v;

	put_raw(b, &byte, 1);
}

static inline void put_u16(struct bytes *b, unsigned v)
{
	put_u8(b, v & 0xff);
	put_u8(b, v >> 8 & 0xff);
}

static inline void put_u32(struct bytes *b, uint32_t v)
{
	put_u16(b, v & 0xffff);
	put_u16(b, v >> 16);
}

static inline void put_string(struct bytes *b, const char *s)
{
	put_raw(b, s, strlen(s) + 1);
}

/* A record's length and kind; its data follows. Ended by record_end(). */
static inline uint32_t record_begin(struct bytes *b, unsigned kind)
{
	uint32_t at = b->len;

	put_u16(b, 0);
	put_u16(b, kind);
	return at;
}

static inline void record_end(struct bytes *b, uint32_t at)
{
	while (b->len % 4)
		put_u8(b, 0xf0 + (4 - b->len % 4));
	store_u16(b->at + at, (uint16_t)(b->len - at - 2));
}

/* The stream's blocks, last first, appended to the file; their numbers in order to the list. */
static inline void put_blocks(struct bytes *file, const struct bytes *stream, struct bytes *numbers)
{
	uint32_t count = (stream->len + BUILDER_BLOCK - 1) / BUILDER_BLOCK;
	uint32_t first = file->len / BUILDER_BLOCK;

	if (file->len + count * BUILDER_BLOCK > sizeof(file->at))
		abort();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = stream->len - i * BUILDER_BLOCK;

		memcpy(file->at + (first + count - 1 - i) * BUILDER_BLOCK,
		       stream->at + i * BUILDER_BLOCK, n < BUILDER_BLOCK ? n : BUILDER_BLOCK);
		put_u32(numbers, first + count - 1 - i);
	}
	file->len += count * BUILDER_BLOCK;
}

/* streams[0 .. count) become the streams of these numbers. */
static inline void build_msf(struct bytes *file, const struct bytes *streams, unsigned count)
{
	static struct bytes directory, map, map_numbers, lists;

	memset(file, 0, sizeof(*file));
	directory.len = map.len = map_numbers.len = lists.len = 0;
	file->len = 3 * BUILDER_BLOCK; /* superblock and the two maps of free blocks */
	put_u32(&directory, count);
	for (unsigned i = 0; i < count; i++) {
		put_u32(&directory, streams[i].len);
		put_blocks(file, &streams[i], &lists);
	}
	put_raw(&directory, lists.at, lists.len);
	put_blocks(file, &directory, &map);
	put_blocks(file, &map, &map_numbers);
	memcpy(file->at, "Microsoft C/C++ MSF 7.00\r\n\x1a\x44S", 30);
	store_u32(file->at + 32, BUILDER_BLOCK);
	store_u32(file->at + 36, 1);
	store_u32(file->at + 40, file->len / BUILDER_BLOCK);
	store_u32(file->at + 44, directory.len);
	memcpy(file->at + 52, map_numbers.at, map_numbers.len);
}

/* The streams of a PDB, each but the records already complete. */
enum { AT_INFO = 1, AT_TYPES, AT_DBI, AT_SYMBOLS, AT_SECTIONS, AT_ORIGINAL, AT_OMAP };
static const uint8_t builder_guid[16] = { 0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
					  0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

static inline void put_info(struct bytes *b)
{
	put_u32(b, 20000404);
	put_u32(b, 0x12345678);
	put_u32(b, 9); /* not the age that counts */
	put_raw(b, builder_guid, sizeof(builder_guid));
}

static inline void put_dbi(struct bytes *b, unsigned machine, bool has_omap)
{
	put_u32(b, UINT32_MAX);
	put_u32(b, 19990903);
	put_u32(b, 2); /* age */
	put_u16(b, 0xffff);
	put_u16(b, 0);
	put_u16(b, 0xffff);
	put_u16(b, 0);
	put_u16(b, AT_SYMBOLS);
	put_u16(b, 0);
	put_u32(b, 4); /* a part to be skipped */
	for (unsigned i = 0; i < 5; i++)
		put_u32(b, 0);
	put_u32(b, 22); /* list of further streams */
	put_u32(b, 0);
	put_u16(b, 0);
	put_u16(b, machine);
	put_u32(b, 0);
	put_u32(b, 0);
	for (unsigned i = 0; i < 11; i++)
		put_u16(b, i == 5		 ? AT_SECTIONS
			   : i == 10 && has_omap ? AT_ORIGINAL
			   : i == 4 && has_omap	 ? AT_OMAP
						 : 0xffff);
}

static inline void put_section(struct bytes *b, uint32_t rva)
{
	static const uint8_t zeros[40];

	put_raw(b, zeros, 12);
	put_u32(b, rva);
	put_raw(b, zeros, 24);
}

static inline void put_symbol(struct bytes *b, unsigned kind, unsigned section, uint32_t offset,
			      const char *name)
{
	uint32_t at = record_begin(b, kind);

	put_u32(b, 0);
	put_u32(b, offset);
	put_u16(b, section);
	put_string(b, name);
	record_end(b, at);
}

/* The header of a type stream; `count` and its bytes are filled in by types_end(). */
static inline void types_begin(struct bytes *b)
{
	put_u32(b, 20040203);
	put_u32(b, 56);
	put_u32(b, 0x1000);
	for (unsigned i = 0; i < 11; i++)
		put_u32(b, 0);
}

static inline void types_end(struct bytes *b, uint32_t count)
{
	store_u32(b->at + 12, 0x1000 + count);
	store_u32(b->at + 16, b->len - 56);
}

enum { BUILDER_FORWARD = 0x80, BUILDER_UNIQUE = 0x200 };

/* A structure (0x1505) or union (0x1506). */
static inline void put_tag(struct bytes *b, unsigned kind, unsigned properties, uint32_t list,
			   unsigned size, const char *name)
{
	uint32_t at = record_begin(b, kind);

	put_u16(b, 0);
	put_u16(b, properties);
	put_u32(b, list);
	if (kind != 0x1506) {
		put_u32(b, 0);
		put_u32(b, 0);
	}
	put_u16(b, size);
	put_string(b, name);
	record_end(b, at);
}

static inline void put_member(struct bytes *b, uint32_t type, unsigned offset, const char *name)
{
	put_u16(b, 0x150d);
	put_u16(b, 3);
	put_u32(b, type);
	put_u16(b, offset);
	put_string(b, name);
	while (b->len % 4)
		put_u8(b, 0xf0 + (4 - b->len % 4));
}

static inline void put_index(struct bytes *b, uint32_t list)
{
	put_u16(b, 0x1404);
	put_u16(b, 0);
	put_u32(b, list);
}

/* Two type indices: of modifiers, pointers, arrays (their size follows), bit fields. */
static inline void put_reference(struct bytes *b, unsigned kind, uint32_t type, uint32_t more,
				 unsigned size)
{
	uint32_t at = record_begin(b, kind);

	put_u32(b, type);
	if (kind == 0x1205) {
		put_u8(b, more & 0xff);
		put_u8(b, size);
	} else {
		put_u32(b, more);
	}
	if (kind == 0x1503) {
		put_u16(b, size);
		put_u8(b, 0);
	}
	record_end(b, at);
}

#endif
