/* SPDX-License-Identifier: MIT */
#ifndef REPORT_PRIVATE_H
#define REPORT_PRIVATE_H

#include "report/report.h"

/* How many of a table's rows the page has when each may have max_rows. */
static inline uint64_t report_shown(const struct report_table *t, uint64_t max_rows)
{
	return t->rows.count < max_rows ? t->rows.count : max_rows;
}

/* The text that a person sees, as HTML. Error: NO_MEMORY. */
MUST_CHECK struct error *report_put_shown(FILE *out, const char *s);

/*
 * The tables as JSON (UTF-8, may stand in a script element), on the heap: {"tables": [{"id",
 * "title", "tree", "columns": [[key, header, type, help]...], "rows": [[cell...]...], "depths":
 * [...]}...], "strings": [...]}. Cells are numbers and booleans, or text by its number in strings;
 * addresses are hexadecimal digits, times text as they are, numbers above 2^53 decimal digits; null
 * is absent. *max_rows_ret is what max_rows had to be lowered to.
 */
MUST_CHECK struct error *report_data(const struct report *r, char **ret, size_t *len_ret,
				     uint64_t *max_rows_ret);

/* What info says, and the files with their hashes: definition lists. */
MUST_CHECK struct error *report_put_facts(const struct report *r, FILE *out);
/* The bug check; nothing where there was none. */
MUST_CHECK struct error *report_put_crash(const struct report *r, FILE *out);
/* One line: which Windows, when. */
MUST_CHECK struct error *report_put_lead(const struct report *r, FILE *out);

#endif
