/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_PLAN_H
#define CLI_BATCH_PLAN_H

#include "cli/command.h"

/* Which commands run on every snapshot, and with what. */
enum { PLAN_MAX = 64 };

struct planned {
	const struct command *command;
	const char *words; /* as given, with single spaces: "ps --crossview" */
	struct option_values options;
};

struct plan {
	struct planned items[PLAN_MAX];
	size_t count;
};

/* What is run when nothing is chosen: a few milliseconds each, on any machine. */
extern const char plan_triage[];

/*
 * Adds "ps --crossview,modules": commands separated by commas, each with its own options and
 * arguments, --where, --limit and --pid; words with spaces or commas in '' or "". common: what the
 * batch was told, of which each command gets what is not about the batch's own table.
 * All strings live in the arena. ERROR_USAGE names what is off.
 */
MUST_CHECK struct error *plan_add(struct plan *plan, struct arena *arena, const char *list,
				  const struct option_values *common);

/* Does the command give rows of a snapshot, and write no files? */
bool plan_can_run(const struct command *command);
/* Is this common option passed on to the snapshot and the commands, and so part of what a result
 * depends on? */
bool plan_passes_on(const char *option);

#endif
