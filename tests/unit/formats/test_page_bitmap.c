/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "formats/page_bitmap.h"

enum { MAX_BITS = 2048 };

static uint8_t bits[MAX_BITS / 8];
static struct block_cache *cache;

static void setup(void)
{
	uint32_t state = 1;

	cr_assert_null(block_cache_create(1 << 20, &cache));
	for (size_t i = 0; i < sizeof(bits); i++) {
		state = state * 1664525 + 1013904223;
		bits[i] = (uint8_t)(state >> 24);
	}
}

static void teardown(void)
{
	block_cache_destroy(cache);
}

TestSuite(page_bitmap, .init = setup, .fini = teardown);

static bool bit(unsigned i)
{
	return bits[i / 8] >> i % 8 & 1;
}

static void check(const struct page_bitmap *b, unsigned num_bits)
{
	uint64_t rank = 0, first, last;

	for (unsigned i = 0; i < num_bits; i++) {
		unsigned start = i, end;

		cr_assert_eq(page_bitmap_has(b, i), bit(i));
		cr_assert_eq(page_bitmap_rank(b, i), rank, "rank of %u of %u", i, num_bits);
		if (bit(i))
			cr_assert_eq(page_bitmap_select(b, rank), i);
		rank += bit(i);
		while (start < num_bits && !bit(start))
			start++;
		for (end = start; end < num_bits && bit(end);)
			end++;
		cr_assert_eq(page_bitmap_next(b, i, &first, &last), start < num_bits);
		if (start < num_bits)
			cr_assert(first == start && last == end - 1);
	}
	cr_assert_eq(page_bitmap_rank(b, num_bits), rank, "of all %u", num_bits);
	cr_assert_not(page_bitmap_has(b, num_bits));
	cr_assert_not(page_bitmap_next(b, num_bits, &first, &last));
}

/* The bytes behind the bitmap have bits as well. */
Test(page_bitmap, agrees_with_counting_at_every_length)
{
	static const unsigned lengths[] = { 0,	 1,   7,   8,	63,   64,   65,	  511,
					    512, 513, 575, 576, 1023, 1024, 1025, MAX_BITS };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct page_bitmap b;

		cr_assert_null(page_bitmap_init(&b, cache, bits, lengths[i]));
		check(&b, lengths[i]);
		page_bitmap_deinit(&b);
	}
}

Test(page_bitmap, a_lowered_number_of_bits_ends_it)
{
	struct page_bitmap b;

	cr_assert_null(page_bitmap_init(&b, cache, bits, MAX_BITS));
	b.num_bits = 700;
	check(&b, 700);
	page_bitmap_deinit(&b);
}

Test(page_bitmap, its_directory_counts_as_memory)
{
	struct page_bitmap b;
	struct error *err = page_bitmap_init(&b, cache, bits, UINT64_C(1) << 27);

	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	cr_expect_not_null(strstr(error_message(err), "--max-memory"), "%s", error_message(err));
	error_destroy(err);
	err = page_bitmap_init(&b, cache, bits, PAGE_BITMAP_MAX_BITS + 1);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	error_destroy(err);
}
