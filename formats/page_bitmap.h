/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_PAGE_BITMAP_H
#define FORMATS_PAGE_BITMAP_H

#include "base/block_cache.h"

/*
 * Which pages a dump has, one bit a page: lowest page first, lowest bit of a byte first. The
 * captured pages, or their descriptors, follow each other in that order: where one is in the
 * file is thus its rank, the number of set bits before its own. A directory of the ranks of every
 * 512th bit makes that a sum over at most eight words.
 */
struct page_bitmap {
	const uint8_t *bits; /* borrowed: (num_bits + 7) / 8 bytes */
	uint64_t num_bits;   /* every page from here on is absent; may be lowered */
	uint64_t *ranks;     /* of every block, and of the end; owned */
};
#define PAGE_BITMAP_MAX_BITS (UINT64_C(1) << 36) /* 256 TiB of memory */

/* Builds the directory, taken off the cache's memory. Errors: LIMIT, NO_MEMORY. */
MUST_CHECK struct error *page_bitmap_init(struct page_bitmap *b, struct block_cache *cache,
					  const uint8_t *bits, uint64_t num_bits);
void page_bitmap_deinit(struct page_bitmap *b); /* a zeroed one is fine */

bool page_bitmap_has(const struct page_bitmap *b, uint64_t gfn);
/* Set bits before gfn, which is at most the number of bits. */
uint64_t page_bitmap_rank(const struct page_bitmap *b, uint64_t gfn);
/* The page that `rank` captured pages come before; rank is below their number. */
uint64_t page_bitmap_select(const struct page_bitmap *b, uint64_t rank);
/* The first stretch of set bits that ends after gfn: [*first, *last], clipped to start at gfn. */
bool page_bitmap_next(const struct page_bitmap *b, uint64_t gfn, uint64_t *first, uint64_t *last);

#endif
