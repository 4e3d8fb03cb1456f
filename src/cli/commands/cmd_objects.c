/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/names.h"
#include "windows/objects/object_directory.h"

enum {
	OBJECTS_PATH,
	OBJECTS_TYPE,
	OBJECTS_OBJECT,
	OBJECTS_TARGET,
	OBJECTS_POINTERS,
	OBJECTS_HANDLES,
	OBJECTS_HEADER,
	OBJECTS_ENTRY,
	OBJECTS_CREATE_TIME,
	OBJECTS_NUM_COLUMNS
};

static const struct column objects_columns[OBJECTS_NUM_COLUMNS] = {
	[OBJECTS_PATH] = { "path", "PATH", CELL_STR, 50, 0,
			   "where it is in the namespace; null: a name on the way is absent" },
	[OBJECTS_TYPE] = { "type", "TYPE", CELL_STR, 16, 0, "object type; null: absent" },
	[OBJECTS_OBJECT] = { "object", "OBJECT", CELL_ADDR, 18, COL_MINOR,
			     "virtual address of the object's body" },
	[OBJECTS_TARGET] = { "target", "TARGET", CELL_STR, 0, 0,
			     "where a symbolic link leads; null for others" },
	[OBJECTS_POINTERS] = { "pointer_count", "POINTERS", CELL_I64, 8, COL_RIGHT | COL_HIDDEN,
			       "references as the header has them; from Windows 8.1 a handle "
			       "counts "
			       "as many" },
	[OBJECTS_HANDLES] = { "handle_count", "HANDLES", CELL_I64, 7, COL_RIGHT | COL_HIDDEN,
			      "open handles to it" },
	[OBJECTS_HEADER] = { "header", "HEADER", CELL_ADDR, 18, COL_HIDDEN,
			     "virtual address of the object's header" },
	[OBJECTS_ENTRY] = { "entry", "ENTRY", CELL_ADDR, 18, COL_HIDDEN,
			    "virtual address of the directory's entry that leads to it" },
	[OBJECTS_CREATE_TIME] = { "create_time", "CREATED", CELL_TIME, 28, COL_ASKED,
				  "of a symbolic link: when it was made" },
};

static const struct option_row objects_options[] = {
	{ "path", 0, OPTION_STRING, "PATH",
	  "just this object and what is below it, such as \\Driver" },
	{ "type", 0, OPTION_STRING, "TYPE",
	  "just objects of this type, such as Mutant or SymbolicLink; * and ? match any" },
	{ "name", 0, OPTION_STRING, "PATTERN",
	  "just objects whose path matches: with * or ? the whole path, else a part of it" },
};

struct objects_listing {
	struct command_run *run;
	struct object_manager *objects;
	const char *type, *name; /* filters; NULL: none */
	struct arena arena;	 /* for one row */
};

static bool is_wanted(const struct objects_listing *l, const struct namespace_object *o)
{
	if (l->type && !names_equal(l->type, o->info.type))
		return false;
	return !l->name || (o->path && names_match(l->name, o->path));
}

static struct error *objects_row(void *arg, const struct namespace_object *o)
{
	struct objects_listing *l = arg;
	const char *target = NULL;
	struct opt_u64 created = { 0 };
	struct fault fault = { 0 };
	struct error *err;

	if (sink_full(l->run->sink) || !is_wanted(l, o))
		return NULL;
	if (o->info.type && strcmp(o->info.type, "SymbolicLink") == 0) {
		target = object_link_target(l->objects, o->info.va, &l->arena, &fault);
		created = object_link_time(l->objects, o->info.va);
	}
	if (fault.va)
		diag_partial(l->run->diag, "symbolic link 0x%" PRIx64 ": target: 0x%" PRIx64 ": %s",
			     o->info.va, fault.va, va_state_text(fault.state));
	err = sink_row(l->run->sink,
		       (struct cell[OBJECTS_NUM_COLUMNS]){
			       [OBJECTS_PATH] = cell_str(o->path),
			       [OBJECTS_TYPE] = cell_str(o->info.type),
			       [OBJECTS_OBJECT] = cell_addr(o->info.va),
			       [OBJECTS_TARGET] = cell_str(target),
			       [OBJECTS_POINTERS] = cell_opt(o->info.pointer_count),
			       [OBJECTS_HANDLES] = cell_opt(o->info.handle_count),
			       [OBJECTS_HEADER] = cell_addr(o->info.header),
			       [OBJECTS_ENTRY] = o->entry ? cell_addr(o->entry) : CELL_ABSENT,
			       [OBJECTS_CREATE_TIME] = cell_opt(created),
		       },
		       0);
	arena_reset(&l->arena);
	return err;
}

static struct error *list_below(struct objects_listing *l, const char *path)
{
	uint64_t start;
	struct error *err;

	if ((err = object_lookup(l->objects, path ? path : "\\", &start))) {
		/* As of every list whose root is not there: it is empty, and not whole. */
		if (path || (error_code(err) != ERROR_FAULT && error_code(err) != ERROR_NOT_FOUND))
			return err;
		diag_error(l->run->diag, err, "objects");
		return NULL;
	}
	path = path ? path : "\\";
	return namespace_walk(l->objects, start, path, objects_row, l);
}

static struct error *objects_run(struct command_run *run)
{
	const char *path = option_string(run->options, "path");
	struct objects_listing l = {
		.run = run,
		.type = option_string(run->options, "type"),
		.name = option_string(run->options, "name"),
	};
	struct error *err;

	if ((err = object_manager_open(run->kernel, &l.objects)))
		return err;
	arena_init(&l.arena, 0);
	err = list_below(&l, path);
	arena_deinit(&l.arena);
	object_manager_close(l.objects);
	return err;
}

const struct command cmd_objects = {
	.name = "objects",
	.summary = "list the kernel's namespace of objects",
	.description =
		"Walks the directories of the object manager from its root: devices, drivers, "
		"symbolic links such as drive letters, named events and mutexes, sections, ports, "
		"object types, and below \\Sessions what each session has of its own. Directories "
		"come before what they hold, in the kernel's own order.\n\n"
		"Objects without a name are in no directory, and private namespaces are in none "
		"that the root leads to; handles shows those that are open.",
	.example = "ntscope objects --path '\\Driver' memory.dmp",
	.options = objects_options,
	.num_options = ARRAY_SIZE(objects_options),
	.columns = objects_columns,
	.num_columns = OBJECTS_NUM_COLUMNS,
	.key_columns = "path",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = objects_run,
};
