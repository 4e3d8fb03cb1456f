/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_MEMORY_H
#define FORMATS_WRITERS_MEMORY_H

#include "base/block_cache.h"
#include "memory/physmem.h"

/*
 * Which bytes of a snapshot's physical memory are written: captured runs in address order,
 * disjoint, no two adjacent. Laid end to end they are the stream, whose offsets count captured
 * bytes alone: byte `stream` of it is physical address `start`.
 */
struct write_run {
	uint64_t start, end; /* [start, end) */
	uint64_t stream;
	uint64_t slot; /* number of its first page in a page_set */
};

struct write_memory {
	struct write_run *runs;
	size_t count, capacity;
	uint64_t bytes; /* of all runs: the length of the stream */
	uint64_t slots; /* pages; one that two runs share counts twice */
	uint64_t pages; /* each once */
};

/* A set of the pages of a write_memory. */
struct page_set {
	const struct write_memory *memory; /* borrowed */
	uint64_t *bits;
	uint64_t count; /* atomic */
};

/* All that is captured. The cache pays for the runs. Errors: LIMIT, NO_MEMORY. */
MUST_CHECK struct error *write_memory_init(struct physmem *mem, struct block_cache *cache,
					   struct write_memory *ret);
void write_memory_deinit(struct write_memory *m); /* a zeroed one is fine */
/*
 * What is left of m: with `set`, only its pages (keep), or all others; with whole_pages, only pages
 * of which every byte is there. set may be NULL.
 */
MUST_CHECK struct error *write_memory_filter(const struct write_memory *m,
					     const struct page_set *set, bool keep,
					     bool whole_pages, struct block_cache *cache,
					     struct write_memory *ret);
uint64_t write_memory_end(const struct write_memory *m); /* one past the highest byte; 0: none */
/* Index of the run that holds this byte of the stream, stream < bytes. */
size_t write_memory_at(const struct write_memory *m, uint64_t stream);
/* Index of the run that holds this physical address, or of the first above; count: none. */
size_t write_memory_find(const struct write_memory *m, uint64_t pa);

/* Empty. The cache pays for the bits. */
MUST_CHECK struct error *page_set_init(const struct write_memory *m, struct block_cache *cache,
				       struct page_set *ret);
void page_set_deinit(struct page_set *set); /* a zeroed one is fine */
/* Adds the pages of [pa, pa + len) as far as they are captured. Safe across threads. */
void page_set_add(struct page_set *set, uint64_t pa, uint64_t len);
/* Are there captured bytes in [pa, pa + len)? */
bool write_memory_has(const struct write_memory *m, uint64_t pa, uint64_t len);
/* Is the page of pa in the set? Not, if nothing of it is captured. */
bool page_set_has(const struct page_set *set, uint64_t pa);
bool page_set_has_slot(const struct page_set *set, uint64_t slot);

#endif
