/* SPDX-License-Identifier: MIT */
#ifndef CLI_USER_PROCESSES_H
#define CLI_USER_PROCESSES_H

#include "cli/processes.h"
#include "windows/process/user_process.h"

/* What commands share that list what processes keep in their own memory. */
typedef struct error *user_process_fn(struct command_run *run, const struct process_visit *visit,
				      const struct user_process *user);

/* Calls fn for each process meant, see each_process(). UNSUPPORTED on triage dumps. */
MUST_CHECK struct error *each_user_process(struct command_run *run, user_process_fn *fn);

#endif
