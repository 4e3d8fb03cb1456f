/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_CELL_TEXT_H
#define OUTPUT_CELL_TEXT_H

#include "output/table.h"

/*
 * s as people may see it. Strings without control, invalid, bidirectional or invisible characters
 * are shown as they are, so that paths keep single backslashes. Others are escaped by
 * text_escape(), and so is a string that holds what looks like such an escape: what contains \xNN
 * or \u{...} always has its backslashes doubled. NULL when memory is out.
 */
MUST_CHECK const char *text_show(struct arena *a, const char *s);

/* Does the cell have a value? A time that is none has not. */
bool cell_has_value(enum cell_type type, const struct cell *cell);

enum cell_style {
	CELL_STYLE_TEXT, /* for people: strings escaped, "4d 5a", lists joined by ',' */
	CELL_STYLE_DATA, /* strings as they are, "4d5a", addresses joined by ' ', strings by ';' */
};
/* The value of a cell that has one. NULL when memory is out. */
MUST_CHECK const char *cell_to_text(struct arena *a, enum cell_type type, const struct cell *cell,
				    enum cell_style style);

#endif
