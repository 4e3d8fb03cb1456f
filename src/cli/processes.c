/* SPDX-License-Identifier: MIT */
#include "cli/processes.h"

#include <inttypes.h>

static struct error *visit(struct command_run *run, const struct process *p, process_visit_fn *fn,
			   void *arg)
{
	struct process_visit v = { .process = p };
	struct arena arena;
	struct error *err = NULL;

	arena_init(&arena, 0);
	v.arena = &arena;
	if (run->snapshot->mem && p->dtb.present && p->dtb.value)
		err = process_open_space(run->kernel, p, &v.space);
	if (!err)
		err = fn(run, &v, arg);
	space_destroy(v.space);
	arena_deinit(&arena);
	return err;
}

static struct error *read_list(struct command_run *run, struct process_list *ret)
{
	uint64_t eprocess;

	if (option_u64(run->options, "process", &eprocess))
		return process_list_at(run->kernel, eprocess, PROCESS_BRIEF, ret);
	return process_list_read(run->kernel, PROCESS_BRIEF, ret);
}

struct error *each_process(struct command_run *run, process_visit_fn *fn, void *arg)
{
	struct process_list list;
	bool has_pid, found = false;
	uint64_t pid = 0;
	struct error *err;

	has_pid = option_u64(run->options, "pid", &pid);
	if ((err = read_list(run, &list)) != NULL)
		return err;
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++) {
		const struct process *p = &list.items[i];

		if (has_pid && (!p->pid.present || p->pid.value != pid))
			continue;
		found = true;
		err = visit(run, p, fn, arg);
	}
	if (!err && has_pid && !found)
		err = error_new(ERROR_NOT_FOUND, "no process has the id %" PRIu64, pid);
	process_list_deinit(&list);
	return err;
}
