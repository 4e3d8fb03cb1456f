/* SPDX-License-Identifier: MIT */
#ifndef BASE_BLOCK_CACHE_H
#define BASE_BLOCK_CACHE_H

#include "base/error.h"

/*
 * Decoded blocks of a snapshot and the memory that they may take: one cache for all its files
 * and threads. Blocks have any size; the least recently used make room. A block that cannot be
 * decoded is remembered as well, with its error, so that damage is not decoded page by page.
 */
struct block_cache;

#define BLOCK_CACHE_DEFAULT_BYTES (UINT64_C(512) << 20)

/* Decodes block `index` into buf, all `size` bytes of it. Runs without locks, on any thread. */
typedef struct error *block_fill_fn(void *arg, uint64_t index, uint8_t *buf, size_t size);

/* What decodes blocks: zeroed but for the functions and arg, then block_cache_join() numbers it. */
struct block_source {
	block_fill_fn *fill;
	/* The size of block `index`, for reading ahead; 0 where there is no such block, or no need
	 * to decode it. NULL: nothing is read ahead. On any thread. */
	size_t (*size_of)(void *arg, uint64_t index);
	void *arg;
	uint64_t id;
};

/* max_bytes: for blocks and for what is reserved, together; 0: BLOCK_CACHE_DEFAULT_BYTES. */
MUST_CHECK struct error *block_cache_create(uint64_t max_bytes, struct block_cache **ret);
void block_cache_destroy(struct block_cache *c); /* NULL ok; no block may be pinned */

/*
 * Decodes ahead of whoever asks for the blocks of a source in their order, on up to threads - 1
 * threads of its own, which start when that happens first. 0 or 1: none. Once, before use.
 */
void block_cache_read_ahead(struct block_cache *c, unsigned threads);

void block_cache_join(struct block_cache *c, struct block_source *source);
/* Drops the blocks of a source that goes away; none of them may be pinned. */
void block_cache_leave(struct block_cache *c, const struct block_source *source);

/*
 * Block `index` of a source: `size` bytes, borrowed until block_cache_release(). Two threads that
 * want one block decode it once. Errors: what fill says; LIMIT when the block alone does not fit
 * (pinned blocks of other threads may pass the limit for a while: the same question has the same
 * answer at any number of threads).
 */
MUST_CHECK struct error *block_cache_get(struct block_cache *c, const struct block_source *source,
					 uint64_t index, size_t size, const uint8_t **ret,
					 void **pin);
/* `size` bytes that belong to no source, for a copy; undefined content; released likewise. */
MUST_CHECK struct error *block_cache_scratch(struct block_cache *c, size_t size, uint8_t **ret,
					     void **pin);
void block_cache_release(struct block_cache *c, void *pin); /* NULL ok */

/* Takes bytes off the cache for good: indexes and tables that grow with the snapshot. LIMIT
 * names `what` and --max-memory. */
MUST_CHECK struct error *block_cache_reserve(struct block_cache *c, uint64_t bytes,
					     const char *what);
/* What is not reserved, in bytes. */
uint64_t block_cache_room(const struct block_cache *c);

struct block_cache_stats {
	uint64_t hits, misses, evictions;
	uint64_t ahead;			/* misses that were read ahead */
	uint64_t bytes, reserved, peak; /* now; peak: of both */
};
void block_cache_stats(struct block_cache *c, struct block_cache_stats *ret);

#endif
