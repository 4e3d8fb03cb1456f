/* SPDX-License-Identifier: MIT */
#include "windows/objects/handle_table.h"

#include "fake_space.h"

enum { ENTRY_SIZE = 16, PAGES = 0x1000, MAX_SEEN = 32 };
#define TABLE	FAKE_BASE
#define PAGE(i) (FAKE_BASE + PAGES + 0x1000 * (uint64_t)(i))
#define ABSENT	UINT64_C(0xffff900000000000)
#define OBJECT	UINT64_C(0xffff800000123450)

/* 44 bits of pointer from bit 20, as from Windows 8.1 on. */
static const struct handle_layout layout = {
	.fields = {
		[HANDLE_TABLE_CODE] = { 8, 8, 0, 0, true },
		[HANDLE_NEXT] = { 0, 4, 0, 0, true },
		[HANDLE_OBJECT] = { 0, 8, 20, 44, true },
		[HANDLE_ATTRIBUTES] = { 0, 8, 17, 3, true },
		[HANDLE_ACCESS] = { 8, 4, 0, 25, true },
	},
	.entry_size = ENTRY_SIZE,
};
/* A whole pointer, as in Windows 7. */
static const struct handle_layout old_layout = {
	.fields = {
		[HANDLE_TABLE_CODE] = { 8, 8, 0, 0, true },
		[HANDLE_NEXT] = { 0, 4, 0, 0, true },
		[HANDLE_OBJECT] = { 0, 8, 0, 0, true },
		[HANDLE_ATTRIBUTES] = { 0, 4, 0, 0, true },
		[HANDLE_ACCESS] = { 8, 4, 0, 0, true },
	},
	.entry_size = ENTRY_SIZE,
};

static void put_table(struct fake_space *f, uint64_t code, uint32_t entries)
{
	fake_put_u64(f, TABLE, entries * 4);
	fake_put_u64(f, TABLE + 8, code);
}

static void put_entry(struct fake_space *f, uint64_t page, int slot, uint64_t low, uint64_t high)
{
	fake_put_u64(f, page + (uint64_t)slot * ENTRY_SIZE, low);
	fake_put_u64(f, page + (uint64_t)slot * ENTRY_SIZE + 8, high);
}

static void put_entries(struct fake_space *f, uint64_t page, int first, int count)
{
	for (int i = first; i < first + count; i++)
		put_entry(f, page, i, OBJECT >> 4 << 20 | 1, 3);
}

static bool count(struct fake_space *f, uint64_t *ret)
{
	struct fault fault;
	bool ok = handle_table_count(fake_open(f), TABLE, layout.fields, ENTRY_SIZE, ret, &fault);

	if (!ok)
		*ret = fault.va;
	fake_close(f);
	return ok;
}

/* What a walk says, in order. */
struct seen {
	size_t count;
	struct {
		enum handle_step step;
		struct handle_entry entry;
		struct handle_gap gap;
	} items[MAX_SEEN];
};

static void walk(struct fake_space *f, const struct handle_layout *l, struct seen *ret)
{
	struct handle_walk w;
	struct fault fault;
	enum handle_step step;

	ret->count = 0;
	cr_assert(handle_walk_start(&w, fake_open(f), l, TABLE, &fault));
	do {
		cr_assert_lt(ret->count, (size_t)MAX_SEEN);
		step = handle_walk_next(&w, &ret->items[ret->count].entry,
					&ret->items[ret->count].gap);
		ret->items[ret->count++].step = step;
	} while (step != HANDLE_END);
	ret->count--;
	fake_close(f);
}

static void expect_gap(const struct seen *s, size_t i, uint64_t first, uint64_t last, uint64_t va)
{
	cr_assert_lt(i, s->count);
	cr_expect_eq(s->items[i].step, HANDLE_GAP);
	cr_expect_eq(s->items[i].gap.first, first);
	cr_expect_eq(s->items[i].gap.last, last);
	cr_expect_eq(s->items[i].gap.fault.va, va);
	cr_expect(s->items[i].gap.why);
}

static void expect_handle(const struct seen *s, size_t i, uint64_t handle)
{
	cr_assert_lt(i, s->count);
	cr_expect_eq(s->items[i].step, HANDLE_ENTRY);
	cr_expect_eq(s->items[i].entry.handle, handle, "%zu: %lu", i,
		     (unsigned long)s->items[i].entry.handle);
}

Test(handle_table, one_page)
{
	struct fake_space f = { 0 };
	uint64_t n;

	put_table(&f, PAGE(0), 256);
	put_entries(&f, PAGE(0), 1, 17);
	fake_put_u64(&f, PAGE(0) + 100 * ENTRY_SIZE, 0xfffff); /* a free entry's list bits */
	cr_assert(count(&f, &n));
	cr_expect_eq(n, 17);
}

Test(handle_table, the_first_entry_of_a_page_is_no_handle)
{
	struct fake_space f = { 0 };
	uint64_t n;

	put_table(&f, PAGE(0) | 1, 512);
	fake_put_u64(&f, PAGE(0), PAGE(1));
	fake_put_u64(&f, PAGE(0) + 8, PAGE(2));
	put_entries(&f, PAGE(1), 0, 256);
	put_entries(&f, PAGE(2), 0, 3);
	cr_assert(count(&f, &n));
	cr_expect_eq(n, 257);
}

Test(handle_table, entries_past_the_next_are_not_counted)
{
	struct fake_space f = { 0 };
	uint64_t n;

	put_table(&f, PAGE(0), 8);
	put_entries(&f, PAGE(0), 1, 200);
	cr_assert(count(&f, &n));
	cr_expect_eq(n, 7);
}

Test(handle_table, absent_page_is_no_count)
{
	struct fake_space f = { 0 };
	uint64_t n;

	put_table(&f, PAGE(0) | 1, 512);
	fake_put_u64(&f, PAGE(0), ABSENT);
	cr_assert_not(count(&f, &n));
	cr_expect_eq(n, ABSENT);
}

Test(handle_table, entry_of_bits)
{
	struct fake_space f = { 0 };
	struct seen s;

	put_table(&f, PAGE(0), 256);
	put_entry(&f, PAGE(0), 2, OBJECT >> 4 << 20 | 5 << 17 | 0x1fffe, 0xfe1f0003);
	walk(&f, &layout, &s);
	cr_assert_eq(s.count, 1);
	expect_handle(&s, 0, 8);
	cr_expect_eq(s.items[0].entry.pointer, OBJECT);
	cr_expect_eq(s.items[0].entry.va, PAGE(0) + 2 * ENTRY_SIZE);
	cr_expect_eq(s.items[0].entry.access.value, 0x1f0003);
	cr_expect_eq(s.items[0].entry.attributes.value, HANDLE_PROTECT | HANDLE_AUDIT);
}

Test(handle_table, entry_of_a_pointer)
{
	struct fake_space f = { 0 };
	struct seen s;

	put_table(&f, PAGE(0), 256);
	put_entry(&f, PAGE(0), 1, OBJECT | 3, 0x2100020); /* unlocked, inherit, protect */
	put_entry(&f, PAGE(0), 2, OBJECT | 4, 0x1fffff);  /* locked, audit */
	put_entry(&f, PAGE(0), 3, 0, 16);		  /* free: the next one that is */
	put_entry(&f, PAGE(0), 4, 1, 0xfffffffe);	  /* flags of nothing */
	walk(&f, &old_layout, &s);
	cr_assert_eq(s.count, 2);
	cr_expect_eq(s.items[0].entry.pointer, OBJECT);
	cr_expect_eq(s.items[0].entry.access.value, 0x100020);
	cr_expect_eq(s.items[0].entry.attributes.value, HANDLE_INHERIT | HANDLE_PROTECT);
	cr_expect_eq(s.items[1].entry.pointer, OBJECT);
	cr_expect_eq(s.items[1].entry.attributes.value, HANDLE_AUDIT);
}

/* Five-level paging: the field has more bits, and the sign is higher. */
Test(handle_table, entry_of_more_bits)
{
	struct handle_layout wide = layout;
	struct fake_space f = { 0 };
	struct seen s;

	wide.fields[HANDLE_OBJECT] = (struct field){ 0, 8, 11, 53, true };
	put_table(&f, PAGE(0), 256);
	put_entry(&f, PAGE(0), 1, UINT64_C(0xff12345678abcde0) >> 4 << 11, 0);
	put_entry(&f, PAGE(0), 2, UINT64_C(0x0012345678abcde0) >> 4 << 11, 0);
	walk(&f, &wide, &s);
	cr_assert_eq(s.count, 2);
	cr_expect_eq(s.items[0].entry.pointer, UINT64_C(0xff12345678abcde0));
	cr_expect_eq(s.items[1].entry.pointer, UINT64_C(0x0012345678abcde0));
}

Test(handle_table, layout_without_rights)
{
	struct handle_layout bare = layout;
	struct fake_space f = { 0 };
	struct seen s;

	bare.fields[HANDLE_ACCESS].present = false;
	bare.fields[HANDLE_ATTRIBUTES].offset = 12; /* beyond the entry */
	put_table(&f, PAGE(0), 256);
	put_entries(&f, PAGE(0), 1, 1);
	walk(&f, &bare, &s);
	cr_assert_eq(s.count, 1);
	cr_expect_not(s.items[0].entry.access.present);
	cr_expect_not(s.items[0].entry.attributes.present);
}

Test(handle_table, level_2)
{
	struct fake_space f = { 0 };
	struct seen s;

	put_table(&f, PAGE(0) | 2, 512 * 256 + 512);
	fake_put_u64(&f, PAGE(0), PAGE(1));
	fake_put_u64(&f, PAGE(0) + 8, PAGE(2));
	fake_put_u64(&f, PAGE(1) + 8 * 511, PAGE(3));
	fake_put_u64(&f, PAGE(2) + 8, PAGE(4));
	put_entries(&f, PAGE(3), 255, 1);
	put_entries(&f, PAGE(4), 1, 2);
	walk(&f, &layout, &s);
	cr_assert_eq(s.count, 5);
	expect_gap(&s, 0, 0, (511 * 256 - 1) * 4, PAGE(1)); /* pages that the table has not */
	expect_handle(&s, 1, (512 * 256 - 1) * 4);
	expect_gap(&s, 2, 512 * 256 * 4, (512 * 256 + 255) * 4, PAGE(2));
	expect_handle(&s, 3, (512 * 256 + 257) * 4);
	expect_handle(&s, 4, (512 * 256 + 258) * 4);
}

Test(handle_table, an_absent_page_costs_its_own_handles)
{
	struct fake_space f = { 0 };
	struct seen s;

	put_table(&f, PAGE(0) | 2, 2 * 512 * 256 + 256);
	fake_put_u64(&f, PAGE(0), PAGE(1));
	fake_put_u64(&f, PAGE(0) + 8, ABSENT);
	fake_put_u64(&f, PAGE(0) + 16, PAGE(2));
	fake_put_u64(&f, PAGE(1), PAGE(3));
	fake_put_u64(&f, PAGE(1) + 8, ABSENT + PAGE_SIZE);
	fake_put_u64(&f, PAGE(1) + 16, PAGE(4));
	fake_put_u64(&f, PAGE(2), PAGE(5));
	put_entries(&f, PAGE(3), 1, 1);
	put_entries(&f, PAGE(4), 1, 1);
	put_entries(&f, PAGE(5), 1, 1);
	walk(&f, &layout, &s);
	cr_assert_eq(s.count, 6);
	expect_handle(&s, 0, 4);
	expect_gap(&s, 1, 256 * 4, 511 * 4, ABSENT + PAGE_SIZE);
	expect_handle(&s, 2, 513 * 4);
	expect_gap(&s, 3, 3 * 256 * 4, (512 * 256 - 1) * 4, PAGE(1));
	expect_gap(&s, 4, 512 * 256 * 4, (2 * 512 * 256 - 1) * 4, ABSENT);
	expect_handle(&s, 5, (2 * 512 * 256 + 1) * 4);
}

Test(handle_table, an_absent_root_costs_all)
{
	struct fake_space f = { 0 };
	struct seen s;

	for (uint64_t level = 0; level <= 2; level++) {
		memset(&f, 0, sizeof(f));
		put_table(&f, ABSENT | level, 200);
		walk(&f, &layout, &s);
		cr_assert_eq(s.count, 1);
		expect_gap(&s, 0, 0, 199 * 4, ABSENT);
	}
}

/* The top page is a pool block as long as the table needs, here at the end of what is there. */
Test(handle_table, a_page_of_pointers_may_be_cut_short)
{
	struct fake_space f = { 0 };
	uint64_t top = FAKE_BASE + FAKE_SIZE - 16;
	struct seen s;

	put_table(&f, top | 2, 512 * 256 + 2);
	fake_put_u64(&f, top, PAGE(1));
	fake_put_u64(&f, top + 8, PAGE(2));
	fake_put_u64(&f, PAGE(2), PAGE(3));
	put_entries(&f, PAGE(3), 1, 1);
	walk(&f, &layout, &s);
	cr_assert_eq(s.count, 2);
	expect_gap(&s, 0, 0, (512 * 256 - 1) * 4, PAGE(1));
	expect_handle(&s, 1, (512 * 256 + 1) * 4);
}

Test(handle_table, a_table_that_contains_itself_is_not_believed)
{
	struct fake_space f = { 0 }, g;
	struct seen s;
	uint64_t n;

	put_table(&f, PAGE(0) | 2, 4 * 512 * 256);
	for (uint64_t i = 0; i < 512; i++)
		fake_put_u64(&f, PAGE(0) + i * 8, PAGE(0));
	g = f;
	walk(&f, &layout, &s);
	cr_assert_eq(s.count, 4);
	for (uint64_t i = 0; i < 4; i++)
		expect_gap(&s, i, i * 512 * 256 * 4, ((i + 1) * 512 * 256 - 1) * 4, PAGE(0));
	cr_expect_not(count(&g, &n));
}

Test(handle_table, a_page_counts_once)
{
	struct fake_space f = { 0 };
	struct seen s;

	put_table(&f, PAGE(0) | 1, 3 * 256);
	for (uint64_t i = 0; i < 3; i++)
		fake_put_u64(&f, PAGE(0) + i * 8, PAGE(1 + i / 2));
	put_entries(&f, PAGE(1), 1, 1);
	put_entries(&f, PAGE(2), 1, 1);
	walk(&f, &layout, &s);
	cr_assert_eq(s.count, 3);
	expect_handle(&s, 0, 4);
	expect_gap(&s, 1, 256 * 4, 511 * 4, PAGE(1));
	expect_handle(&s, 2, 513 * 4);
}

Test(handle_table, never_used)
{
	struct fake_space f = { 0 };
	uint64_t n = 1;

	put_table(&f, 0, 0);
	cr_assert(count(&f, &n));
	cr_expect_eq(n, 0);
}

Test(handle_table, more_handles_than_there_is_room_for)
{
	struct fake_space f = { 0 };
	struct seen s;

	put_table(&f, PAGE(0), 300);
	put_entries(&f, PAGE(0), 255, 1);
	walk(&f, &layout, &s);
	cr_assert_eq(s.count, 2);
	expect_handle(&s, 0, 255 * 4);
	expect_gap(&s, 1, 256 * 4, 299 * 4, PAGE(0));
}

Test(handle_table, wild_counts_and_levels_are_refused)
{
	struct fake_space f = { 0 }, g = { 0 };
	uint64_t n;

	put_table(&f, PAGE(0), 0x3fffffff);
	cr_expect_not(count(&f, &n));
	cr_expect_eq(n, TABLE);
	put_table(&g, PAGE(0) | 3, 256);
	cr_expect_not(count(&g, &n));
}

Test(handle_table, layouts_that_cannot_be)
{
	static const uint32_t sizes[] = { 0, 4, 7, PAGE_SIZE + 1, UINT32_MAX };
	struct handle_layout l = layout;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		l.entry_size = sizes[i];
		cr_expect_not(handle_layout_is_known(&l));
	}
	l = layout;
	l.fields[HANDLE_OBJECT].offset = 9;
	cr_expect_not(handle_layout_is_known(&l));
	l.fields[HANDLE_OBJECT] = (struct field){ 0, 2, 0, 0, true };
	cr_expect_not(handle_layout_is_known(&l));
	l.fields[HANDLE_OBJECT].present = false;
	cr_expect_not(handle_layout_is_known(&l));
}
