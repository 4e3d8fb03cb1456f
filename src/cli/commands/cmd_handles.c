/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/names.h"
#include "cli/processes.h"
#include "windows/objects/access_mask.h"
#include "windows/objects/handle_table.h"
#include "windows/objects/object_manager.h"

enum {
	HANDLES_PID,
	HANDLES_PROCESS,
	HANDLES_HANDLE,
	HANDLES_OBJECT,
	HANDLES_TYPE,
	HANDLES_ACCESS,
	HANDLES_RIGHTS,
	HANDLES_ATTRIBUTES,
	HANDLES_NAME,
	HANDLES_HEADER,
	HANDLES_ENTRY,
	HANDLES_NUM_COLUMNS
};

static const struct column handles_columns[HANDLES_NUM_COLUMNS] = {
	[HANDLES_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process that has the handle" },
	[HANDLES_PROCESS] = { "process_name", "PROCESS", CELL_STR, 15, 0, "its image name" },
	[HANDLES_HANDLE] = { "handle", "HANDLE", CELL_U64, 7, COL_RIGHT,
			     "value of the handle, as the process uses it" },
	[HANDLES_OBJECT] = { "object", "OBJECT", CELL_ADDR, 18, COL_MINOR,
			     "virtual address of the object's body" },
	[HANDLES_TYPE] = { "type", "TYPE", CELL_STR, 15, 0, "object type; null: absent" },
	[HANDLES_ACCESS] = { "granted_access", "ACCESS", CELL_ADDR, 8, 0,
			     "access mask that the handle was opened with" },
	[HANDLES_RIGHTS] = { "rights", "RIGHTS", CELL_STR, 0, COL_HIDDEN,
			     "the access mask in words of the object's type" },
	[HANDLES_ATTRIBUTES] = { "attributes", "ATTRIBUTES", CELL_STR, 10, COL_MINOR,
				 "protect (from close), inherit (by child processes), audit (on "
				 "close)" },
	[HANDLES_NAME] = { "name", "NAME", CELL_STR, 0, 0,
			   "path of a file, key or other named object; for processes and threads "
			   "whose they are" },
	[HANDLES_HEADER] = { "header", "HEADER", CELL_ADDR, 18, COL_HIDDEN,
			     "virtual address of the object's header" },
	[HANDLES_ENTRY] = { "entry", "ENTRY", CELL_ADDR, 18, COL_HIDDEN,
			    "virtual address of the entry of the handle table" },
};

static const struct option_row handles_options[] = {
	PROCESS_OPTION_ROWS,
	{ "type", 0, OPTION_STRING, "TYPE",
	  "just handles to objects of this type, such as File or Key; * and ? match any" },
	{ "name", 0, OPTION_STRING, "PATTERN",
	  "just handles whose name matches: with * or ? the whole name, else a part of it" },
	{ "all", 0, OPTION_FLAG, NULL, "also entries that lead to no object" },
};

enum { ROWS_PER_RESET = 256 }; /* rows whose strings are kept before the arena is emptied */

struct absent_count {
	size_t count;
	struct fault first;
};

struct handles_listing {
	struct object_manager *objects;
	struct handle_layout layout;
	const char *type, *name; /* filters; NULL: none */
	bool all;
	uint64_t body; /* from an object's header */
	struct arena arena;
	size_t rows;
	struct absent_count absent_objects, absent_names;
};

static void note_absent(struct absent_count *n, const struct fault *fault)
{
	if (!n->count++)
		n->first = *fault;
}

static void report_absent(struct command_run *run, const struct absent_count *n, const char *what)
{
	if (n->count)
		diag_partial(run->diag, "%s of %zu objects are absent (first at 0x%" PRIx64 ": %s)",
			     what, n->count, n->first.va, va_state_text(n->first.state));
}

static const char *attribute_words(struct arena *a, struct opt_u64 attributes)
{
	static const char *const words[] = { "protect", "inherit", "audit" };
	const char *text = attributes.present ? "" : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words) && text; i++) {
		if (attributes.value >> i & 1)
			text = arena_printf(a, "%s%s%s", text, *text ? "|" : "", words[i]);
	}
	return text;
}

/* Whether a row is wanted is known when its name is. */
static struct error *handle_row(struct command_run *run, struct handles_listing *l,
				const struct process *p, const struct handle_entry *e,
				const struct object_info *info)
{
	struct fault fault = { 0 };
	const char *name = object_describe(l->objects, info, &l->arena, &fault);
	struct cell cells[HANDLES_NUM_COLUMNS] = {
		[HANDLES_PID] = cell_opt(p->pid),
		[HANDLES_PROCESS] = cell_str(p->name),
		[HANDLES_HANDLE] = cell_u64(e->handle),
		[HANDLES_OBJECT] = cell_addr(info->va),
		[HANDLES_TYPE] = cell_str(info->type),
		[HANDLES_ACCESS] = cell_opt(e->access),
		[HANDLES_ATTRIBUTES] = cell_str(attribute_words(&l->arena, e->attributes)),
		[HANDLES_NAME] = cell_str(name),
		[HANDLES_HEADER] = cell_addr(e->pointer),
		[HANDLES_ENTRY] = cell_addr(e->va),
	};

	if (info->type && !name && fault.va)
		note_absent(&l->absent_names, &fault);
	if (l->name && !(name && names_match(l->name, name)))
		return NULL;
	if (e->access.present)
		cells[HANDLES_RIGHTS] = cell_str(
			access_mask_text(&l->arena, info->type, (uint32_t)e->access.value));
	return sink_row(run->sink, cells, 0);
}

/* Entries of one process that lead to no object. */
struct bad_entries {
	size_t count;
	uint64_t first; /* handle value */
};

static struct error *list_entry(struct command_run *run, struct handles_listing *l,
				const struct process *p, const struct handle_entry *e,
				struct bad_entries *bad)
{
	struct object_info info;
	enum object_state state = object_read_header(l->objects, e->pointer + l->body, &info);

	if (++l->rows % ROWS_PER_RESET == 0)
		arena_reset(&l->arena);
	/* a handle is a reference: what has none is no object, or one no more */
	if (info.pointer_count.present && !info.pointer_count.value)
		state = OBJECT_INVALID;
	if (state == OBJECT_INVALID) {
		if (!bad->count++)
			bad->first = e->handle;
		if (!l->all)
			return NULL;
	}
	if (l->type && !names_equal(l->type, info.type))
		return NULL;
	if (state == OBJECT_READ)
		object_read_name(l->objects, &l->arena, &info);
	else if (state == OBJECT_ABSENT)
		note_absent(&l->absent_objects, &info.fault);
	return handle_row(run, l, p, e, &info);
}

static void report_gap(struct command_run *run, const struct process *p,
		       const struct handle_gap *gap)
{
	diag_partial(run->diag,
		     "process %" PRIu64 ": handles %" PRIu64 " to %" PRIu64
		     ": the table's page 0x%" PRIx64 ": %s",
		     p->pid.value, gap->first, gap->last, gap->fault.va, gap->why);
}

static struct error *walk_table(struct command_run *run, struct handles_listing *l,
				const struct process *p, struct handle_walk *w)
{
	struct bad_entries bad = { 0 };
	struct error *err = NULL;
	struct handle_entry entry;
	enum handle_step step;
	struct handle_gap gap;

	while (!err && !sink_full(run->sink) &&
	       (step = handle_walk_next(w, &entry, &gap)) != HANDLE_END) {
		if (step == HANDLE_ENTRY)
			err = list_entry(run, l, p, &entry, &bad);
		else
			report_gap(run, p, &gap);
	}
	arena_reset(&l->arena);
	if (bad.count)
		diag_partial(run->diag,
			     "process %" PRIu64 ": %zu entries of its handle table lead to no "
			     "object (first: handle %" PRIu64 ")",
			     p->pid.value, bad.count, bad.first);
	return err;
}

/* An exited process has no table left, and one at no kernel address leads to none. */
static struct error *handles_visit(struct command_run *run, const struct process_visit *visit,
				   void *arg)
{
	struct handles_listing *l = arg;
	const struct process *p = visit->process;
	struct object o = object_at(run->kernel->space, p->eprocess, l->layout.fields);
	struct handle_walk walk;
	struct fault fault;
	uint64_t table;

	if (!p->eprocess)
		return NULL;
	if (!object_u64(&o, HANDLE_OF_PROCESS, &table)) {
		diag_partial(run->diag, "process %" PRIu64 ": 0x%" PRIx64 ": %s", p->pid.value,
			     o.fault.va, va_state_text(o.fault.state));
		return NULL;
	}
	if (!table)
		return NULL;
	if (handle_walk_start(&walk, o.space, &l->layout, table, &fault))
		return walk_table(run, l, p, &walk);
	if (fault.state == VA_MAPPED)
		diag_partial(run->diag, "process %" PRIu64 ": 0x%" PRIx64 " is no handle table",
			     p->pid.value, table);
	else
		diag_partial(run->diag, "process %" PRIu64 ": handle table: 0x%" PRIx64 ": %s",
			     p->pid.value, fault.va, va_state_text(fault.state));
	return NULL;
}

static struct error *prepare(struct command_run *run, struct handles_listing *l)
{
	struct error *err;

	if ((err = handle_layout_bind(run->kernel->profile, &l->layout)) ||
	    (err = object_manager_open(run->kernel, &l->objects)))
		return err;
	if (!handle_layout_is_known(&l->layout) || !object_body_offset(l->objects, &l->body))
		return error_new(ERROR_UNSUPPORTED,
				 "the symbols in use do not tell the layout of handle tables");
	return NULL;
}

static struct error *handles_run(struct command_run *run)
{
	struct handles_listing l = {
		.type = option_string(run->options, "type"),
		.name = option_string(run->options, "name"),
		.all = option_flag(run->options, "all"),
	};
	struct error *err;

	arena_init(&l.arena, 0);
	err = prepare(run, &l);
	if (!err)
		err = each_process(run, handles_visit, &l);
	report_absent(run, &l.absent_objects, "headers");
	report_absent(run, &l.absent_names, "names");
	object_manager_close(l.objects);
	arena_deinit(&l.arena);
	return err;
}

const struct command cmd_handles = {
	.name = "handles",
	.summary = "list the open handles of processes, and what they are to",
	.description =
		"Reads each process's handle table, at every level, and the object that each "
		"entry leads to. A page of a table that is absent costs the handles in it; "
		"standard error says which, and the exit status is 3.\n\n"
		"Files are named by their device and path, keys by their full path in the "
		"registry, processes and threads by name and id, other objects by their path in "
		"the namespace. Most events, semaphores and sections have no name. Entries that "
		"lead to no object are counted on standard error; --all lists them.\n\n"
		"Handles of System are the kernel's own. A process that has ended has no table "
		"left; one that was taken out of the list is read with --pid, --process or --scan.",
	.example = "ntscope handles --pid 816 --type File memory.dmp",
	.options = handles_options,
	.num_options = ARRAY_SIZE(handles_options),
	.columns = handles_columns,
	.num_columns = HANDLES_NUM_COLUMNS,
	.key_columns = "pid,handle",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = handles_run,
};
