/* SPDX-License-Identifier: MIT */
#ifndef CLI_REPORT_PLAN_H
#define CLI_REPORT_PLAN_H

#include "cli/command.h"
#include "report/report.h"

/* Which tables a report has: what it shows of a command, and how that is called. */
struct plan_row {
	const char *command; /* "ps --tree" */
	const char *topic, *title;
	const char *columns; /* "a,b,c"; NULL: those of the text table */
	const char *about;   /* a sentence; NULL: none */
};

extern const struct plan_row plan_rows[];
extern const size_t num_plan_rows;

/* What all commands of a report are told: the snapshot, and common options as words. */
struct plan_common {
	const char *snapshot;
	const char *const *options; /* "--pid=4" */
	size_t num_options;
};

/* A table that is to be read. All of it lives in the arena or is borrowed. */
struct planned {
	const char *text;	    /* "ps --tree" */
	const char *id;		    /* "ps-tree" */
	const struct plan_row *row; /* NULL: none of ours */
	const struct command *command;
	struct option_values options; /* args: the snapshot, then its own */
};

/* Of one command line. Errors: USAGE, NO_MEMORY. */
MUST_CHECK struct error *plan_line(struct arena *a, const char *text,
				   const struct plan_common *common, struct planned *ret);
/* Those of --commands, command lines with commas between them; the default without it. */
MUST_CHECK struct error *plan_make(struct arena *a, const struct option_values *options,
				   const struct plan_common *common, const struct planned **ret,
				   size_t *count_ret);

#endif
