/* SPDX-License-Identifier: MIT */
#include "windows/list.h"

#include "fake_space.h"

enum { LIMIT = 100, NUM_ENTRIES = 5 };
#define HEAD FAKE_BASE
/* Each entry on a page of its own, so that one can be absent. */
#define ENTRY(i) (FAKE_BASE + 0x1000 * ((uint64_t)(i) + 1) + 0x40)

static void link_entries(struct fake_space *f, uint64_t a, uint64_t b)
{
	fake_put_u64(f, a, b);
	fake_put_u64(f, b + 8, a);
}

/* head -> 0 -> 1 -> ... -> 4 -> head */
static void make_ring(struct fake_space *f)
{
	link_entries(f, HEAD, ENTRY(0));
	for (int i = 0; i + 1 < NUM_ENTRIES; i++)
		link_entries(f, ENTRY(i), ENTRY(i + 1));
	link_entries(f, ENTRY(NUM_ENTRIES - 1), HEAD);
}

static struct list read_list(struct fake_space *f, size_t limit)
{
	struct list list;

	cr_assert_null(list_read(fake_open(f), HEAD, limit, &list));
	return list;
}

static void expect_entries(const struct list *list, const int *entries, size_t count)
{
	cr_assert_eq(list->count, count, "%zu entries", list->count);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(list->entries[i], ENTRY(entries[i]), "entry %zu", i);
}

static void finish(struct fake_space *f, struct list *list)
{
	list_deinit(list);
	fake_close(f);
}

static const int all[] = { 0, 1, 2, 3, 4 };

Test(list, whole_ring_in_order)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	list = read_list(&f, LIMIT);
	cr_expect(list.complete);
	cr_expect_null(list.front.why);
	expect_entries(&list, all, NUM_ENTRIES);
	cr_expect(list_head_is_sane(f.space, HEAD));
	finish(&f, &list);
}

Test(list, empty_ring)
{
	struct fake_space f = { 0 };
	struct list list;

	link_entries(&f, HEAD, HEAD);
	list = read_list(&f, LIMIT);
	cr_expect(list.complete);
	cr_expect_eq(list.count, 0);
	finish(&f, &list);
}

Test(list, one_absent_entry_is_named_by_both_neighbours)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	fake_show(&f, FAKE_BASE, FAKE_BASE + 0x3000);
	fake_show(&f, FAKE_BASE + 0x4000, FAKE_BASE + FAKE_SIZE);
	list = read_list(&f, LIMIT);
	cr_expect(list.complete, "the walks meet at the absent entry");
	expect_entries(&list, all, NUM_ENTRIES);
	finish(&f, &list);
}

Test(list, two_absent_entries_hide_what_lies_between)
{
	static const int left[] = { 0, 1, 3, 4 };
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	fake_show(&f, FAKE_BASE, FAKE_BASE + 0x2000);		  /* head, 0 */
	fake_show(&f, FAKE_BASE + 0x5000, FAKE_BASE + FAKE_SIZE); /* 4 */
	list = read_list(&f, LIMIT);
	cr_expect_not(list.complete);
	cr_expect_str_eq(list.front.why, va_state_text(VA_NOT_CAPTURED));
	cr_expect_eq(list.front.entry, ENTRY(1));
	cr_expect_eq(list.back.entry, ENTRY(3));
	expect_entries(&list, left, ARRAY_SIZE(left));
	finish(&f, &list);
}

Test(list, torn_forward_link_is_complete_from_the_back)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	fake_put_u64(&f, ENTRY(1), 0x41414141);
	list = read_list(&f, LIMIT);
	expect_entries(&list, all, NUM_ENTRIES);
	cr_expect(list.complete);
	cr_expect_not_null(list.front.why);
	finish(&f, &list);
}

Test(list, entry_unlinked_on_one_side_is_found)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	fake_put_u64(&f, ENTRY(1), ENTRY(3)); /* skips 2, whose neighbours still point at it */
	list = read_list(&f, LIMIT);
	expect_entries(&list, all, NUM_ENTRIES);
	cr_expect_eq(list.num_torn, 1);
	cr_expect_eq(list.first_torn, ENTRY(3));
	finish(&f, &list);
}

Test(list, loop_ends_and_says_so)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	link_entries(&f, ENTRY(3), ENTRY(1));
	list = read_list(&f, LIMIT);
	expect_entries(&list, all, NUM_ENTRIES);
	cr_expect_str_eq(list.front.why, "the list runs in a loop");
	finish(&f, &list);
}

/* Both its neighbours point at it: it is still listed, as torn. */
Test(list, entry_that_points_to_itself_is_listed)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	link_entries(&f, ENTRY(2), ENTRY(2));
	list = read_list(&f, LIMIT);
	expect_entries(&list, all, NUM_ENTRIES);
	cr_expect(list.complete);
	cr_expect_not_null(list.front.why);
	cr_expect_eq(list.num_torn, 1);
	cr_expect_eq(list.first_torn, ENTRY(2));
	finish(&f, &list);
}

Test(list, entry_that_was_overwritten_is_listed)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	fake_put_u64(&f, ENTRY(2), UINT64_C(0x4141414141414141));
	fake_put_u64(&f, ENTRY(2) + 8, UINT64_C(0x4141414141414141));
	list = read_list(&f, LIMIT);
	expect_entries(&list, all, NUM_ENTRIES);
	cr_expect(list.complete, "both its neighbours name it");
	cr_expect_eq(list.num_torn, 1);
	finish(&f, &list);
}

Test(list, only_entry_that_points_to_itself_is_listed)
{
	static const int first[] = { 0 };
	struct fake_space f = { 0 };
	struct list list;

	link_entries(&f, HEAD, ENTRY(0));
	link_entries(&f, ENTRY(0), HEAD);
	link_entries(&f, ENTRY(0), ENTRY(0));
	list = read_list(&f, LIMIT);
	expect_entries(&list, first, ARRAY_SIZE(first));
	cr_expect_eq(list.num_torn, 1);
	finish(&f, &list);
}

/* A damaged link to the head of some empty list makes that no entry. */
Test(list, head_of_an_empty_list_is_no_entry)
{
	static const int three[] = { 0, 1, 2 };
	struct fake_space f = { 0 };
	struct list list;

	link_entries(&f, HEAD, ENTRY(0));
	link_entries(&f, ENTRY(0), ENTRY(1));
	link_entries(&f, ENTRY(1), ENTRY(2));
	link_entries(&f, ENTRY(2), HEAD);
	link_entries(&f, ENTRY(4), ENTRY(4));
	fake_put_u64(&f, ENTRY(0), ENTRY(4));
	list = read_list(&f, LIMIT);
	expect_entries(&list, three, ARRAY_SIZE(three));
	cr_expect(list.complete);
	finish(&f, &list);
}

Test(list, limit)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	list = read_list(&f, 2);
	cr_expect_eq(list.count, 4, "two from each end");
	cr_expect_not(list.complete);
	cr_expect_not_null(list.front.why);
	cr_expect_not_null(list.back.why);
	finish(&f, &list);
}

Test(list, absent_head)
{
	struct fake_space f = { 0 };
	struct list list;

	fake_show(&f, FAKE_BASE + 0x1000, FAKE_BASE + 0x2000);
	list = read_list(&f, LIMIT);
	cr_expect_eq(list.count, 0);
	cr_expect_not(list.complete);
	cr_expect_not(list_head_is_sane(f.space, HEAD));
	finish(&f, &list);
}

Test(list, random_links_always_end)
{
	uint64_t state = 88172645463325252u;

	for (int round = 0; round < 200; round++) {
		struct fake_space f = { 0 };
		struct list list;

		make_ring(&f);
		for (int i = 0; i < 4; i++) {
			state ^= state << 13, state ^= state >> 7, state ^= state << 17;
			fake_put_u64(&f, ENTRY(state % NUM_ENTRIES) + (state >> 32 & 8),
				     ENTRY((state >> 8) % NUM_ENTRIES));
		}
		list = read_list(&f, LIMIT);
		cr_expect_leq(list.count, NUM_ENTRIES);
		for (size_t i = 0; i < list.count; i++) {
			for (size_t j = 0; j < i; j++)
				cr_expect_neq(list.entries[i], list.entries[j]);
		}
		finish(&f, &list);
	}
}

Test(list, forward_link_that_returns_to_the_head_too_early)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	fake_put_u64(&f, ENTRY(1), HEAD);
	list = read_list(&f, LIMIT);
	expect_entries(&list, all, NUM_ENTRIES);
	cr_expect(list.complete);
	cr_expect_eq(list.front.entry, ENTRY(1));
	finish(&f, &list);
}

Test(list, back_link_of_the_head_alone_says_nothing)
{
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	fake_put_u64(&f, HEAD + 8, 0x41414141);
	list = read_list(&f, LIMIT);
	expect_entries(&list, all, NUM_ENTRIES);
	cr_expect(list.complete);
	finish(&f, &list);
}

Test(list, back_link_that_skips_leaves_a_broken_list_incomplete)
{
	static const int left[] = { 0, 1, 4 };
	struct fake_space f = { 0 };
	struct list list;

	make_ring(&f);
	fake_put_u64(&f, ENTRY(1), 0x41414141);
	fake_put_u64(&f, ENTRY(4) + 8, ENTRY(0)); /* whose forward link still leads to 1 */
	list = read_list(&f, LIMIT);
	expect_entries(&list, left, ARRAY_SIZE(left));
	cr_expect_not(list.complete, "2 and 3 are lost");
	finish(&f, &list);
}

/* Any one link may say anything: nothing is lost. */
Test(list, one_link_of_any_kind)
{
	for (int at = 0; at < 2 * (NUM_ENTRIES + 1); at++) {
		for (int to = -2; to <= NUM_ENTRIES; to++) {
			uint64_t link =
				(at / 2 ? ENTRY(at / 2 - 1) : HEAD) + (uint64_t)(at % 2) * 8;
			struct fake_space f = { 0 };
			struct list list;

			make_ring(&f);
			fake_put_u64(&f, link,
				     to == -2		 ? 0
				     : to == -1		 ? FAKE_BASE + 0x20
				     : to == NUM_ENTRIES ? HEAD
							 : ENTRY(to));
			list = read_list(&f, LIMIT);
			cr_expect_eq(list.count, NUM_ENTRIES, "link %d to %d: %zu", at, to,
				     list.count);
			cr_expect(list.complete, "link %d to %d", at, to);
			finish(&f, &list);
		}
	}
}
