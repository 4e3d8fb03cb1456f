/* SPDX-License-Identifier: MIT */
#ifndef BASE_BLOCK_AHEAD_H
#define BASE_BLOCK_AHEAD_H

#include "base/block_cache.h"

/* Reading ahead, for block_cache.c alone. */
struct block_ahead;

/* Decodes one block into the cache. */
typedef void block_ahead_fn(struct block_cache *c, const struct block_source *source,
			    uint64_t index, size_t size);

/* Up to `threads` threads. NULL when memory is out: then nothing is read ahead. */
struct block_ahead *block_ahead_create(struct block_cache *c, unsigned threads, block_ahead_fn *fn);
/* Waits for what is being decoded. NULL ok. */
void block_ahead_destroy(struct block_ahead *a);
/* Somebody got this block; at most max_bytes are decoded ahead of it. */
void block_ahead_note(struct block_ahead *a, const struct block_source *source, uint64_t index,
		      size_t size, uint64_t max_bytes);
/* Forgets a source and waits for what is being decoded of it. */
void block_ahead_leave(struct block_ahead *a, uint64_t source_id);

#endif
