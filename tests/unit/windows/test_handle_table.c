/* SPDX-License-Identifier: MIT */
#include "windows/handle_table.h"

#include "fake_space.h"

enum { ENTRY_SIZE = 16, TABLE_OFFSET = 0, PAGES = 0x1000 };
#define TABLE	(FAKE_BASE + TABLE_OFFSET)
#define PAGE(i) (FAKE_BASE + PAGES + 0x1000 * (uint64_t)(i))

/* 44 bits of pointer from bit 20, as in Windows 10. */
static const struct field fields[handle_num_fields] = {
	[HANDLE_TABLE_CODE] = { 8, 8, 0, 0, true },
	[HANDLE_NEXT] = { 0, 4, 0, 0, true },
	[HANDLE_OBJECT] = { 0, 8, 20, 44, true },
};

static void put_table(struct fake_space *f, uint64_t code, uint32_t entries)
{
	fake_put_u64(f, TABLE, entries * 4);
	fake_put_u64(f, TABLE + 8, code);
}

static void put_entries(struct fake_space *f, uint64_t page, int first, int count)
{
	for (int i = first; i < first + count; i++)
		fake_put_u64(f, page + (uint64_t)i * ENTRY_SIZE, UINT64_C(0x1234567) << 20 | 1);
}

static bool count(struct fake_space *f, uint64_t *ret)
{
	struct fault fault;
	bool ok = handle_table_count(fake_open(f), TABLE, fields, ENTRY_SIZE, ret, &fault);

	if (!ok)
		*ret = fault.va;
	fake_close(f);
	return ok;
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

Test(handle_table, two_levels)
{
	struct fake_space f = { 0 };
	uint64_t n;

	put_table(&f, PAGE(0) | 1, 512);
	fake_put_u64(&f, PAGE(0), PAGE(1));
	fake_put_u64(&f, PAGE(0) + 8, PAGE(2));
	put_entries(&f, PAGE(1), 1, 255);
	put_entries(&f, PAGE(2), 0, 3);
	cr_assert(count(&f, &n));
	cr_expect_eq(n, 258);
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
	fake_put_u64(&f, PAGE(0), UINT64_C(0xffff900000000000));
	cr_assert_not(count(&f, &n));
	cr_expect_eq(n, UINT64_C(0xffff900000000000));
}

Test(handle_table, a_table_that_contains_itself_ends)
{
	struct fake_space f = { 0 };
	uint64_t n;

	put_table(&f, PAGE(0) | 2, 1 << 24);
	for (uint64_t i = 0; i < 512; i++)
		fake_put_u64(&f, PAGE(0) + i * 8, PAGE(0));
	cr_assert(count(&f, &n));
}

Test(handle_table, never_used)
{
	struct fake_space f = { 0 };
	uint64_t n = 1;

	put_table(&f, 0, 0);
	cr_assert(count(&f, &n));
	cr_expect_eq(n, 0);
}

Test(handle_table, wild_counts_and_levels_are_refused)
{
	struct fake_space f = { 0 }, g = { 0 };
	uint64_t n;

	put_table(&f, PAGE(0), 0x3fffffff);
	cr_expect_not(count(&f, &n));
	put_table(&g, PAGE(0) | 3, 256);
	cr_expect_not(count(&g, &n));
}
