/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_SINK_H
#define OUTPUT_SINK_H

#include <stdio.h>

#include "base/error.h"
#include "output/row_filter.h"
#include "output/rows.h"

/*
 * Where rows go. Sinks know nothing of commands; all of them stream.
 *
 * text   for people: a table, or "key: value" lines. Strings are shown by text_show().
 * json   one array of objects, one row a line (RFC 8259); one_object: one object.
 * jsonl  one object a line.
 * csv    RFC 4180 with LF; the header row holds the keys; addresses of a list are joined by
 *        spaces, strings by ';', explained values by "; ".
 *
 * JSON is exact: an embedded NUL is \u0000, and characters that act on a terminal are \uXXXX. In
 * CSV a NUL shows as U+2400. Absent cells are "-", null and empty.
 */
enum sink_kind { SINK_TEXT, SINK_JSON, SINK_JSONL, SINK_CSV, NUM_SINK_KINDS };
const char *sink_kind_name(enum sink_kind kind);
bool sink_kind_from_name(const char *name, enum sink_kind *ret);

struct sink_options {
	bool one_object; /* the table has one row: text "key: value" lines, json one object */
	bool terminal;	 /* out is a terminal: csv escapes strings too, as text always does */
	unsigned width;	 /* text: tables fit this many columns of a terminal; 0: any length */
	bool color;	 /* text: escape sequences of our own, never of a string */
	/* The first member of each jsonl object, "command": label; borrowed; NULL: none. */
	const char *label;
	/* Which columns, by index into the table's columns and in this order; NULL: all that are
	 * not COL_ASKED (text: nor COL_HIDDEN; one_object: but hidden ones that are present). */
	const unsigned *selected;
	size_t num_selected;
	uint64_t limit; /* rows; 0 = no limit; sink_row() then says full */
	/* Conditions that rows must meet to count at all (row_filter.h); borrowed for the call of
	 * sink_begin(). */
	const char *const *where;
	size_t num_where;
	/* Rows are kept and come in this order with sink_end(). Borrowed likewise. */
	const struct sort_key *sort;
	size_t num_sort;
};

struct sink;
MUST_CHECK struct error *sink_create(enum sink_kind kind, FILE *out,
				     const struct sink_options *options, struct sink **ret);
/* Keeps the rows instead of writing them: all columns, as they came or sorted. keep is borrowed,
 * not initialized yet, and the caller's to deinit once sink_begin() was called. */
MUST_CHECK struct error *sink_create_rows(const struct sink_options *options, struct rows *keep,
					  struct sink **ret);
/* Hands each row to fn instead, whose error ends the listing: all columns, as they came or sorted.
 * Cells are borrowed for the call. */
typedef struct error *sink_row_fn(void *arg, const struct cell *cells, unsigned depth);
MUST_CHECK struct error *sink_create_calls(const struct sink_options *options, sink_row_fn *fn,
					   void *arg, struct sink **ret);
void sink_destroy(struct sink *s); /* NULL ok */
/* Writes nothing yet: the head comes with the first row or the end. Columns are borrowed. */
MUST_CHECK struct error *sink_begin(struct sink *s, const struct column *columns, size_t n);
/* Is the column printed, or needed for conditions or the order? Between begin and end. */
bool sink_shows(const struct sink *s, unsigned column);
/* cells[n] in the order of columns; depth is for COL_INDENT. A write error (EPIPE, ENOSPC) is
 * ERROR_OS. */
MUST_CHECK struct error *sink_row(struct sink *s, const struct cell *cells, unsigned depth);
bool sink_full(const struct sink *s);	  /* the limit is reached: stop early */
uint64_t sink_rows(const struct sink *s); /* taken so far */
/* Completes and flushes. Without any row: an empty table, or nothing for one_object. */
MUST_CHECK struct error *sink_end(struct sink *s);
/* After the end: columns that were left out because options.width is too small for them. */
size_t sink_left_out(const struct sink *s);

#endif
