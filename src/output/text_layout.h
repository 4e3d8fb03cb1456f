/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_TEXT_LAYOUT_H
#define OUTPUT_TEXT_LAYOUT_H

#include "output/table.h"

/* Spaces between columns. */
enum { TEXT_GAP = 2 };

/* Where a table's columns stand in a line of text. Widths count columns of a terminal. */
struct text_column {
	unsigned index; /* in the table */
	size_t width;
	size_t limit; /* no text reaches beyond this column of the line; 0: it may be of any length
		       */
};

struct text_layout {
	struct text_column *items; /* owned */
	size_t count;
	size_t line;	 /* what a line may take; 0: anything */
	size_t left_out; /* columns for which the line is too short */
};

/* The shown columns with the widths that they say themselves: lines may be of any length. Error:
 * NO_MEMORY. */
MUST_CHECK struct error *text_layout_create(const struct column *columns, const unsigned *shown,
					    size_t num_shown, struct text_layout *ret);
void text_layout_deinit(struct text_layout *l); /* a zeroed one is fine */

/*
 * Fits them into lines of so many columns: items[i].width is then as much as the cells that are
 * known take. Where that is too much, columns are left out, COL_MINOR ones first and the last ones
 * first, and what can be cut is made narrower, from the last one on. At least one column stays.
 */
void text_layout_fit(struct text_layout *l, const struct column *columns, size_t line);

/* Is a cell of this type cut where it is too long, or else left out? */
bool text_can_be_cut(enum cell_type type);

#endif
