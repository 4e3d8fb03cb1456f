/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERIFY_COMPARE_H
#define CLI_VERIFY_COMPARE_H

#include "base/diag.h"
#include "cli/verify/expected.h"

/* What differs between a recorded result of a command and a new one. */
enum difference_kind {
	DIFFERENCE_REMOVED, /* a row */
	DIFFERENCE_ADDED,
	DIFFERENCE_CHANGED,   /* one column of a row */
	DIFFERENCE_REORDERED, /* rows stand in another order */
	DIFFERENCE_STATUS,    /* ok, partial, failed */
	DIFFERENCE_MESSAGE_REMOVED,
	DIFFERENCE_MESSAGE_ADDED,
	NUM_DIFFERENCE_KINDS
};
const char *difference_name(enum difference_kind kind);

/* Texts as in CELL_STR, borrowed for the call; NULL: none, or absent. */
struct difference {
	const char *command;
	enum difference_kind kind;
	const char *key;	    /* which row: "pid=4 handle=12", "row 17" counted from 1 */
	const char *column;	    /* CHANGED */
	const char *before, *after; /* REMOVED, ADDED: the whole row */
};
typedef struct error *difference_fn(void *arg, const struct difference *d);

struct compare_options {
	struct word_list ignored; /* columns: "threads", "ps.threads" */
	bool any_order, any_messages;
	difference_fn *fn;
	void *arg;
	struct diag *diag; /* columns that only one of them has: lost ones are partial */
};

struct compare_counts {
	uint64_t rows; /* of the recorded result */
	uint64_t kinds[NUM_DIFFERENCE_KINDS];
	uint64_t total;	  /* all kinds */
	uint64_t columns; /* that only one of them has */
};

/* key_columns as in struct command. Adds to *counts. Errors: NO_MEMORY, what fn returns. */
MUST_CHECK struct error *compare_results(const struct expected_result *before,
					 const struct expected_result *after,
					 const char *key_columns,
					 const struct compare_options *options,
					 struct compare_counts *counts);
/* What was said while it was opened and closed. */
MUST_CHECK struct error *compare_messages(const char *command, const struct word_list *before,
					  const struct word_list *after,
					  const struct compare_options *options,
					  struct compare_counts *counts);

/* The words of a command as one text. NULL: out of memory. */
MUST_CHECK const char *command_text(struct arena *a, const struct word_list *words);

#endif
