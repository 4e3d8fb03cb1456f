/* SPDX-License-Identifier: MIT */
#include "cli/commands/user_processes.h"

struct visitor {
	struct user_reader reader;
	user_process_fn *fn;
};

static struct error *visit_user(struct command_run *run, const struct process_visit *visit,
				void *arg)
{
	const struct visitor *v = arg;
	struct user_process user;

	user_process_init(&user, &v->reader, visit->process, visit->space);
	return v->fn(run, visit, &user);
}

struct error *each_user_process(struct command_run *run, user_process_fn *fn)
{
	struct visitor v = { .fn = fn };
	struct error *err;

	if (!run->snapshot->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump holds no memory of processes");
	err = user_reader_init(run->kernel, &v.reader);
	return err ? err : each_process(run, visit_user, &v);
}
