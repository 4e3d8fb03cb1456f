/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static void expect_zeroed(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(p[i], 0, "byte %zu is %u", i, p[i]);
}

Test(arena, memory_is_zeroed_aligned_and_disjoint)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 4000, 5000, 3, 2 << 20, 40 };
	uint8_t *parts[ARRAY_SIZE(sizes)];
	struct arena a;

	arena_init(&a, 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		parts[i] = arena_alloc(&a, sizes[i]);
		cr_assert_not_null(parts[i]);
		cr_assert_eq((uintptr_t)parts[i] % _Alignof(max_align_t), 0);
		expect_zeroed(parts[i], sizes[i]);
		memset(parts[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t k = 0; k < sizes[i]; k++)
			cr_assert_eq(parts[i][k], i + 1);
	arena_deinit(&a);
}

Test(arena, a_large_block_leaves_the_small_one_in_use)
{
	struct arena a;
	uint8_t *first, *second;

	arena_init(&a, 0);
	first = arena_alloc(&a, 16);
	cr_assert_not_null(arena_alloc(&a, 1 << 20));
	second = arena_alloc(&a, 16);
	cr_assert_eq(second, first + 16);
	arena_deinit(&a);
}

Test(arena, limit_holds_for_all_blocks_together)
{
	struct arena a;
	size_t total = 0;

	arena_init(&a, 10000);
	while (arena_alloc(&a, 64))
		total += 64;
	cr_assert_leq(total, 10000);
	cr_assert_geq(total, 10000 - 64 - 16);
	cr_assert_leq(a.used, a.limit);
	arena_reset(&a);
	cr_assert_eq(a.used, 0);
	cr_assert_not_null(arena_alloc(&a, 9984));
	cr_assert_null(arena_alloc(&a, 17));
	arena_deinit(&a);
}

Test(arena, sizes_that_overflow_are_refused)
{
	struct arena a;

	arena_init(&a, 0);
	cr_assert_null(arena_alloc(&a, SIZE_MAX));
	cr_assert_null(arena_alloc(&a, SIZE_MAX - 16));
	cr_assert_null(arena_alloc(&a, SIZE_MAX - 64));
	cr_assert_null(arena_calloc(&a, SIZE_MAX / 2, 3));
	cr_assert_null(arena_calloc(&a, (SIZE_MAX >> 4) + 1, 16));
	cr_assert_not_null(arena_calloc(&a, 3, 5));
	arena_deinit(&a);
}

Test(arena, strings)
{
	struct arena a;

	arena_init(&a, 0);
	cr_assert_str_eq(arena_strdup(&a, "ntoskrnl.exe"), "ntoskrnl.exe");
	cr_assert_str_eq(arena_strdup(&a, ""), "");
	cr_assert_str_eq(arena_strndup(&a, "abcdef", 3), "abc");
	cr_assert_str_eq(arena_strndup(&a, "ab\0def", 6), "ab");
	cr_assert_str_eq(arena_printf(&a, "%s-%d", "pid", 4), "pid-4");
	arena_reset(&a);
	arena_deinit(&a);

	arena_init(&a, 16);
	cr_assert_null(arena_strdup(&a, "sixteen or more bytes"));
	cr_assert_null(arena_printf(&a, "%s", "sixteen or more bytes"));
	arena_deinit(&a);
}

Test(array, grows_up_to_its_limit)
{
	uint32_t *items = NULL;
	size_t capacity = 0;
	struct error *err;

	for (size_t i = 0; i < 1000; i++) {
		cr_assert_null(
			array_reserve(&items, &capacity, i + 1, sizeof(*items), 1000, "items"));
		cr_assert_geq(capacity, i + 1);
		cr_assert_leq(capacity, 1000);
		items[i] = (uint32_t)i;
	}
	for (size_t i = 0; i < 1000; i++)
		cr_assert_eq(items[i], i);
	err = array_reserve(&items, &capacity, 1001, sizeof(*items), 1000, "items");
	cr_assert_eq(error_code(err), ERROR_LIMIT);
	cr_assert_str_eq(error_message(err), "items: 1001 is more than the limit of 1000");
	error_destroy(err);
	cr_assert_eq(items[999], 999);
	free(items);
}

Test(array, small_limits_and_overflow)
{
	uint64_t *items = NULL;
	size_t capacity = 0;

	cr_assert_null(array_reserve(&items, &capacity, 0, sizeof(*items), 0, "items"));
	cr_assert_null(items);
	cr_assert_null(array_reserve(&items, &capacity, 3, sizeof(*items), 3, "items"));
	cr_assert_eq(capacity, 3);
	cr_assert_eq(
		array_reserve(&items, &capacity, SIZE_MAX / 4, sizeof(*items), SIZE_MAX, "items"),
		&error_no_memory);
	cr_assert_eq(capacity, 3);
	free(items);
}
