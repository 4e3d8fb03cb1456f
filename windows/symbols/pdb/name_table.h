/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PDB_NAME_TABLE_H
#define WINDOWS_PDB_NAME_TABLE_H

#include "base/error.h"

/*
 * From names to numbers, without the names: who asks compares the candidates' own. All names are
 * added first, then the chains are linked, which costs the same however the names collide.
 */
enum { NAME_TABLE_MAX = 1 << 25 };

struct name_table {
	struct name_entry *entries; /* owned */
	uint32_t *heads;	    /* owned; 1 + index of the last entry of each chain */
	size_t count, capacity, num_heads;
};

/* LIMIT. */
MUST_CHECK struct error *name_table_add(struct name_table *t, const char *name, uint32_t value);
/* After the last add and before the first search. */
MUST_CHECK struct error *name_table_link(struct name_table *t);
void name_table_deinit(struct name_table *t); /* a zeroed one is fine */

/* The next value whose name has the same hash; the last added come first. */
struct name_search {
	uint32_t hash;
	uint32_t next; /* 1 + index; 0: the end */
	unsigned steps;
};
void name_search_start(const struct name_table *t, const char *name, struct name_search *ret);
MUST_CHECK bool name_search_next(const struct name_table *t, struct name_search *search,
				 uint32_t *value_ret);

#endif
