/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_TRANSLATION_CACHE_H
#define ARCH_AMD64_TRANSLATION_CACHE_H

#include <stdatomic.h>

#include "memory/physmem.h"

/*
 * Which physical page a virtual page is at: a direct-mapped table that any number of threads
 * read and overwrite without a lock. Each slot holds the data and the key mixed with a hash of
 * the data, so that a slot torn by two writers matches no key (after Hyatt and Mann, "A lockless
 * transposition table implementation for parallel search", 2002; a hash, as addresses of pages
 * that were allocated together differ in the same bits as their frames).
 */
enum { TRANSLATION_SLOTS = 1 << 10 };

/* Data: page address and these bits. */
enum translation_bits {
	TRANSLATION_CAPTURED = 1 << 0, /* every byte of the page is in the snapshot */
	TRANSLATION_SOFT = 1 << 1,     /* by way of a transition entry */
};

struct translation_cache {
	struct {
		_Atomic uint64_t mixed, data; /* both 0: never used, as page keys are not 0 */
	} slots[TRANSLATION_SLOTS];
};

static inline uint64_t translation_key(uint64_t va)
{
	return (va >> PAGE_SHIFT) + 1;
}

static inline uint64_t translation_mix(uint64_t key, uint64_t data)
{
	return key ^ data * UINT64_C(0x9e3779b97f4a7c15);
}

static inline bool translation_find(struct translation_cache *cache, uint64_t va, uint64_t *ret)
{
	uint64_t key = translation_key(va);
	size_t slot = key % TRANSLATION_SLOTS;
	uint64_t data = atomic_load_explicit(&cache->slots[slot].data, memory_order_relaxed);
	uint64_t mixed = atomic_load_explicit(&cache->slots[slot].mixed, memory_order_relaxed);

	*ret = data;
	return mixed == translation_mix(key, data);
}

static inline void translation_put(struct translation_cache *cache, uint64_t va, uint64_t data)
{
	uint64_t key = translation_key(va);
	size_t slot = key % TRANSLATION_SLOTS;

	atomic_store_explicit(&cache->slots[slot].data, data, memory_order_relaxed);
	atomic_store_explicit(&cache->slots[slot].mixed, translation_mix(key, data),
			      memory_order_relaxed);
}

#endif
