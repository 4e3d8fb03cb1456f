/* SPDX-License-Identifier: MIT */
#include "arch/amd64/table_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

void table_cache_init(struct table_cache *cache, struct physmem *mem)
{
	cache->mem = mem;
	for (size_t i = 0; i < TABLE_CACHE_BUCKETS; i++)
		atomic_init(&cache->buckets[i], NULL);
	atomic_init(&cache->num_tables, 0);
	atomic_init(&cache->num_pins, 0);
}

void table_cache_deinit(struct table_cache *cache)
{
	for (size_t i = 0; i < TABLE_CACHE_BUCKETS; i++) {
		struct cached_table *table = atomic_load(&cache->buckets[i]);

		while (table) {
			struct cached_table *next = table->next;

			page_release(&table->view);
			free(table);
			table = next;
		}
	}
}

static _Atomic(struct cached_table *) *bucket_of(struct table_cache *cache, uint64_t pa)
{
	/* Fibonacci hashing: neighbouring frames are far apart */
	uint64_t hash = (pa >> PAGE_SHIFT) * UINT64_C(0x9e3779b97f4a7c15);

	return &cache->buckets[hash >> 53];
}

static struct cached_table *find(struct table_cache *cache, uint64_t pa)
{
	struct cached_table *table =
		atomic_load_explicit(bucket_of(cache, pa), memory_order_acquire);

	while (table && table->pa != pa)
		table = table->next;
	return table;
}

static bool take_slot(_Atomic size_t *count, size_t max)
{
	if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < max)
		return true;
	atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
	return false;
}

static bool reserve(struct table_cache *cache, bool pinned)
{
	if (!take_slot(&cache->num_tables, TABLE_CACHE_MAX))
		return false;
	if (!pinned || take_slot(&cache->num_pins, TABLE_CACHE_MAX_PINS))
		return true;
	atomic_fetch_sub_explicit(&cache->num_tables, 1, memory_order_relaxed);
	return false;
}

/*
 * Takes the view when there is room. Two threads that add the same table at once both do: the
 * table is then there twice, which costs memory and nothing else.
 */
static struct cached_table *insert(struct table_cache *cache, uint64_t pa, struct page_view *view)
{
	_Atomic(struct cached_table *) *bucket = bucket_of(cache, pa);
	struct cached_table *table;

	if (!reserve(cache, view->pin != NULL))
		return NULL;
	table = malloc(sizeof(*table));
	if (!table)
		return NULL;
	table->pa = pa;
	table->view = *view;
	atomic_init(&table->empty, 0);
	table->next = atomic_load_explicit(bucket, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(bucket, &table->next, table,
						      memory_order_release, memory_order_relaxed))
		;
	return table;
}

static bool page_has_bytes(struct physmem *mem, uint64_t pa)
{
	struct mem_range range;

	return physmem_next(mem, pa, false, &range) && range.start < pa + PAGE_SIZE;
}

bool table_open(struct table_cache *cache, uint64_t pa, struct table *ret)
{
	struct page_view view;

	ret->mem = cache->mem;
	ret->pa = pa;
	ret->view.ops = NULL;
	ret->cached = find(cache, pa);
	if (ret->cached) {
		ret->bytes = ret->cached->view.bytes;
		return true;
	}
	ret->bytes = NULL;
	if (!physmem_view(cache->mem, pa, &view, NULL))
		return page_has_bytes(cache->mem, pa);
	if (view.begin > 0 || view.end < PAGE_SIZE) {
		page_release(&view);
		return true;
	}
	ret->bytes = view.bytes;
	ret->cached = insert(cache, pa, &view);
	if (!ret->cached)
		ret->view = view;
	return true;
}

void table_close(struct table *table)
{
	if (table->view.ops)
		page_release(&table->view);
}

bool table_entry(const struct table *table, unsigned index, uint64_t *ret)
{
	uint8_t raw[ENTRY_SIZE];

	if (table->bytes) {
		*ret = load_u64(table->bytes + (size_t)index * ENTRY_SIZE);
		return true;
	}
	if (physmem_read(table->mem, table->pa + index * ENTRY_SIZE, raw, sizeof(raw)) <
	    sizeof(raw))
		return false;
	*ret = load_u64(raw);
	return true;
}

void table_set_empty(struct table *table, unsigned level)
{
	if (table->cached)
		atomic_fetch_or_explicit(&table->cached->empty, 1U << level, memory_order_relaxed);
}

bool table_is_empty(const struct table *table, unsigned level)
{
	return table->cached &&
	       atomic_load_explicit(&table->cached->empty, memory_order_relaxed) & 1U << level;
}
