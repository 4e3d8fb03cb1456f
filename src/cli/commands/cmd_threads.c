/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "cli/processes.h"
#include "windows/modules/module_names.h"
#include "windows/thread/thread.h"

enum {
	THREADS_PID,
	THREADS_TID,
	THREADS_ETHREAD,
	THREADS_START_ADDRESS,
	THREADS_WIN32_START_ADDRESS,
	THREADS_START_MODULE,
	THREADS_TEB,
	THREADS_STATE,
	THREADS_WAIT_REASON,
	THREADS_CREATE_TIME,
	THREADS_EXIT_TIME,
	THREADS_PRIORITY,
	THREADS_BASE_PRIORITY,
	THREADS_EXIT_STATUS,
	THREADS_IMPERSONATION_TOKEN,
	THREADS_STACK_BASE,
	THREADS_STACK_LIMIT,
	THREADS_KERNEL_STACK,
	THREADS_CONTEXT_SWITCHES,
	THREADS_NAME,
	THREADS_EPROCESS,
	THREADS_SOURCE,
	THREADS_PHYSICAL,
	THREADS_NUM_COLUMNS
};

static const struct option_row threads_options[] = {
	PROCESS_OPTION_ROWS,
};

static const struct column threads_columns[THREADS_NUM_COLUMNS] = {
	[THREADS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT,
			  "process id that the thread keeps" },
	[THREADS_TID] = { "tid", "TID", CELL_U64, 6, COL_RIGHT, "thread id" },
	[THREADS_ETHREAD] = { "ethread", "ETHREAD", CELL_ADDR, 18, COL_MINOR,
			      "virtual address of the thread object" },
	[THREADS_START_ADDRESS] = { "start_address", "START", CELL_ADDR, 18, COL_HIDDEN,
				    "where the kernel started it" },
	[THREADS_WIN32_START_ADDRESS] = { "win32_start_address", "WIN32 START", CELL_ADDR, 18, 0,
					  "the function that the program gave; the thread itself "
					  "can change it" },
	[THREADS_START_MODULE] = { "start_module", "MODULE", CELL_STR, 15, 0,
				   "the module that win32_start_address is in, or else "
				   "start_address: of the kernel (or the driver object whose image "
				   "it is, where no module is listed), of the loader's lists, or "
				   "the file mapped there; none: code that belongs to no file" },
	[THREADS_TEB] = { "teb", "TEB", CELL_ADDR, 18, COL_HIDDEN,
			  "thread environment block in the process's memory" },
	[THREADS_STATE] = { "state", "STATE", CELL_STR, 10, COL_STATE, "scheduling state" },
	[THREADS_WAIT_REASON] = { "wait_reason", "WAIT REASON", CELL_STR, 15, 0,
				  "what it waits for; of a thread that does not wait: what it "
				  "last waited for" },
	[THREADS_CREATE_TIME] = { "create_time", "CREATED", CELL_TIME, 28, COL_HIDDEN,
				  "start time, UTC" },
	[THREADS_EXIT_TIME] = { "exit_time", "EXITED", CELL_TIME, 28, COL_HIDDEN, "end time, UTC" },
	[THREADS_PRIORITY] = { "priority", "PRI", CELL_U64, 3, COL_RIGHT, "current priority" },
	[THREADS_BASE_PRIORITY] = { "base_priority", "BASE", CELL_U64, 4, COL_RIGHT | COL_HIDDEN,
				    "base priority" },
	[THREADS_EXIT_STATUS] = { "exit_status", "EXIT STATUS", CELL_ADDR, 10, COL_HIDDEN,
				  "NTSTATUS that it ended with" },
	[THREADS_IMPERSONATION_TOKEN] = { "impersonation_token", "TOKEN", CELL_ADDR, 18, COL_HIDDEN,
					  "token object that it impersonates" },
	[THREADS_STACK_BASE] = { "stack_base", "STACK BASE", CELL_ADDR, 18, COL_HIDDEN,
				 "highest address of its kernel stack" },
	[THREADS_STACK_LIMIT] = { "stack_limit", "STACK LIMIT", CELL_ADDR, 18, COL_HIDDEN,
				  "lowest address of its kernel stack" },
	[THREADS_KERNEL_STACK] = { "kernel_stack", "KERNEL STACK", CELL_ADDR, 18, COL_HIDDEN,
				   "where it left its kernel stack when it last stopped running" },
	[THREADS_CONTEXT_SWITCHES] = { "context_switches", "SWITCHES", CELL_U64, 8,
				       COL_RIGHT | COL_HIDDEN, "how often it was switched to" },
	[THREADS_NAME] = { "name", "NAME", CELL_STR, 0, COL_HIDDEN,
			   "description that the program gave it" },
	[THREADS_EPROCESS] = { "eprocess", "EPROCESS", CELL_ADDR, 18, COL_HIDDEN,
			       "process object that the thread names as its own" },
	[THREADS_SOURCE] = { "source", "SOURCE", CELL_STR, 6, COL_HIDDEN,
			     "how it was found: list (the process's thread list), kernel_list (the "
			     "scheduler's, where the first is broken), triage (the thread block of "
			     "a "
			     "small dump), pool_scan" },
	[THREADS_PHYSICAL] = { "physical", "PHYSICAL", CELL_ADDR, 11, COL_HIDDEN,
			       "pool_scan: physical address of its pool block" },
};

struct threads_listing {
	struct command_run *run;
	struct module_names *names;
};

/* The word for a number; the number itself where there is none. */
static struct cell cell_named(struct arena *a, struct opt_u64 value,
			      const char *(*name)(uint64_t value))
{
	const char *word = value.present ? name(value.value) : NULL;

	if (!value.present || word)
		return cell_str(word);
	return cell_str(arena_printf(a, "%llu", (unsigned long long)value.value));
}

static struct error *threads_row(struct threads_listing *l, struct arena *a, const struct thread *t)
{
	struct opt_u64 start =
		t->win32_start_address.present ? t->win32_start_address : t->start_address;
	const char *module = NULL;
	struct error *err;

	if (start.present &&
	    (err = module_names_find(l->names, t->process.value, start.value, &module)))
		return err;
	struct cell cells[THREADS_NUM_COLUMNS] = {
		[THREADS_PID] = cell_opt(t->pid),
		[THREADS_TID] = cell_opt(t->tid),
		[THREADS_ETHREAD] = t->ethread ? cell_addr(t->ethread) : CELL_ABSENT,
		[THREADS_START_ADDRESS] = cell_opt(t->start_address),
		[THREADS_WIN32_START_ADDRESS] = cell_opt(t->win32_start_address),
		[THREADS_START_MODULE] = cell_str(module),
		[THREADS_TEB] = cell_opt(t->teb),
		[THREADS_STATE] = cell_named(a, t->state, thread_state_name),
		[THREADS_WAIT_REASON] = cell_named(a, t->wait_reason, thread_wait_reason_name),
		[THREADS_CREATE_TIME] = cell_opt(t->create_time),
		[THREADS_EXIT_TIME] = cell_opt(t->exit_time),
		[THREADS_PRIORITY] = cell_opt(t->priority),
		[THREADS_BASE_PRIORITY] = cell_opt(t->base_priority),
		[THREADS_EXIT_STATUS] = cell_opt(t->exit_status),
		[THREADS_IMPERSONATION_TOKEN] = cell_opt(t->token),
		[THREADS_STACK_BASE] = cell_opt(t->stack_base),
		[THREADS_STACK_LIMIT] = cell_opt(t->stack_limit),
		[THREADS_KERNEL_STACK] = cell_opt(t->kernel_stack),
		[THREADS_CONTEXT_SWITCHES] = cell_opt(t->context_switches),
		[THREADS_NAME] = cell_str(t->name),
		[THREADS_EPROCESS] = cell_opt(t->process),
		[THREADS_SOURCE] = cell_str(t->source),
		[THREADS_PHYSICAL] = cell_opt(t->pool),
	};

	return sink_row(l->run->sink, cells, 0);
}

static struct error *threads_rows(struct threads_listing *l, const struct thread_list *list,
				  const uint64_t *pid)
{
	struct error *err = NULL;
	struct arena arena;

	arena_init(&arena, 0);
	for (size_t i = 0; i < list->count && !err && !sink_full(l->run->sink); i++) {
		const struct thread *t = &list->items[i];

		if (pid && (!t->pid.present || t->pid.value != *pid))
			continue;
		err = threads_row(l, &arena, t);
		arena_reset(&arena);
	}
	arena_deinit(&arena);
	return err;
}

/* A small dump has no lists: the thread that was running when it was made. */
static struct error *threads_of_triage(struct threads_listing *l)
{
	struct kernel *k = l->run->kernel;
	struct thread_list list;
	struct error *err;

	if (!k->triage_thread) {
		diag_partial(l->run->diag, "the dump does not say which thread it holds");
		return NULL;
	}
	if ((err = thread_list_at(k, k->triage_thread, "triage", &list))) {
		/* its absence was reported */
		error_catch(&err, ERROR_NOT_FOUND);
		return err;
	}
	err = threads_rows(l, &list, NULL);
	thread_list_deinit(&list);
	return err;
}

static struct error *threads_visit(struct command_run *run, const struct process_visit *visit,
				   void *arg)
{
	struct threads_listing *l = arg;
	struct thread_list list;
	struct error *err;

	if (!run->snapshot->mem)
		return threads_of_triage(l);
	if ((err = thread_list_read(run->kernel, visit->process->eprocess, &list)))
		return err;
	err = threads_rows(l, &list, NULL);
	thread_list_deinit(&list);
	return err;
}

static bool has_thread_of(const struct thread_list *list, uint64_t pid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].pid.present && list->items[i].pid.value == pid)
			return true;
	}
	return false;
}

static struct error *threads_scan(struct threads_listing *l)
{
	struct thread_list list;
	struct error *err;
	uint64_t pid;
	bool has_pid = option_u64(l->run->options, "pid", &pid);

	if ((err = thread_list_scan(l->run->kernel, &list)))
		return err;
	if (has_pid && !has_thread_of(&list, pid))
		err = error_new(ERROR_NOT_FOUND, "no thread is of a process with the id %" PRIu64,
				pid);
	else
		err = threads_rows(l, &list, has_pid ? &pid : NULL);
	thread_list_deinit(&list);
	return err;
}

static struct error *threads_run(struct command_run *run)
{
	struct threads_listing l = { .run = run };
	struct error *err;

	if ((err = module_names_open(run->kernel, &l.names)))
		return err;
	err = option_flag(run->options, "scan") ? threads_scan(&l)
						: each_process(run, threads_visit, &l);
	module_names_close(l.names);
	return err;
}

const struct command cmd_threads = {
	.name = "threads",
	.summary = "list threads, where they started and what they wait for",
	.description =
		"Follows each process's thread list from both ends, and where that is broken the "
		"list that the scheduler keeps; standard error says where it broke, and the exit "
		"status is 3. Of a small (triage) dump it lists the thread that was running.\n\n"
		"With --scan it searches all memory for thread objects instead, also of processes "
		"that were hidden, and threads that have ended. These may have been overwritten in "
		"part.",
	.example = "ntscope threads --pid 816 memory.dmp",
	.options = threads_options,
	.num_options = ARRAY_SIZE(threads_options),
	.columns = threads_columns,
	.num_columns = THREADS_NUM_COLUMNS,
	.key_columns = "ethread",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = threads_run,
};
