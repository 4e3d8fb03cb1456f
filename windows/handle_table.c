/* SPDX-License-Identifier: MIT */
#include "windows/handle_table.h"

#include <string.h>

#include "base/cursor.h"

DEFINE_FIELDS(handle, HANDLE_FIELDS);

enum {
	MAX_HANDLES = 1 << 24, /* Windows' own limit for one process */
	HANDLE_SHIFT = 2,      /* handle values count in fours */
	MAX_LEVEL = 2,
	POINTERS_PER_PAGE = PAGE_SIZE / 8,
};

struct count_walk {
	struct space *space;
	const struct field *object;
	uint32_t entry_size;
	uint64_t left; /* entries that the table says it has */
	uint64_t used;
	struct fault *fault;
};

static bool entry_in_use(const struct count_walk *w, const uint8_t *entry)
{
	uint64_t bits = load_u64(entry + w->object->offset);

	if (w->object->bit_size && w->object->bit_size < 64)
		bits = bits >> w->object->bit_pos & ((UINT64_C(1) << w->object->bit_size) - 1);
	return bits != 0;
}

static bool count_page(struct count_walk *w, uint64_t va)
{
	uint8_t page[PAGE_SIZE];
	uint64_t entries = PAGE_SIZE / w->entry_size;

	if (!space_try_read(w->space, va, page, sizeof(page), w->fault))
		return false;
	if (entries > w->left)
		entries = w->left;
	for (uint64_t i = 0; i < entries; i++)
		w->used += entry_in_use(w, page + i * w->entry_size);
	w->left -= entries;
	return true;
}

static bool count_level(struct count_walk *w, uint64_t va, unsigned level)
{
	uint8_t page[PAGE_SIZE];

	if (!level)
		return count_page(w, va);
	if (!space_try_read(w->space, va, page, sizeof(page), w->fault))
		return false;
	for (size_t i = 0; i < POINTERS_PER_PAGE && w->left; i++) {
		uint64_t next = load_u64(page + i * 8);

		if (!next)
			break;
		if (!count_level(w, next, level - 1))
			return false;
	}
	return true;
}

bool handle_table_count(struct space *s, uint64_t va, const struct field *fields,
			uint32_t entry_size, uint64_t *ret, struct fault *fault)
{
	struct object table = object_at(s, va, fields);
	struct count_walk w = {
		.space = s,
		.object = &fields[HANDLE_OBJECT],
		.entry_size = entry_size,
		.fault = fault,
	};
	uint64_t code, next;

	*fault = (struct fault){ 0 };
	if (!w.object->present || entry_size < 8 || w.object->offset > entry_size - 8 ||
	    entry_size > PAGE_SIZE)
		return false;
	if (!object_u64(&table, HANDLE_TABLE_CODE, &code) ||
	    !object_u64(&table, HANDLE_NEXT, &next)) {
		*fault = table.fault;
		return false;
	}
	w.left = (next & UINT32_MAX) >> HANDLE_SHIFT;
	if (w.left > MAX_HANDLES || (code & 3) > MAX_LEVEL)
		return false;
	/* a table that never held a handle has no page */
	if (w.left && !count_level(&w, code & ~UINT64_C(7), (unsigned)(code & 3)))
		return false;
	*ret = w.used;
	return true;
}
