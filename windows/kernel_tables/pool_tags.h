/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_TABLES_POOL_TAGS_H
#define WINDOWS_KERNEL_TABLES_POOL_TAGS_H

#include "windows/kernel/kernel.h"

/*
 * How much pool each tag has: the kernel counts allocations in PoolTrackTable and, so that
 * processors do not share it, in a table per processor that ExPoolTagTables points to, whose first
 * is PoolTrackTable itself (WinDbg's !poolused adds them up the same way). What finds no room
 * there is counted in PoolTrackTableExpansion.
 */
#define POOL_TAG_FIELDS(F)                                                              \
	F(POOL_TAG, KEY, "_POOL_TRACKER_TABLE", "Key", OPTIONAL)                        \
	F(POOL_TAG, NONPAGED_ALLOCS, "_POOL_TRACKER_TABLE", "NonPagedAllocs", OPTIONAL) \
	F(POOL_TAG, NONPAGED_FREES, "_POOL_TRACKER_TABLE", "NonPagedFrees", OPTIONAL)   \
	F(POOL_TAG, NONPAGED_BYTES, "_POOL_TRACKER_TABLE", "NonPagedBytes", OPTIONAL)   \
	F(POOL_TAG, PAGED_ALLOCS, "_POOL_TRACKER_TABLE", "PagedAllocs", OPTIONAL)       \
	F(POOL_TAG, PAGED_FREES, "_POOL_TRACKER_TABLE", "PagedFrees", OPTIONAL)         \
	F(POOL_TAG, PAGED_BYTES, "_POOL_TRACKER_TABLE", "PagedBytes", OPTIONAL)
DECLARE_FIELDS(pool_tag, POOL_TAG_FIELDS);

enum {
	MAX_POOL_TRACKERS = 1 << 18, /* of one table; Windows 10 has some thousands */
	MAX_POOL_TRACK_TABLES = 2048,
};

enum pool_counter {
	NONPAGED_ALLOCS,
	NONPAGED_FREES,
	NONPAGED_BYTES,
	PAGED_ALLOCS,
	PAGED_FREES,
	PAGED_BYTES,
	NUM_POOL_COUNTERS
};

struct pool_tag_use {
	uint32_t tag;
	uint64_t entry; /* address of the first table's entry of the tag */
	/* Sums over the tables; a processor may free what another one allocated, and counters of
	 * four bytes wrap around. */
	struct opt_u64 counters[NUM_POOL_COUNTERS];
};

struct pool_tag_uses {
	struct pool_tag_use *items; /* by place of the first entry */
	size_t count, capacity;
};

/* What cannot be read goes to the kernel's diag as partial. The tables are in no export: symbols
 * of exactly this kernel are needed. */
MUST_CHECK struct error *pool_tags_read(struct kernel *k, struct pool_tag_uses *ret);
void pool_tags_deinit(struct pool_tag_uses *uses); /* a zeroed one is fine */

/* The four characters of a tag; those that Windows 7 marks as protected without the mark. */
MUST_CHECK struct error *pool_tag_text(struct arena *a, uint32_t tag, const char **ret);
/* USAGE: no tag is like this pattern of pool_tag_matches(). */
MUST_CHECK struct error *pool_tag_check(const char *pattern);
/* Does a tag's text match a word, in which '?' stands for any character and a last '*' for the
 * rest? */
bool pool_tag_matches(const char *pattern, const char *tag);

#endif
