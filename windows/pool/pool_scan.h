/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_POOL_SCAN_H
#define WINDOWS_POOL_SCAN_H

#include "windows/kernel/kernel.h"

/*
 * Pool allocations by tag, in all captured physical memory: every block of the kernel's pools
 * that is smaller than a page begins with a POOL_HEADER, 16-aligned, whose sizes count in 16
 * bytes. Freed blocks keep header and content until they are used again, so this finds what no
 * list leads to any more. Larger allocations have no header: see windows/pool/big_pool.h.
 */
#define POOL_FIELDS(F)                                             \
	F(POOL, BLOCK_SIZE, "_POOL_HEADER", "BlockSize", OPTIONAL) \
	F(POOL, BLOCK_TYPE, "_POOL_HEADER", "PoolType", OPTIONAL)  \
	F(POOL, BLOCK_TAG, "_POOL_HEADER", "PoolTag", OPTIONAL)
DECLARE_FIELDS(pool, POOL_FIELDS);

enum {
	POOL_UNIT = 16, /* bytes: alignment and unit of size; also the size of the header */
	MAX_POOL_TAGS = 64,
	MAX_POOL_HITS = 1 << 22,
};

/* Tags as their four characters stand in memory. */
#define POOL_TAG(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
/* Windows 7 sets this bit in the tags of allocations that want their tag checked when freed. */
#define POOL_TAG_PROTECTED (UINT32_C(1) << 31)

struct pool_hit {
	uint64_t pa;	   /* of the POOL_HEADER */
	struct opt_u64 va; /* where the kernel maps it; absent: no page table has that page */
	uint32_t tag;	   /* without POOL_TAG_PROTECTED */
	uint32_t size;	   /* bytes, header included; at most 255 units */
	bool in_use, paged;
};

struct pool_query {
	const uint32_t *tags; /* POOL_TAG_PROTECTED is ignored in them */
	size_t num_tags;      /* at most MAX_POOL_TAGS */
	uint32_t min_size;    /* bytes, header included */
};

struct pool_hits {
	struct pool_hit *items; /* by pa */
	size_t count;
};

/*
 * Finds the blocks that carry one of the tags, whatever else looks right about them: a tag in a
 * page of text is a hit too, its reader must look at what it holds. Runs on the kernel's threads;
 * the result does not depend on how many. UNSUPPORTED on triage dumps.
 */
MUST_CHECK struct error *pool_scan(struct kernel *k, const struct pool_query *query,
				   struct pool_hits *ret);
void pool_hits_deinit(struct pool_hits *hits); /* a zeroed one is fine */

#endif
