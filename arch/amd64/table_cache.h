/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_TABLE_CACHE_H
#define ARCH_AMD64_TABLE_CACHE_H

#include <stdatomic.h>

#include "memory/physmem.h"

/*
 * The page tables of one space. A table is looked up once in physical memory and then stays
 * pinned until the cache goes: walks in any number of threads share it without a lock, since
 * tables are added and never taken away. Past TABLE_CACHE_MAX tables (or as many pins), further
 * ones are looked up each time.
 */
enum {
	TABLE_CACHE_BUCKETS = 1 << 11,
	TABLE_CACHE_MAX = 1 << 16,
	TABLE_CACHE_MAX_PINS = 1 << 12, /* 16 MiB where pins hold unpacked pages */
	TABLE_ENTRIES = 512,
	ENTRY_SIZE = 8,
};

struct cached_table {
	struct cached_table *next; /* fixed once the table is in the cache */
	uint64_t pa;
	struct page_view view;	/* of the whole page */
	_Atomic unsigned empty; /* bit n: known to map nothing when used at level n */
};

struct table_cache {
	struct physmem *mem; /* borrowed */
	_Atomic(struct cached_table *) buckets[TABLE_CACHE_BUCKETS];
	_Atomic size_t num_tables, num_pins;
};

void table_cache_init(struct table_cache *cache, struct physmem *mem);
void table_cache_deinit(struct table_cache *cache);

/* A table in use. */
struct table {
	struct physmem *mem;
	uint64_t pa;
	const uint8_t *bytes;	     /* of the whole page; NULL when a part of it is absent */
	struct cached_table *cached; /* NULL when it is not in the cache */
	struct page_view view;	     /* its own, when not cached */
};

/* False when no byte of the table is captured. Close each table opened. */
MUST_CHECK bool table_open(struct table_cache *cache, uint64_t pa, struct table *ret);
void table_close(struct table *table);
/* False when the entry's bytes are absent. */
MUST_CHECK bool table_entry(const struct table *table, unsigned index, uint64_t *ret);

/* Remembers that a table maps nothing when used at this level. */
void table_set_empty(struct table *table, unsigned level);
bool table_is_empty(const struct table *table, unsigned level);

#endif
