/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROCESSES_H
#define CLI_PROCESSES_H

#include "cli/command.h"
#include "windows/process/process.h"

/*
 * What commands with rows per process share: which processes --pid, --process and --scan mean. By
 * default those of the process list, in its order; --pid reaches also what only the kernel's table
 * of ids has.
 */
#define PROCESS_OPTION_ROWS                                                                 \
	{ "process", 0, OPTION_ADDRESS, "EPROCESS",                                         \
	  "of the process object at this address, listed or not" },                         \
	{                                                                                   \
		"scan", 0, OPTION_FLAG, NULL,                                               \
			"of the processes that a search of all memory finds, listed or not" \
	}

/* A process that a command looks into. */
struct process_visit {
	const struct process *process; /* brief */
	struct space *space;	       /* its own; NULL where its page tables are not known */
	struct arena *arena;	       /* emptied after each process */
};

typedef struct error *process_visit_fn(struct command_run *run, const struct process_visit *visit,
				       void *arg);

/* The processes meant, not yet chosen by --pid: the caller does. */
MUST_CHECK struct error *processes_read(struct command_run *run, enum process_detail detail,
					struct process_list *ret);

/* NOT_FOUND when --pid is given and none of the list has that id. */
MUST_CHECK struct error *processes_check_pid(const struct command_run *run,
					     const struct process_list *list);

/*
 * Calls fn for each process meant, until the sink is full. A process whose space cannot be opened
 * is visited without. NOT_FOUND when --pid or --process means none; errors of fn end the listing.
 */
MUST_CHECK struct error *each_process(struct command_run *run, process_visit_fn *fn, void *arg);

#endif
