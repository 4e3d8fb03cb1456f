/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_WORKER_H
#define CLI_BATCH_WORKER_H

#include "cli/batch/plan.h"

/*
 * What happens to one snapshot: a process of its own opens it, runs the commands, and writes a
 * report, from which its row is made. A report is lines, the first byte of which says what the
 * rest, which is JSON but for RESULT, is:
 *
 *	ROWS	"NAME": rows of a command, as `--format json` prints them; null: none
 *	FAILURE	"NAME": why a command failed
 *	NOTE, PARTIAL	a message
 *	MORE	how many messages were left out
 *	ERROR	why there is no result, or not the whole of it
 *	RESULT	status and exit reason, with a TAB between them; the report is complete
 *
 * A process that ends early leaves the lines of what it had finished, and perhaps half a line.
 */
enum report_line {
	REPORT_ROWS = 'T',
	REPORT_FAILURE = 'E',
	REPORT_NOTE = 'N',
	REPORT_PARTIAL = 'P',
	REPORT_MORE = 'M',
	REPORT_ERROR = 'F',
	REPORT_RESULT = 'D',
};

enum { WORKER_MESSAGES_MAX = 100, WORKER_MESSAGE_BYTES = 1000 };

struct worker_job {
	const char *path;
	const struct plan *plan;
	const struct option_values *options; /* common ones, for the snapshot and the kernel */
	const struct symbol_store *store;    /* NULL: none */
	uint64_t max_output;		     /* bytes of rows */
};

/*
 * Runs in the worker process and writes to `report`, an open file at its end. Of a command whose
 * rows pass max_output those that fit are kept, with an error; later commands are not run. Returns
 * the process's exit status.
 */
int worker_run(const struct worker_job *job, int report);

#endif
