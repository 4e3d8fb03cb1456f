/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_BIG_POOL_H
#define WINDOWS_BIG_POOL_H

#include "windows/kernel/kernel.h"

/*
 * Pool allocations of a page and more: they have no POOL_HEADER, PoolBigPageTable tells of them
 * instead. An entry whose address has its lowest bit set is free (volatility3
 * plugins/windows/bigpools.py).
 */
#define BIG_POOL_FIELDS(F)                                                      \
	F(BIG_POOL, VA, "_POOL_TRACKER_BIG_PAGES", "Va", OPTIONAL)              \
	F(BIG_POOL, KEY, "_POOL_TRACKER_BIG_PAGES", "Key", OPTIONAL)            \
	F(BIG_POOL, TYPE, "_POOL_TRACKER_BIG_PAGES", "PoolType", OPTIONAL)      \
	F(BIG_POOL, SIZE, "_POOL_TRACKER_BIG_PAGES", "NumberOfBytes", OPTIONAL) \
	F(BIG_POOL, PROCESS, "_POOL_TRACKER_BIG_PAGES", "ProcessBilled", OPTIONAL)
DECLARE_FIELDS(big_pool, BIG_POOL_FIELDS);

enum { MAX_BIG_POOLS = 1 << 22 };

/* Bits of POOL_TYPE (wdm.h). */
enum pool_type_bit {
	POOL_TYPE_PAGED = 1 << 0,
	POOL_TYPE_SESSION = 1 << 5,
	POOL_TYPE_NX = 1 << 9,
};

struct big_pool {
	uint64_t entry;	  /* address of the table's entry */
	uint64_t address; /* of the allocation */
	uint32_t tag;
	bool free;		/* its memory may be another's by now */
	struct opt_u64 size;	/* bytes */
	struct opt_u64 type;	/* POOL_TYPE */
	struct opt_u64 process; /* EPROCESS that is charged; absent: none */
};

struct big_pools {
	struct big_pool *items; /* in the table's order */
	size_t count, capacity;
};

/* All used entries, and those that were freed. What cannot be read goes to the kernel's diag as
 * partial. PoolBigPageTable is in no export: symbols of exactly this kernel are needed. */
MUST_CHECK struct error *big_pools_read(struct kernel *k, struct big_pools *ret);
void big_pools_deinit(struct big_pools *pools); /* a zeroed one is fine */

#endif
