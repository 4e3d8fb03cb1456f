/* SPDX-License-Identifier: MIT */
#include "cli/processes.h"

#include <stdlib.h>
#include <string.h>

#include "windows/process/crossview.h"
#include "windows/security/token.h"

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
	PS_EXIT_STATUS,
	PS_PROTECTION,
	PS_INTEGRITY,
	PS_PEB,
	PS_JOB,
	PS_PHYSICAL,
	PS_CURRENT_DIRECTORY,
	PS_WINDOW_TITLE,
	PS_DLL_PATH,
	PS_CROSS, /* one column per source */
	PS_CROSS_END = PS_CROSS + NUM_CROSS_SOURCES - 1,
	PS_NUM_COLUMNS
};

static const struct column ps_columns[PS_NUM_COLUMNS] = {
	[PS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[PS_PPID] = { "ppid", "PPID", CELL_U64, 6, COL_RIGHT, "id of the process that made it" },
	[PS_NAME] = { "name", "NAME", CELL_STR, 15, COL_INDENT,
		      "image name as the kernel keeps it (at most 15 characters)" },
	[PS_EPROCESS] = { "eprocess", "EPROCESS", CELL_ADDR, 18, COL_MINOR,
			  "virtual address of the process object" },
	[PS_DTB] = { "dtb", "DTB", CELL_ADDR, 11, COL_MINOR,
		     "physical address of the top page table, without flag bits" },
	[PS_USER_DTB] = { "user_dtb", "USER DTB", CELL_ADDR, 11, COL_HIDDEN,
			  "top page table in user mode, where KVA shadow is on" },
	[PS_THREADS] = { "threads", "THR", CELL_U64, 4, COL_RIGHT, "active threads" },
	[PS_HANDLES] = { "handles", "HND", CELL_U64, 5, COL_RIGHT | COL_MINOR, "open handles" },
	[PS_SESSION_ID] = { "session_id", "SES", CELL_U64, 3, COL_RIGHT | COL_MINOR, "session" },
	[PS_WOW64] = { "wow64", "WOW64", CELL_BOOL, 5, COL_MINOR, "a 32-bit process" },
	[PS_CREATE_TIME] = { "create_time", "CREATED", CELL_TIME, 28, 0, "start time, UTC" },
	[PS_EXIT_TIME] = { "exit_time", "EXITED", CELL_TIME, 28, COL_HIDDEN | COL_MINOR,
			   "end time, UTC" },
	[PS_IMAGE_PATH] = { "image_path", "IMAGE PATH", CELL_STR, 0, COL_HIDDEN,
			    "file that it was made from, as the kernel noted it for auditing" },
	[PS_COMMAND_LINE] = { "command_line", "COMMAND LINE", CELL_STR, 0, 0,
			      "command line from the process's own memory" },
	[PS_SOURCE] = { "source", "SOURCE", CELL_STR, 6, COL_HIDDEN,
			"how it was found: list (PsActiveProcessHead), cpu (a processor's current "
			"thread), pool_scan (its pool block), cid_table (PspCidTable), triage (the "
			"process block of a small dump), address (--process); --crossview: also "
			"thread, handle, session" },
	[PS_DEPTH] = { "depth", "DEPTH", CELL_U64, 5, COL_HIDDEN,
		       "level below the top of the tree; only with --tree" },
	[PS_EXIT_STATUS] = { "exit_status", "EXIT STATUS", CELL_ADDR, 10, COL_HIDDEN,
			     "NTSTATUS that it ended with" },
	[PS_PROTECTION] = { "protection", "PROTECTION", CELL_STR, 29, COL_HIDDEN,
			    "what it is protected as, before Windows 8.1 just Protected; none: not "
			    "protected" },
	[PS_INTEGRITY] = { "integrity", "INTEGRITY", CELL_STR, 9, COL_HIDDEN,
			   "integrity level of its token" },
	[PS_PEB] = { "peb", "PEB", CELL_ADDR, 18, COL_HIDDEN,
		     "process environment block in its own memory" },
	[PS_JOB] = { "job", "JOB", CELL_ADDR, 18, COL_HIDDEN,
		     "virtual address of the job object that it belongs to" },
	[PS_PHYSICAL] = { "physical", "PHYSICAL", CELL_ADDR, 11, COL_HIDDEN,
			  "pool_scan: physical address of its pool block" },
	[PS_CURRENT_DIRECTORY] = { "current_directory", "CURRENT DIRECTORY", CELL_STR, 24,
				   COL_ASKED, "current directory from its own memory" },
	[PS_WINDOW_TITLE] = { "window_title", "WINDOW TITLE", CELL_STR, 24, COL_ASKED,
			      "title that its first window was to have" },
	[PS_DLL_PATH] = { "dll_path", "DLL PATH", CELL_STR, 0, COL_ASKED,
			  "where it looks for modules" },
	[PS_CROSS + CROSS_LIST] = { "list", "LIST", CELL_BOOL, 5, COL_ASKED | COL_STATE,
				    "--crossview: PsActiveProcessHead has it" },
	[PS_CROSS + CROSS_POOL_SCAN] = { "pool_scan", "POOL", CELL_BOOL, 5, COL_ASKED | COL_STATE,
					 "--crossview: its object is in a pool block" },
	[PS_CROSS + CROSS_THREAD] = { "thread", "THRD", CELL_BOOL, 5, COL_ASKED | COL_STATE,
				      "--crossview: a thread that has not ended names it" },
	[PS_CROSS + CROSS_CID_TABLE] = { "cid_table", "CID", CELL_BOOL, 5, COL_ASKED | COL_STATE,
					 "--crossview: PspCidTable has it" },
	[PS_CROSS + CROSS_HANDLE] = { "handle", "HNDL", CELL_BOOL, 5, COL_ASKED | COL_STATE,
				      "--crossview: a process has a handle to it" },
	[PS_CROSS + CROSS_SESSION] = { "session", "SESS", CELL_BOOL, 5, COL_ASKED | COL_STATE,
				       "--crossview: its session's list has it" },
	[PS_CROSS + CROSS_CSRSS] = { "csrss", "CSRSS", CELL_BOOL, 5, COL_ASKED | COL_STATE,
				     "--crossview: a csrss.exe has a handle to it" },
};

static const struct option_row ps_options[] = {
	{ "crossview", 0, OPTION_FLAG, NULL,
	  "which of the kernel's structures know of each process, one column a source" },
	{ "tree", 't', OPTION_FLAG, NULL,
	  "children below their parents; a parent is listed and not younger than its child" },
	PROCESS_OPTION_ROWS,
};

/* What ps lists, and what it knows of each. */
struct ps_listing {
	struct command_run *run;
	const struct process_list *list;
	const struct crossview *view; /* NULL: without --crossview */
	struct token_reader tokens;
};

static struct cell ps_integrity(const struct ps_listing *l, const struct process *p)
{
	struct fault fault;
	uint64_t token;

	if (!p->eprocess || !token_of_process(&l->tokens, p->eprocess, &token, &fault))
		return CELL_ABSENT;
	return cell_str(token_integrity(&l->tokens, token));
}

static void ps_cross_cells(const struct ps_listing *l, size_t index, struct cell *cells)
{
	bool has;

	for (unsigned i = 0; l->view && i < NUM_CROSS_SOURCES; i++) {
		if (crossview_tells(l->view, index, (enum cross_source)i, &has))
			cells[PS_CROSS + i] = cell_bool(has);
	}
}

static struct error *ps_row(const struct ps_listing *l, size_t index, bool tree, unsigned depth)
{
	const struct process *p = &l->list->items[index];
	struct command_run *run = l->run;
	struct cell cells[PS_NUM_COLUMNS] = {
		[PS_PID] = cell_opt(p->pid),
		[PS_PPID] = cell_opt(p->ppid),
		[PS_NAME] = cell_str(p->name),
		[PS_EPROCESS] = p->eprocess ? cell_addr(p->eprocess) : CELL_ABSENT,
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
		[PS_EXIT_STATUS] = cell_opt(p->exit_status),
		[PS_PROTECTION] = cell_str(process_protection_text(p, run->arena)),
		[PS_INTEGRITY] = ps_integrity(l, p),
		[PS_PEB] = cell_opt(p->peb),
		[PS_JOB] = cell_opt(p->job),
		[PS_PHYSICAL] = cell_opt(p->pool),
		[PS_CURRENT_DIRECTORY] = cell_str(p->current_directory),
		[PS_WINDOW_TITLE] = cell_str(p->window_title),
		[PS_DLL_PATH] = cell_str(p->dll_path),
	};
	uint64_t pid;

	if (option_u64(run->options, "pid", &pid) && (!p->pid.present || p->pid.value != pid))
		return NULL;
	ps_cross_cells(l, index, cells);
	return sink_row(run->sink, cells, depth);
}

static struct error *ps_flat(const struct ps_listing *l)
{
	struct error *err = NULL;

	for (size_t i = 0; i < l->list->count && !err && !sink_full(l->run->sink); i++)
		err = ps_row(l, i, false, 0);
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
static struct error *ps_subtree(const struct ps_listing *l, const struct tree_node *nodes,
				long root)
{
	long at = root;
	unsigned depth = 0;
	struct error *err;

	while (!sink_full(l->run->sink)) {
		if ((err = ps_row(l, (size_t)at, true, depth)))
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

static struct error *ps_tree(const struct ps_listing *l)
{
	const struct process_list *list = l->list;
	struct tree_node *nodes = arena_calloc(l->run->arena, list->count, sizeof(*nodes));
	long *by_pid = arena_calloc(l->run->arena, list->count, sizeof(*by_pid));
	struct error *err = NULL;

	if (!nodes || !by_pid)
		return &error_no_memory;
	link_nodes(list, by_pid, nodes);
	for (size_t i = 0; i < list->count && !err; i++) {
		if (nodes[i].parent == NO_PARENT)
			err = ps_subtree(l, nodes, (long)i);
	}
	return err;
}

/* Reading all that a process's own memory says of it is only worth it where it is shown. */
static enum process_detail ps_detail(const struct option_values *options)
{
	static const unsigned parameters[] = { PS_CURRENT_DIRECTORY, PS_WINDOW_TITLE, PS_DLL_PATH };
	const char *columns = option_string(options, "columns");

	for (size_t i = 0; columns && i < ARRAY_SIZE(parameters); i++) {
		if (strstr(columns, ps_columns[parameters[i]].key))
			return PROCESS_PARAMETERS;
	}
	return PROCESS_FULL;
}

static struct error *ps_print(struct command_run *run, const struct process_list *list,
			      const struct crossview *view)
{
	struct ps_listing listing = { .run = run, .list = list, .view = view };
	struct error *err;

	if ((err = processes_check_pid(run, list)) ||
	    (err = token_reader_init(run->kernel, &listing.tokens)))
		return err;
	return option_flag(run->options, "tree") ? ps_tree(&listing) : ps_flat(&listing);
}

static struct error *ps_crossview(struct command_run *run)
{
	struct crossview view;
	struct error *err;

	if ((err = crossview_read(run->kernel, ps_detail(run->options), &view)))
		return err;
	err = ps_print(run, &view.list, &view);
	crossview_deinit(&view);
	return err;
}

static struct error *ps_run(struct command_run *run)
{
	struct process_list list;
	struct error *err;

	if (option_flag(run->options, "crossview"))
		return ps_crossview(run);
	if ((err = processes_read(run, ps_detail(run->options), &list)))
		return err;
	err = ps_print(run, &list, NULL);
	process_list_deinit(&list);
	return err;
}

#define PS_CROSS_KEYS "list,pool_scan,thread,cid_table,handle,session,csrss"

/* The text table has room for the sources and who it is about. */
static const char *ps_default_columns(const struct option_values *options)
{
	const char *format = option_string(options, "format");

	if (!option_flag(options, "crossview"))
		return NULL;
	if (!format || strcmp(format, "text") == 0)
		return "pid,ppid,name,eprocess,exit_time," PS_CROSS_KEYS;
	return "pid,ppid,name,eprocess,dtb,user_dtb,threads,handles,session_id,wow64,create_time,"
	       "exit_time,image_path,command_line,source,exit_status,protection,integrity,peb,job,"
	       "physical," PS_CROSS_KEYS;
}

const struct command cmd_ps = {
	.name = "ps",
	.summary = "list processes, also hidden and ended ones",
	.description =
		"Follows PsActiveProcessHead from both ends. Where the list is broken, what lies "
		"on either side of the break is listed, and the processes that the processors "
		"were running; standard error says where it broke, and the exit status is 3. "
		"Of a small (triage) dump it lists the one process that the dump holds.\n\n"
		"A process that was taken out of the list, or that has ended, is not in it: --scan "
		"searches all memory for process objects by the tag of their pool blocks and lists "
		"them in order of physical address, then those that only the list has. Freed "
		"memory keeps them until it is used again, so what is found may be old. --pid "
		"also finds a process that only the kernel's table of ids (PspCidTable) has.\n\n"
		"--crossview asks every structure that knows of processes and prints which do. "
		"Most processes are in all of them. System and what it starts first belong to no "
		"session, csrss.exe holds handles neither to these nor to itself, and nobody need "
		"hold one to any. An empty cell: what could be read of that structure does not "
		"have "
		"it, but not all could be.",
	.example = "ntscope ps --tree memory.dmp",
	.options = ps_options,
	.num_options = ARRAY_SIZE(ps_options),
	.columns = ps_columns,
	.num_columns = PS_NUM_COLUMNS,
	.key_columns = "eprocess",
	.flags = COMMAND_NEEDS_KERNEL,
	.default_columns = ps_default_columns,
	.run = ps_run,
};
