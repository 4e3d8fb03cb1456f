/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_ROW_FILTER_H
#define OUTPUT_ROW_FILTER_H

#include "output/table.h"

/*
 * Conditions on rows, all of which must hold: "COLUMN OP VALUE" without spaces around OP.
 *
 *	=  !=		the same, or not; "-" is an absent cell
 *	<  <=  >  >=	numbers, addresses, times
 *	~  !~		an extended regular expression is found in the text, or not
 *
 * Numbers are decimal or 0x...; addresses are hexadecimal. Times are compared with as much of
 * "2024-05-01T10:20:30" as is given. Text is compared without regard to ASCII case. Of a list, one
 * item that fits is enough. An absent cell only fits "=-" and the two negations.
 */
struct row_filter;

/* The columns are borrowed. ERROR_USAGE names what is off. */
MUST_CHECK struct error *row_filter_create(const struct column *columns, size_t num_columns,
					   const char *const *conditions, size_t num_conditions,
					   struct row_filter **ret);
void row_filter_destroy(struct row_filter *f); /* NULL ok */
/* Sets the flag of each column that a condition is about. */
void row_filter_mark(const struct row_filter *f, bool *columns);
/* False in *fits_ret: the row is left out. scratch is used for the texts. Error: NO_MEMORY. */
MUST_CHECK struct error *row_filter_test(const struct row_filter *f, const struct cell *cells,
					 struct arena *scratch, bool *fits_ret);

#endif
