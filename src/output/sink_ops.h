/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_SINK_OPS_H
#define OUTPUT_SINK_OPS_H

#include "output/sink.h"
#include "output/text_layout.h"

/* What a kind of sink implements. Write errors stay in the FILE; sink.c asks for them. */
struct sink_ops {
	const char *name;
	bool skips_hidden; /* leaves COL_HIDDEN out unless columns were selected */
	/* All three: false: out of memory. */
	bool (*head)(struct sink *s);
	bool (*row)(struct sink *s, const struct cell *cells, unsigned depth);
	bool (*tail)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
	FILE *out;	 /* borrowed */
	sink_row_fn *fn; /* takes the rows instead of ops; NULL: none */
	void *fn_arg;
	struct sink_options options;
	unsigned *selected; /* owned copy of options.selected */
	const struct column *columns;
	size_t num_columns;
	unsigned *shown; /* owned: indexes of the columns to print, in order */
	size_t num_shown;
	uint64_t rows; /* written */
	bool head_written;
	struct row_filter *filter; /* owned; NULL: all rows */
	bool *needed;		   /* owned, by column: by filter or sort */
	struct sort_key *sort;	   /* owned; NULL: as they come */
	struct rows sorting;	   /* rows that wait for the end */
	struct rows *keep; /* borrowed: where rows wait, sorting or the caller's; NULL: nowhere */
	struct text_layout layout; /* text: once its head was written */
	struct rows waiting;	   /* text: rows until the layout is known */
	struct arena scratch;	   /* of one row */
};

extern const struct sink_ops sink_text_ops, sink_json_ops, sink_jsonl_ops, sink_csv_ops;

#endif
