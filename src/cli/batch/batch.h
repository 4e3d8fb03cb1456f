/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_BATCH_H
#define CLI_BATCH_BATCH_H

#include "cli/batch/meter.h"
#include "cli/batch/pool.h"
#include "cli/batch/results.h"
#include "cli/batch/worker.h"

/* Runs a plan on every input, several at a time, and adds the records in the inputs' order. */
enum { BATCH_WINDOW = 64 }; /* at most so many inputs, or twice the jobs, are begun and not added */

/* What the record of an input says, for whoever prints it as well. */
typedef struct error *batch_shown_fn(void *arg, const struct input *input,
				     const struct record_result *result);

struct batch {
	/* set by the caller; all borrowed */
	const struct plan *plan;
	const struct inputs *inputs;
	const char *run; /* JSON, the same in all records */
	size_t before;	 /* so many inputs have their record already */
	struct results *results;
	struct worker_job job; /* path NULL */
	struct pool_limits limits;
	unsigned jobs;
	bool timing;
	struct meter meter;    /* out set or NULL, is_terminal; begun by batch_run() */
	batch_shown_fn *shown; /* NULL: nobody is told */
	void *shown_arg;
	/* what came of it */
	int stop_signal; /* that ended it early; 0: none */
};

MUST_CHECK struct error *batch_run(struct batch *b);

#endif
