/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <stdlib.h>

#include "windows/process.h"

enum {
	PS_PID,
	PS_PPID,
	PS_NAME,
	PS_EPROCESS,
	PS_DTB,
	PS_USER_DTB,
	PS_THREADS,
	PS_HANDLES,
	PS_SESSION_ID,
	PS_WOW64,
	PS_CREATE_TIME,
	PS_EXIT_TIME,
	PS_IMAGE_PATH,
	PS_COMMAND_LINE,
	PS_SOURCE,
	PS_DEPTH,
	PS_NUM_COLUMNS
};

static const struct column ps_columns[PS_NUM_COLUMNS] = {
	[PS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[PS_PPID] = { "ppid", "PPID", CELL_U64, 6, COL_RIGHT, "id of the process that made it" },
	[PS_NAME] = { "name", "NAME", CELL_STR, 15, COL_INDENT,
		      "image name as the kernel keeps it (at most 15 characters)" },
	[PS_EPROCESS] = { "eprocess", "EPROCESS", CELL_ADDR, 18, 0,
			  "virtual address of the process object" },
	[PS_DTB] = { "dtb", "DTB", CELL_ADDR, 11, 0,
		     "physical address of the top page table, without flag bits" },
	[PS_USER_DTB] = { "user_dtb", "USER DTB", CELL_ADDR, 11, COL_HIDDEN,
			  "top page table in user mode, where KVA shadow is on" },
	[PS_THREADS] = { "threads", "THR", CELL_U64, 4, COL_RIGHT, "active threads" },
	[PS_HANDLES] = { "handles", "HND", CELL_U64, 5, COL_RIGHT, "open handles" },
	[PS_SESSION_ID] = { "session_id", "SES", CELL_U64, 3, COL_RIGHT, "session" },
	[PS_WOW64] = { "wow64", "WOW64", CELL_BOOL, 5, 0, "a 32-bit process" },
	[PS_CREATE_TIME] = { "create_time", "CREATED", CELL_TIME, 28, 0, "start time, UTC" },
	[PS_EXIT_TIME] = { "exit_time", "EXITED", CELL_TIME, 28, COL_HIDDEN, "end time, UTC" },
	[PS_IMAGE_PATH] = { "image_path", "IMAGE PATH", CELL_STR, 0, COL_HIDDEN,
			    "file that it was made from, as the kernel noted it for auditing" },
	[PS_COMMAND_LINE] = { "command_line", "COMMAND LINE", CELL_STR, 0, 0,
			      "command line from the process's own memory" },
	[PS_SOURCE] = { "source", "SOURCE", CELL_STR, 6, COL_HIDDEN,
			"how it was found: list (PsActiveProcessHead), cpu (a processor's current "
			"thread), triage (the process block of a small dump)" },
	[PS_DEPTH] = { "depth", "DEPTH", CELL_U64, 5, COL_HIDDEN,
		       "level below the top of the tree; only with --tree" },
};

static const struct option_row ps_options[] = {
	{ "tree", 't', OPTION_FLAG, NULL,
	  "children below their parents; a parent is listed and not younger than its child" },
};

static struct error *ps_row(struct command_run *run, const struct process *p, bool tree,
			    unsigned depth)
{
	struct cell cells[PS_NUM_COLUMNS] = {
		[PS_PID] = cell_opt(p->pid),
		[PS_PPID] = cell_opt(p->ppid),
		[PS_NAME] = cell_str(p->name),
		[PS_EPROCESS] = cell_addr(p->eprocess),
		[PS_DTB] = cell_opt(p->dtb),
		[PS_USER_DTB] = cell_opt(p->user_dtb),
		[PS_THREADS] = cell_opt(p->threads),
		[PS_HANDLES] = cell_opt(p->handles),
		[PS_SESSION_ID] = cell_opt(p->session_id),
		[PS_WOW64] = p->has_wow64 ? cell_bool(p->wow64) : CELL_ABSENT,
		[PS_CREATE_TIME] = cell_opt(p->create_time),
		[PS_EXIT_TIME] = cell_opt(p->exit_time),
		[PS_IMAGE_PATH] = cell_str(p->image_path),
		[PS_COMMAND_LINE] = cell_str(p->command_line),
		[PS_SOURCE] = cell_str(p->source),
		[PS_DEPTH] = tree ? cell_u64(depth) : CELL_ABSENT,
	};
	uint64_t pid;

	if (option_u64(run->options, "pid", &pid) && p->pid.value != pid)
		return NULL;
	return sink_row(run->sink, cells, depth);
}

static struct error *ps_flat(struct command_run *run, const struct process_list *list)
{
	struct error *err = NULL;

	for (size_t i = 0; i < list->count && !err && !sink_full(run->sink); i++)
		err = ps_row(run, &list->items[i], false, 0);
	return err;
}

enum { NO_PARENT = -1 };

struct tree_node {
	long parent, first_child, last_child, next; /* indices or NO_PARENT */
};

/* Process ids are reused: a process younger than its "child" is not its parent. */
static bool is_parent(const struct process *parent, const struct process *child)
{
	if (parent == child || !child->ppid.present || parent->pid.value != child->ppid.value)
		return false;
	return !parent->create_time.present || !child->create_time.present ||
	       parent->create_time.value <= child->create_time.value;
}

static int compare_pids(const void *a, const void *b, void *items)
{
	const struct process *p = (const struct process *)items + *(const long *)a;
	const struct process *q = (const struct process *)items + *(const long *)b;

	if (p->pid.value != q->pid.value)
		return p->pid.value < q->pid.value ? -1 : 1;
	return p < q ? -1 : 1;
}

/* by_pid: indices in order of process id. */
static long find_parent(const struct process_list *list, const long *by_pid, size_t child)
{
	uint64_t pid = list->items[child].ppid.value;
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[by_pid[middle]].pid.value < pid)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list->count && list->items[by_pid[low]].pid.value == pid; low++) {
		if (is_parent(&list->items[by_pid[low]], &list->items[child]))
			return by_pid[low];
	}
	return NO_PARENT;
}

/* Would making parent the parent of child close a ring? */
static bool closes_ring(const struct tree_node *nodes, long child, long parent)
{
	for (; parent != NO_PARENT; parent = nodes[parent].parent) {
		if (parent == child)
			return true;
	}
	return false;
}

static void link_nodes(const struct process_list *list, long *by_pid, struct tree_node *nodes)
{
	for (size_t i = 0; i < list->count; i++)
		by_pid[i] = (long)i;
	if (list->count)
		qsort_r(by_pid, list->count, sizeof(*by_pid), compare_pids, list->items);
	for (size_t i = 0; i < list->count; i++)
		nodes[i] = (struct tree_node){ NO_PARENT, NO_PARENT, NO_PARENT, NO_PARENT };
	for (size_t i = 0; i < list->count; i++) {
		long parent = find_parent(list, by_pid, i);

		if (parent == NO_PARENT || closes_ring(nodes, (long)i, parent))
			continue;
		nodes[i].parent = parent;
		if (nodes[parent].last_child == NO_PARENT)
			nodes[parent].first_child = (long)i;
		else
			nodes[nodes[parent].last_child].next = (long)i;
		nodes[parent].last_child = (long)i;
	}
}

/* Depth first without recursion: a hostile chain may be as long as the list. */
static struct error *ps_subtree(struct command_run *run, const struct process_list *list,
				const struct tree_node *nodes, long root)
{
	long at = root;
	unsigned depth = 0;
	struct error *err;

	while (!sink_full(run->sink)) {
		if ((err = ps_row(run, &list->items[at], true, depth)))
			return err;
		if (nodes[at].first_child != NO_PARENT) {
			at = nodes[at].first_child;
			depth++;
			continue;
		}
		while (at != root && nodes[at].next == NO_PARENT) {
			at = nodes[at].parent;
			depth--;
		}
		if (at == root)
			break;
		at = nodes[at].next;
	}
	return NULL;
}

static struct error *ps_tree(struct command_run *run, const struct process_list *list)
{
	struct tree_node *nodes = arena_calloc(run->arena, list->count, sizeof(*nodes));
	long *by_pid = arena_calloc(run->arena, list->count, sizeof(*by_pid));
	struct error *err = NULL;

	if (!nodes || !by_pid)
		return &error_no_memory;
	link_nodes(list, by_pid, nodes);
	for (size_t i = 0; i < list->count && !err; i++) {
		if (nodes[i].parent == NO_PARENT)
			err = ps_subtree(run, list, nodes, (long)i);
	}
	return err;
}

static struct error *ps_run(struct command_run *run)
{
	struct process_list list;
	struct error *err;

	if ((err = process_list_read(run->kernel, PROCESS_FULL, &list)))
		return err;
	err = option_flag(run->options, "tree") ? ps_tree(run, &list) : ps_flat(run, &list);
	process_list_deinit(&list);
	return err;
}

const struct command cmd_ps = {
	.name = "ps",
	.summary = "list processes from the active process list",
	.description =
		"Follows PsActiveProcessHead from both ends. Where the list is broken, what lies "
		"on either side of the break is listed, and the processes that the processors "
		"were running; standard error says where it broke, and the exit status is 3. "
		"Of a small (triage) dump it lists the one process that the dump holds.\n\n"
		"A process that was taken out of the list, or that has ended, is not in it.",
	.example = "ntscope ps --tree memory.dmp",
	.options = ps_options,
	.num_options = ARRAY_SIZE(ps_options),
	.columns = ps_columns,
	.num_columns = PS_NUM_COLUMNS,
	.flags = COMMAND_NEEDS_KERNEL,
	.run = ps_run,
};
