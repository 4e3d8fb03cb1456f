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

struct error *processes_read(struct command_run *run, enum process_detail detail,
			     struct process_list *ret)
{
	uint64_t eprocess, pid;

	if (option_u64(run->options, "process", &eprocess))
		return process_list_at(run->kernel, eprocess, detail, ret);
	if (option_flag(run->options, "scan"))
		return process_list_scan(run->kernel, detail, ret);
	if (option_u64(run->options, "pid", &pid))
		return process_list_by_pid(run->kernel, pid, detail, ret);
	return process_list_read(run->kernel, detail, ret);
}

static struct error *no_process(uint64_t pid)
{
	return error_new(ERROR_NOT_FOUND, "no process has the id %" PRIu64, pid);
}

struct error *processes_check_pid(const struct command_run *run, const struct process_list *list)
{
	uint64_t pid;

	if (!option_u64(run->options, "pid", &pid))
		return NULL;
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].pid.present && list->items[i].pid.value == pid)
			return NULL;
	}
	return no_process(pid);
}

/* Its fields lie at no address that the commands could follow. */
static bool is_unmapped(struct command_run *run, const struct process *p)
{
	if (!p->eprocess)
		diag_note(run->diag,
			  "process %" PRIu64 " at physical address 0x%" PRIx64
			  " is in no page of the kernel's: left out",
			  p->pid.value, p->pool.value);
	return !p->eprocess;
}

struct error *each_process(struct command_run *run, process_visit_fn *fn, void *arg)
{
	struct process_list list;
	bool has_pid, found = false;
	uint64_t pid = 0;
	struct error *err;

	has_pid = option_u64(run->options, "pid", &pid);
	if ((err = processes_read(run, PROCESS_BRIEF, &list)) != NULL)
		return err;
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++) {
		const struct process *p = &list.items[i];

		if ((has_pid && (!p->pid.present || p->pid.value != pid)) || is_unmapped(run, p))
			continue;
		found = true;
		err = visit(run, p, fn, arg);
	}
	if (!err && has_pid && !found)
		err = no_process(pid);
	process_list_deinit(&list);
	return err;
}
