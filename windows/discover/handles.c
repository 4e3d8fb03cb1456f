/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/cursor.h"
#include "windows/discover/probe.h"

/*
 * HANDLE_TABLE and its entries, by what is in the tables of the sampled processes: TableCode is
 * the address of a page with the number of levels in its low bits, NextHandleNeedingPool counts
 * the handle values that the pages have room for.
 */
enum {
	TABLE_SIZE = 0x80, /* HANDLE_TABLE, on any build */
	LEVEL_MASK = 7,
	MAX_LEVEL = 2,
	POINTERS_PER_PAGE = PAGE_SIZE / 8,
	ENTRY_SIZE = 16, /* of AMD64 kernels; shown by VALUES_PER_PAGE */
	VALUES_PER_PAGE = PAGE_SIZE / ENTRY_SIZE * 4,
	MIN_ENTRIES = 8,
	ENTRY_ACCESS = 8,	/* behind the pointer */
	MAX_ACCESS = 0x3ffffff, /* rights, ACCESS_SYSTEM_SECURITY, and what 7 keeps above */
};

/* The first 64 bits of an entry in use, by generation: where the object's header is. */
struct entry_form {
	const char *path;
	uint8_t bit_pos, bit_size; /* 0: the whole */
	const char *access_path;
	uint8_t access_bits; /* 0: the whole */
};
static const struct entry_form entry_forms[] = {
	/* 7, 8: a pointer, flags in its low three bits */
	{ "Object", 0, 0, "GrantedAccess", 0 },
	/* 8.1 and later: bits 47:4 of a pointer */
	{ "ObjectPointerBits", 20, 44, "GrantedAccessBits", 25 },
};

struct handle_probe {
	struct probe *p;
	struct sample tables[MAX_SAMPLES];
	size_t count;
	bool has_code;
	uint32_t code;
};

static void read_tables(struct handle_probe *h)
{
	struct probe *p = h->p;
	uint64_t va;

	for (size_t i = 0; p->has[KNOWN_OBJECT_TABLE] && i < p->num_samples; i++)
		if (sample_u64(&p->samples[i], p->at[KNOWN_OBJECT_TABLE], &va) &&
		    is_kernel_pointer(va))
			sample_read(p->space, va, TABLE_SIZE, &h->tables[h->count++]);
}

static bool is_table_code(uint64_t value)
{
	return (value & LEVEL_MASK) <= MAX_LEVEL && is_kernel_pointer(value & ~UINT64_C(7)) &&
	       !(value & PAGE_MASK & ~(uint64_t)LEVEL_MASK);
}

/* Tables at which the offset holds; 0 if it does not at some. A table without a page has 0. */
static unsigned code_holds(const struct handle_probe *h, uint32_t offset)
{
	unsigned agrees = 0;
	uint64_t value;

	for (size_t i = 0; i < h->count; i++)
		if (sample_u64(&h->tables[i], offset, &value) && value) {
			if (!is_table_code(value))
				return 0;
			agrees++;
		}
	return agrees;
}

/* How many handle values a table has room for; false where it has two levels of pointers. */
static bool table_room(const struct handle_probe *h, const struct sample *table, uint32_t *ret)
{
	uint8_t page[PAGE_SIZE];
	uint64_t code;
	uint32_t pages = 0;

	if (!sample_u64(table, h->code, &code) || (code & LEVEL_MASK) > 1)
		return false;
	if (!(code & LEVEL_MASK)) {
		*ret = code ? VALUES_PER_PAGE : 0; /* a table that never held a handle */
		return true;
	}
	if (!space_try_read(h->p->space, code & ~(uint64_t)LEVEL_MASK, page, sizeof(page), NULL))
		return false;
	while (pages < POINTERS_PER_PAGE && load_u64(page + (size_t)pages * 8))
		pages++;
	*ret = pages * VALUES_PER_PAGE;
	return true;
}

static unsigned next_holds(const struct handle_probe *h, uint32_t offset)
{
	unsigned agrees = 0;
	uint32_t value, room;

	for (size_t i = 0; i < h->count; i++)
		if (sample_u32(&h->tables[i], offset, &value) &&
		    table_room(h, &h->tables[i], &room)) {
			if (value != room)
				return 0;
			agrees += room != 0;
		}
	return agrees;
}

static bool find_only(struct handle_probe *h, const char *path, uint32_t size,
		      unsigned (*holds)(const struct handle_probe *, uint32_t), const char *what,
		      uint32_t *ret)
{
	unsigned found = 0, agrees = 0;

	for (uint32_t at = 0; at < TABLE_SIZE; at += size) {
		unsigned n = holds(h, at);

		if (n < FEW_SAMPLES)
			continue;
		if (!found++) {
			*ret = at;
			agrees = n;
		}
	}
	if (found == 1)
		probe_field(h->p, DISCOVER_CERTAIN, "_HANDLE_TABLE", path, *ret, size,
			    "the only offset with %s: in %u tables", what, agrees);
	else
		probe_missing(h->p, "_HANDLE_TABLE", path, "%s with %s, %zu tables read",
			      found ? "several offsets" : "no offset", what, h->count);
	return found == 1;
}

static uint64_t decode_entry(const struct entry_form *form, uint64_t value)
{
	uint64_t bits;

	if (!form->bit_size)
		return value & ~UINT64_C(7);
	bits = value >> form->bit_pos << 4;
	return bits >> 47 & 1 ? bits | UINT64_C(0xffff) << 48 : bits;
}

static void count_entries(const struct handle_probe *h, const struct entry_form *form,
			  const uint8_t *page, struct tally *ret)
{
	for (size_t i = 1; i < PAGE_SIZE / ENTRY_SIZE; i++) {
		uint64_t value = load_u64(page + i * ENTRY_SIZE);

		/* free entries hold the value of the next free one, or nothing */
		if (value >> 32 == 0)
			continue;
		if (is_typed_header(h->p, decode_entry(form, value)) &&
		    load_u32(page + i * ENTRY_SIZE + ENTRY_ACCESS) <= MAX_ACCESS)
			ret->agrees++;
		else
			ret->denies++;
	}
}

static struct tally judge_form(const struct handle_probe *h, const struct entry_form *form)
{
	struct tally ret = { 0 };
	uint8_t page[PAGE_SIZE];
	uint64_t code;

	for (size_t i = 0; i < h->count; i++)
		if (sample_u64(&h->tables[i], h->code, &code) && !(code & LEVEL_MASK) &&
		    space_try_read(h->p->space, code, page, sizeof(page), NULL))
			count_entries(h, form, page, &ret);
	return ret;
}

static void add_entry_field(struct handle_probe *h, const char *path, uint32_t offset,
			    uint32_t size, uint8_t bit_pos, uint8_t bit_size, struct tally t)
{
	probe_add(h->p, &(struct discover_row){
				.kind = DISCOVER_FIELD,
				.type = "_HANDLE_TABLE_ENTRY",
				.path = path,
				.value = offset,
				.size = size,
				.bit_pos = bit_pos,
				.bit_size = bit_size,
				.confidence = DISCOVER_CERTAIN,
				.evidence = probe_text(h->p,
						       "%u of %u entries in use lead to objects "
						       "with a type, access masks behind",
						       t.agrees, t.agrees + t.denies),
			});
}

static void find_entry_form(struct handle_probe *h)
{
	const struct entry_form *found = NULL;
	struct tally t, best = { 0 };
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(entry_forms); i++) {
		t = judge_form(h, &entry_forms[i]);
		if (t.agrees < MIN_ENTRIES || t.denies * 8 > t.agrees)
			continue;
		found = &entry_forms[i];
		best = t;
		count++;
	}
	if (count != 1) {
		for (size_t i = 0; i < ARRAY_SIZE(entry_forms); i++)
			probe_missing(h->p, "_HANDLE_TABLE_ENTRY", entry_forms[i].path,
				      "entries do not lead to objects with a type that way");
		return;
	}
	add_entry_field(h, found->path, 0, 8, found->bit_pos, found->bit_size, best);
	add_entry_field(h, found->access_path, ENTRY_ACCESS, 4, 0, found->access_bits, best);
}

void probe_handle_tables(struct probe *p)
{
	struct handle_probe *h = calloc(1, sizeof(*h));
	uint32_t next;

	if (!h) {
		p->err = &error_no_memory;
		return;
	}
	h->p = p;
	read_tables(h);
	h->has_code = find_only(h, "TableCode", 8, code_holds, "the address of a page and a level",
				&h->code);
	if (!h->has_code) {
		probe_missing(p, "_HANDLE_TABLE", "NextHandleNeedingPool", "TableCode is unknown");
		probe_missing(p, "_HANDLE_TABLE_ENTRY", "Object", "TableCode is unknown");
	} else {
		if (find_only(h, "NextHandleNeedingPool", 4, next_holds,
			      "the room of the table's pages", &next))
			probe_add(p, &(struct discover_row){
					     .kind = DISCOVER_TYPE,
					     .type = "_HANDLE_TABLE_ENTRY",
					     .path = "",
					     .value = ENTRY_SIZE,
					     .confidence = DISCOVER_CERTAIN,
					     .evidence = "NextHandleNeedingPool counts 256 handles "
							 "a page",
				     });
		find_entry_form(h);
	}
	free(h);
}
