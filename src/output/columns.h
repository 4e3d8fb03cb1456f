/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_COLUMNS_H
#define OUTPUT_COLUMNS_H

#include "output/rows.h"

/* Columns by their keys, as people write them. Errors: USAGE, which names a key that is like the
 * unknown one; NO_MEMORY. */

/* The index of the column with the key at key[0..len). */
MUST_CHECK struct error *column_find(const struct column *columns, size_t count, const char *key,
				     size_t len, unsigned *ret);
/* "a,b,c", none of them twice; the indexes live in the arena. */
MUST_CHECK struct error *columns_select(struct arena *a, const struct column *columns, size_t count,
					const char *list, const unsigned **ret, size_t *count_ret);
/* "a,-b" ("-": descending). */
MUST_CHECK struct error *columns_order(struct arena *a, const struct column *columns, size_t count,
				       const char *list, const struct sort_key **ret,
				       size_t *count_ret);

#endif
