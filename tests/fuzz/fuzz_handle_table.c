/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "windows/objects/handle_table.h"

/*
 * A handle table of a few pages: one byte says which layout of entries, then 16 bytes are the
 * table, then a list of writes: page, slot, how many slots, value. Whatever they are, the walk
 * ends, handles rise, no handle is both listed and missing, and the count agrees.
 */
enum {
	PAGES = 16,
	ABSENT_PAGE = 13,
	MAX_WRITES = 256,
	SLOTS = PAGE_SIZE / 8,
	CODE = 8,
	NEXT = 0,
};
#define BASE UINT64_C(0xffff800000010000)

static const struct handle_layout layouts[] = {
	{ .fields = { [HANDLE_TABLE_CODE] = { CODE, 8, 0, 0, true },
		      [HANDLE_NEXT] = { NEXT, 4, 0, 0, true },
		      [HANDLE_OBJECT] = { 0, 8, 20, 44, true },
		      [HANDLE_ATTRIBUTES] = { 0, 8, 17, 3, true },
		      [HANDLE_ACCESS] = { 8, 4, 0, 25, true } },
	  .entry_size = 16 },
	{ .fields = { [HANDLE_TABLE_CODE] = { CODE, 8, 0, 0, true },
		      [HANDLE_NEXT] = { NEXT, 4, 0, 0, true },
		      [HANDLE_OBJECT] = { 0, 8, 0, 0, true },
		      [HANDLE_ATTRIBUTES] = { 0, 4, 0, 0, true },
		      [HANDLE_ACCESS] = { 8, 4, 0, 0, true } },
	  .entry_size = 16 },
	{ .fields = { [HANDLE_TABLE_CODE] = { CODE, 8, 0, 0, true },
		      [HANDLE_NEXT] = { NEXT, 4, 0, 0, true },
		      [HANDLE_OBJECT] = { 0, 8, 11, 53, true },
		      [HANDLE_ACCESS] = { 16, 4, 0, 25, true } }, /* beyond the entry */
	  .entry_size = 16 },
	{ .fields = { [HANDLE_TABLE_CODE] = { CODE, 8, 0, 0, true },
		      [HANDLE_NEXT] = { NEXT, 4, 0, 0, true },
		      [HANDLE_OBJECT] = { 16, 8, 0, 64, true } },
	  .entry_size = 24 }, /* which a page holds no whole number of */
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void write_pages(struct cursor *c, uint8_t *bytes)
{
	uint8_t page, count;
	uint16_t slot;
	uint64_t value;

	for (int i = 0; i < MAX_WRITES; i++) {
		if (!cur_u8(c, &page) || !cur_u16(c, &slot) || !cur_u8(c, &count) ||
		    !cur_u64(c, &value))
			return;
		for (unsigned j = 0; j <= count; j++)
			store_u64(bytes + (size_t)(page % PAGES) * PAGE_SIZE +
					  (size_t)((slot + j) % SLOTS) * 8,
				  value);
	}
}

static struct space *make_space(const uint8_t *bytes, struct file *file, struct virtmem **mem)
{
	const uint64_t hole = ABSENT_PAGE * (uint64_t)PAGE_SIZE, rest = hole + PAGE_SIZE;
	const uint64_t size = PAGES * (uint64_t)PAGE_SIZE;
	struct space *space = NULL;

	*file = (struct file){ .fd = -1, .bytes = bytes, .size = size };
	must(!virtmem_create(mem) && !virtmem_add(*mem, BASE, hole, file, 0) &&
	     !virtmem_add(*mem, BASE + rest, size - rest, file, rest) && !virtmem_seal(*mem) &&
	     !space_create_virtual(*mem, &space));
	return space;
}

static void check_table(struct space *s, const struct handle_layout *layout, uint64_t table)
{
	uint64_t next = 0, used = 0, gaps = 0, counted;
	struct handle_entry entry;
	struct handle_walk w;
	enum handle_step step;
	struct handle_gap gap;
	struct fault fault;
	bool has_count;

	if (!handle_walk_start(&w, s, layout, table, &fault))
		return;
	while ((step = handle_walk_next(&w, &entry, &gap)) != HANDLE_END) {
		if (step == HANDLE_ENTRY) {
			must(entry.handle >= next && entry.pointer && entry.handle % 4 == 0);
			must(!entry.access.present || entry.access.value < 1 << 25);
			must(!entry.attributes.present || entry.attributes.value < 8);
			next = entry.handle + 4;
			used++;
		} else {
			must(gap.first >= next && gap.last >= gap.first && gap.why);
			next = gap.last + 4;
			gaps++;
		}
		must(next <= w.limit * 4);
	}
	has_count =
		handle_table_count(s, table, layout->fields, layout->entry_size, &counted, &fault);
	must(has_count == (gaps == 0) && (!has_count || counted == used));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = calloc(PAGES, PAGE_SIZE);
	struct virtmem *mem = NULL;
	struct space *space;
	struct file file;
	struct cursor c;
	uint8_t layout;

	cur_init(&c, data, size, 0);
	must(bytes);
	if (cur_u8(&c, &layout) && cur_copy(&c, bytes, 16)) {
		write_pages(&c, bytes);
		space = make_space(bytes, &file, &mem);
		check_table(space, &layouts[layout % ARRAY_SIZE(layouts)], BASE);
		space_destroy(space);
		virtmem_destroy(mem);
	}
	free(bytes);
	return 0;
}
