/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_ROWS_H
#define OUTPUT_ROWS_H

#include "output/table.h"

/* Rows kept in memory, with everything that their cells point to: to be sorted, counted, compared.
 */
struct kept_row {
	const struct cell *cells; /* in the order of the columns */
	unsigned depth;
};

struct rows {
	const struct column *columns; /* borrowed */
	size_t num_columns;
	struct kept_row *items;
	size_t count, capacity;
	struct arena arena;
};

enum { ROWS_MAX = 1 << 26 };
#define ROWS_MAX_BYTES (UINT64_C(4) << 30)

void rows_init(struct rows *r, const struct column *columns, size_t num_columns);
void rows_deinit(struct rows *r); /* a zeroed one is fine */
/* Copies the cells. Errors: LIMIT (ROWS_MAX), NO_MEMORY (also past ROWS_MAX_BYTES). */
MUST_CHECK struct error *rows_add(struct rows *r, const struct cell *cells, unsigned depth);

/* Absent cells come last; lists compare item by item. <0, 0, >0. */
int cell_compare(enum cell_type type, const struct cell *a, const struct cell *b);

struct sort_key {
	unsigned column;
	bool descending; /* absent cells stay last */
};
/* Rows with equal keys keep their order. Error: NO_MEMORY. */
MUST_CHECK struct error *rows_sort(struct rows *r, const struct sort_key *keys, size_t num_keys);

#endif
