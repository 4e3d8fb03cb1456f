/* SPDX-License-Identifier: MIT */
#include "formats/page_bitmap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

enum {
	WORD_BITS = 64,
	WORD_SHIFT = 6,
	BLOCK_SHIFT = 9,
	BLOCK_WORDS = 1 << (BLOCK_SHIFT - WORD_SHIFT),
};

/* The 64 bits from index * 64, those past the end clear. */
static uint64_t word_at(const struct page_bitmap *b, uint64_t index)
{
	uint64_t first = index << WORD_SHIFT, word;

	if (first >= b->num_bits)
		return 0;
	uint64_t left = b->num_bits - first;
	if (left >= WORD_BITS)
		return load_u64(b->bits + index * 8);
	uint8_t tail[8] = { 0 };
	memcpy(tail, b->bits + index * 8, (size_t)(left + 7) / 8);
	word = load_u64(tail);
	return word & ((UINT64_C(1) << left) - 1);
}

static unsigned count_bits(uint64_t word)
{
	return (unsigned)__builtin_popcountll(word);
}

/* Fills the rank directory. */
static void fill_ranks(struct page_bitmap *b, uint64_t blocks)
{
	uint64_t rank = 0;

	for (uint64_t block = 0; block < blocks; block++) {
		b->ranks[block] = rank;
		for (uint64_t i = 0; i < BLOCK_WORDS; i++)
			rank += count_bits(word_at(b, block * BLOCK_WORDS + i));
	}
}

struct error *page_bitmap_init(struct page_bitmap *b, struct block_cache *cache,
			       const uint8_t *bits, uint64_t num_bits)
{
	uint64_t blocks = (num_bits >> BLOCK_SHIFT) + 1;
	struct error *err;

	if (num_bits > PAGE_BITMAP_MAX_BITS)
		return error_new(ERROR_LIMIT, "bitmap of %" PRIu64 " bits, the limit is %" PRIu64,
				 num_bits, PAGE_BITMAP_MAX_BITS);
	*b = (struct page_bitmap){ .bits = bits, .num_bits = num_bits };
	if ((err = block_cache_reserve(cache, blocks * sizeof(*b->ranks),
				       "the directory of a bitmap of pages")))
		return err;
	if (!(b->ranks = calloc(blocks, sizeof(*b->ranks))))
		return &error_no_memory;
	fill_ranks(b, blocks);
	return NULL;
}

void page_bitmap_deinit(struct page_bitmap *b)
{
	free(b->ranks);
	*b = (struct page_bitmap){ 0 };
}

bool page_bitmap_has(const struct page_bitmap *b, uint64_t gfn)
{
	return gfn < b->num_bits && (b->bits[gfn >> 3] >> (gfn & 7) & 1);
}

uint64_t page_bitmap_rank(const struct page_bitmap *b, uint64_t gfn)
{
	uint64_t block = gfn >> BLOCK_SHIFT, last = gfn >> WORD_SHIFT;
	uint64_t rank = b->ranks[block];

	for (uint64_t i = block * BLOCK_WORDS; i < last; i++) /* whole words, gfn being beyond */
		rank += count_bits(load_u64(b->bits + i * 8));
	uint64_t below = (UINT64_C(1) << (gfn % WORD_BITS)) - 1;
	return below ? rank + count_bits(word_at(b, last) & below) : rank;
}

uint64_t page_bitmap_select(const struct page_bitmap *b, uint64_t rank)
{
	uint64_t low = 0, high = b->num_bits - 1;

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;

		if (page_bitmap_rank(b, middle) <= rank)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* The first bit of this value in [from, num_bits). */
static bool find_bit(const struct page_bitmap *b, uint64_t from, bool value, uint64_t *ret)
{
	if (from >= b->num_bits)
		return false;
	uint64_t flip = value ? 0 : UINT64_MAX;
	uint64_t mask = UINT64_MAX << (from % WORD_BITS);

	for (uint64_t i = from >> WORD_SHIFT; i << WORD_SHIFT < b->num_bits; i++) {
		uint64_t word = (word_at(b, i) ^ flip) & mask;

		mask = UINT64_MAX;
		if (!word)
			continue;
		uint64_t found = (i << WORD_SHIFT) + (unsigned)__builtin_ctzll(word);
		if (found >= b->num_bits)
			return false;
		*ret = found;
		return true;
	}
	return false;
}

bool page_bitmap_next(const struct page_bitmap *b, uint64_t gfn, uint64_t *first, uint64_t *last)
{
	uint64_t start, end;

	if (!find_bit(b, gfn, true, &start))
		return false;
	if (!find_bit(b, start, false, &end))
		end = b->num_bits;
	*first = start;
	*last = end - 1;
	return true;
}
