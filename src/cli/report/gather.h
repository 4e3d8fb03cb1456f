/* SPDX-License-Identifier: MIT */
#ifndef CLI_REPORT_GATHER_H
#define CLI_REPORT_GATHER_H

#include "cli/report/plan.h"

/*
 * Reads all that a report says of a snapshot. A command that fails costs its own table. Notes and
 * what could not be read go into the report, and then to run->diag.
 */
struct gather {
	struct command_run *run; /* of report: options, arena, diag, symbol store; borrowed */
	struct plan_common common;
	const char *output; /* may not be a file of the snapshot */
	bool hash;
	const struct planned *plan;
	size_t num_planned;
};

/* The gathered report's parts live in the run's arena; gather_free() frees the rows. Errors: the
 * snapshot cannot be opened or hashed, USAGE, NO_MEMORY. */
MUST_CHECK struct error *gather_report(const struct gather *g, struct report *ret);
void gather_free(struct report *r); /* a zeroed one is fine */

#endif
