/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "fake_tables.h"

static struct fake_machine m;

static void fini(void)
{
	close_machine(&m);
}

TestSuite(paging_next, .fini = fini);

static void expect_next(uint64_t va, const struct va_range *expected)
{
	struct va_range r;

	cr_assert(space_next(m.space, va, &r), "nothing at 0x%llx", (unsigned long long)va);
	cr_expect_eq(r.start, expected->start, "start 0x%llx", (unsigned long long)r.start);
	cr_expect_eq(r.last, expected->last, "last 0x%llx", (unsigned long long)r.last);
	cr_expect_eq(r.state, expected->state, "%s", va_state_name(r.state));
	cr_expect_eq(r.has_pa, expected->pa != 0);
	cr_expect_eq(r.pa, expected->pa, "pa 0x%llx", (unsigned long long)r.pa);
	cr_expect_eq(r.page_size, expected->page_size, "size 0x%llx",
		     (unsigned long long)r.page_size);
	cr_expect_eq(r.repeat, expected->repeat, "repeat 0x%llx", (unsigned long long)r.repeat);
}

static void expect_end(uint64_t va)
{
	struct va_range r;

	cr_expect(!space_next(m.space, va, &r));
}

static void chain(void)
{
	set_entry(&m, 1, 1, PAGE(2) | TABLE);
	set_entry(&m, 2, 2, PAGE(3) | TABLE);
	set_entry(&m, 3, 3, PAGE(4) | TABLE);
}
#define PT_VA UINT64_C(0x8080600000)

Test(paging_next, neighbours_merge_and_holes_are_skipped)
{
	chain();
	set_entry(&m, 4, 4, PAGE(5) | TABLE);
	set_entry(&m, 4, 5, PAGE(6) | TABLE | PTE_DIRTY);
	set_entry(&m, 4, 6, PAGE(7) | PTE_PRESENT);
	set_entry(&m, 4, 8, PAGE(8) | PTE_PRESENT);
	set_entry(&m, 4, 511, PAGE(9) | TABLE);
	set_entry(&m, 3, 4, PAGE(10) | TABLE);
	set_entry(&m, 10, 0, PAGE(10) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_next(0, &(struct va_range){ PT_VA + 0x4000, PT_VA + 0x5fff, VA_MAPPED, true, PAGE(5),
					   0x1000, 0, 0 });
	expect_next(PT_VA + 0x4010, &(struct va_range){ PT_VA + 0x4010, PT_VA + 0x5fff, VA_MAPPED,
							true, PAGE(5) + 0x10, 0x1000, 0, 0 });
	expect_next(PT_VA + 0x6000, &(struct va_range){ PT_VA + 0x6000, PT_VA + 0x6fff, VA_MAPPED,
							true, PAGE(7), 0x1000, 0, 0 });
	expect_next(PT_VA + 0x7000, &(struct va_range){ PT_VA + 0x8000, PT_VA + 0x8fff, VA_MAPPED,
							true, PAGE(8), 0x1000, 0, 0 });
	/* over the border of two tables */
	expect_next(PT_VA + 0x9000, &(struct va_range){ PT_VA + 0x1ff000, PT_VA + 0x200fff,
							VA_MAPPED, true, PAGE(9), 0x1000, 0, 0 });
	expect_end(PT_VA + 0x201000);
	expect_end(UINT64_C(0x800000000000));
	expect_end(UINT64_MAX);
}

Test(paging_next, both_halves_and_the_last_byte)
{
	fill_table(&m, 2, PAGE(3) | TABLE);
	set_entry(&m, 3, 511, PAGE(4) | TABLE);
	set_entry(&m, 4, 511, PAGE(5) | TABLE);
	set_entry(&m, 2, 510, 0);
	for (unsigned i = 0; i < 510; i++)
		set_entry(&m, 2, i, 0);
	set_entry(&m, 1, 255, PAGE(2) | TABLE);
	set_entry(&m, 1, 511, PAGE(2) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_next(0, &(struct va_range){ UINT64_C(0x7ffffffff000), UINT64_C(0x7fffffffffff),
					   VA_MAPPED, true, PAGE(5), 0x1000, 0, 0 });
	expect_next(UINT64_C(0x800000000000),
		    &(struct va_range){ UINT64_C(0xfffffffffffff000), UINT64_MAX, VA_MAPPED, true,
					PAGE(5), 0x1000, 0, 0 });
	expect_next(UINT64_MAX, &(struct va_range){ UINT64_MAX, UINT64_MAX, VA_MAPPED, true,
						    PAGE(5) + 0xfff, 0x1000, 0, 0 });
}

Test(paging_next, one_page_through_shared_tables)
{
	set_entry(&m, 1, 300, PAGE(2) | TABLE);
	set_entry(&m, 1, 301, PAGE(2) | TABLE | PTE_ACCESSED);
	fill_table(&m, 2, PAGE(3) | TABLE);
	fill_table(&m, 3, PAGE(4) | TABLE);
	fill_table(&m, 4, PAGE(5) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_next(0,
		    &(struct va_range){ UINT64_C(0xffff960000000000), UINT64_C(0xffff96ffffffffff),
					VA_MAPPED, true, PAGE(5), 0x1000, 0, 0x1000 });
	/* merging ends with the first table past 1 GiB */
	expect_next(UINT64_C(0xffff960123456789),
		    &(struct va_range){ UINT64_C(0xffff960123456789), UINT64_C(0xffff967fffffffff),
					VA_MAPPED, true, PAGE(5) + 0x789, 0x1000, 0, 0x1000 });
	expect_end(UINT64_C(0xffff970000000000));
}

Test(paging_next, alias_follows_what_it_repeats)
{
	chain();
	for (unsigned i = 3; i < 8; i++)
		set_entry(&m, 3, i, PAGE(4) | TABLE);
	set_entry(&m, 4, 4, PAGE(5) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_next(0, &(struct va_range){ PT_VA + 0x4000, PT_VA + 0x4fff, VA_MAPPED, true, PAGE(5),
					   0x1000, 0, 0 });
	expect_next(PT_VA + 0x5000,
		    &(struct va_range){ PT_VA + 0x200000, PT_VA + 0x9fffff, VA_MAPPED, false, 0,
					0x200000, 0, 0x200000 });
	/* who asks for a part of the alias gets it */
	expect_next(PT_VA + 0x400001, &(struct va_range){ PT_VA + 0x404000, PT_VA + 0x404fff,
							  VA_MAPPED, true, PAGE(5), 0x1000, 0, 0 });
	expect_end(PT_VA + 0xa00000);
}

Test(paging_next, equal_tables_that_map_nothing_are_a_hole)
{
	fill_table(&m, 1, PAGE(2) | TABLE);
	fill_table(&m, 2, PAGE(3) | TABLE);
	fill_table(&m, 3, PAGE(4) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_end(0);
}

/* Without a memory of what is empty this would take 2^36 entries. */
Test(paging_next, alternating_tables_that_map_nothing, .timeout = 10)
{
	for (unsigned i = 0; i < 512; i++) {
		set_entry(&m, 1, i, PAGE(2 + i % 2) | TABLE);
		set_entry(&m, 2, i, PAGE(4 + i % 2) | TABLE);
		set_entry(&m, 3, i, PAGE(5 - i % 2) | TABLE);
		set_entry(&m, 4, i, PAGE(6 + i % 2) | TABLE);
		set_entry(&m, 5, i, PAGE(7 - i % 2) | TABLE);
		set_entry(&m, 6, i, 0);
		set_entry(&m, 7, i, 0);
	}
	open_machine(&m, PAGE(1), 4, NULL);
	expect_end(0);
}

Test(paging_next, root_full_of_itself, .timeout = 10)
{
	fill_table(&m, 1, PAGE(1) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_next(0, &(struct va_range){ 0, UINT64_C(0x7fffffffffff), VA_MAPPED, true, PAGE(1),
					   0x1000, 0, 0x1000 });
	expect_next(UINT64_C(0x800000000000),
		    &(struct va_range){ UINT64_C(0xffff800000000000), UINT64_MAX, VA_MAPPED, true,
					PAGE(1), 0x1000, 0, 0x1000 });
}

Test(paging_next, self_map_lists_the_tables)
{
	struct va_range r;
	unsigned ranges = 0;

	chain();
	set_entry(&m, 4, 4, PAGE(5) | TABLE);
	set_entry(&m, 1, 0x1ed, PAGE(1) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	for (uint64_t va = UINT64_C(0xffff800000000000); va && space_next(m.space, va, &r);
	     va = r.last + 1)
		ranges++;
	cr_expect_eq(ranges, 4, "%u", ranges); /* one for each of the tables */
	expect_next(UINT64_C(0xfffff6fb7dbed000),
		    &(struct va_range){ UINT64_C(0xfffff6fb7dbed000), UINT64_C(0xfffff6fb7dbedfff),
					VA_MAPPED, true, PAGE(1), 0x1000, 0, 0 });
}

Test(paging_next, absence)
{
	chain();
	set_entry(&m, 4, 4, PAGE(5) | TABLE);
	set_entry(&m, 4, 5, PAGE(6) | TABLE);
	set_entry(&m, 4, 6, PAGE(7) | TABLE);
	set_entry(&m, 3, 5, PAGE(50) | TABLE);
	set_entry(&m, 3, 6, PAGE(51) | TABLE);
	set_entry(&m, 2, 9, PAGE(52) | TABLE);
	capture(&m, 0, PAGE(6));
	capture(&m, PAGE(6) + 0x10, PAGE(7));
	open_machine(&m, PAGE(1), 4, NULL);
	expect_next(0, &(struct va_range){ PT_VA + 0x4000, PT_VA + 0x4fff, VA_MAPPED, true, PAGE(5),
					   0x1000, 0, 0 });
	expect_next(PT_VA + 0x5000,
		    &(struct va_range){ PT_VA + 0x5000, PT_VA + 0x500f, VA_NOT_CAPTURED, true,
					PAGE(6), 0x1000, 0, 0 });
	expect_next(PT_VA + 0x5010, &(struct va_range){ PT_VA + 0x5010, PT_VA + 0x5fff, VA_MAPPED,
							true, PAGE(6) + 0x10, 0x1000, 0, 0 });
	expect_next(PT_VA + 0x6000,
		    &(struct va_range){ PT_VA + 0x6000, PT_VA + 0x6fff, VA_NOT_CAPTURED, true,
					PAGE(7), 0x1000, 0, 0 });
	expect_next(PT_VA + 0x7000,
		    &(struct va_range){ PT_VA + 0x400000, PT_VA + 0x7fffff, VA_TABLE_NOT_CAPTURED,
					false, 0, 0x200000, 0, 0 });
	expect_next(PT_VA + 0x800000,
		    &(struct va_range){ 0x8240000000, 0x827fffffff, VA_TABLE_NOT_CAPTURED, false, 0,
					0x40000000, 0, 0 });
	expect_end(0x8280000000);
}

Test(paging_next, absent_root)
{
	open_machine(&m, PAGE(99), 4, NULL);
	expect_next(5, &(struct va_range){ 5, UINT64_C(0x7fffffffffff), VA_TABLE_NOT_CAPTURED,
					   false, 0, UINT64_C(1) << 48, 0, 0 });
	expect_next(UINT64_C(0x800000000000),
		    &(struct va_range){ UINT64_C(0xffff800000000000), UINT64_MAX,
					VA_TABLE_NOT_CAPTURED, false, 0, UINT64_C(1) << 48, 0, 0 });
}
