/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERIFY_ROW_DIFF_H
#define CLI_VERIFY_ROW_DIFF_H

#include "base/error.h"

/* What differs between two tables of texts with the same columns. */
struct diff_table {
	const char *const *cells; /* row by row; borrowed */
	size_t num_rows;
};

struct diff_options {
	size_t num_columns;
	/* Which columns say which row it is; 0 keys: its place among the others. */
	const size_t *keys;
	size_t num_keys;
};

#define ROW_NONE SIZE_MAX

/* A row that is not as it was: removed (new_row ROW_NONE), added (old_row ROW_NONE), changed. */
struct row_change {
	size_t old_row, new_row;
};

struct row_diff {
	struct row_change *items; /* by old_row, then those that were added */
	size_t count;
	bool reordered; /* rows that both have stand in another order */
};

/*
 * With keys, rows with the same key are the same row; of several with one key, those that are
 * equal are matched first, and the others in their order. Without, the longest common subsequence
 * counts as unchanged (as far as it is found within a bounded number of edits; past that, equal
 * rows wherever they are), and rows in the same gap as changed where at least half of their cells
 * are equal, or where each table has but one row. Time is linear in the rows but for sorting them
 * and for a bounded factor. Error: NO_MEMORY.
 */
MUST_CHECK struct error *row_diff(const struct diff_table *old_table,
				  const struct diff_table *new_table,
				  const struct diff_options *options, struct row_diff *ret);
void row_diff_deinit(struct row_diff *d); /* a zeroed one is fine */

#endif
