/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/commands.h"
#include "cli/commands/code_cells.h"
#include "windows/kernel_tables/callbacks.h"

enum {
	CALLBACKS_TYPE,
	CALLBACKS_FUNCTION,
	CALLBACKS_MODULE,
	CALLBACKS_SYMBOL,
	CALLBACKS_ALTITUDE,
	CALLBACKS_COMPONENT,
	CALLBACKS_DETAIL,
	CALLBACKS_OFFSET,
	CALLBACKS_CONTEXT,
	CALLBACKS_OBJECT,
	CALLBACKS_RECORD,
	CALLBACKS_SOURCE,
	CALLBACKS_NUM_COLUMNS
};

static const struct column callbacks_columns[CALLBACKS_NUM_COLUMNS] = {
	[CALLBACKS_TYPE] = { "type", "TYPE", CELL_STR, 20, 0, "what it is called for" },
	[CALLBACKS_FUNCTION] = { "function", "FUNCTION", CELL_ADDR, 18, 0, "address of the code" },
	[CALLBACKS_MODULE] = { "module", "MODULE", CELL_STR, 20, 0, CODE_MODULE_HELP },
	[CALLBACKS_SYMBOL] = { "symbol", "SYMBOL", CELL_STR, 20, 0, CODE_SYMBOL_HELP },
	[CALLBACKS_ALTITUDE] = { "altitude", "ALTITUDE", CELL_STR, 8, 0,
				 "the order in which they are called (registry, objects)" },
	[CALLBACKS_COMPONENT] = { "component", "COMPONENT", CELL_STR, 9, 0,
				  "who registered it, as it says itself (bug checks)" },
	[CALLBACKS_DETAIL] = { "detail", "DETAIL", CELL_STR, 0, 0,
			       "object type and operations; reason at a bug check" },
	[CALLBACKS_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 10, COL_HIDDEN,
			       "of the function in the module" },
	[CALLBACKS_CONTEXT] = { "context", "CONTEXT", CELL_ADDR, 18, COL_HIDDEN,
				"what the function is given" },
	[CALLBACKS_OBJECT] = { "object", "OBJECT", CELL_ADDR, 18, COL_HIDDEN,
			       "the driver, device, callback object or type that it belongs to" },
	[CALLBACKS_RECORD] = { "record", "RECORD", CELL_ADDR, 18, COL_HIDDEN,
			       "address of the kernel's record" },
	[CALLBACKS_SOURCE] = { "source", "SOURCE", CELL_STR, 24, COL_HIDDEN,
			       "the kernel variable that leads to it" },
};

static const struct option_row callbacks_options[] = {
	{ "type", 0, OPTION_STRING, "TYPE", "only those of this type" },
};

static struct error *put_callback(struct command_run *run, struct code_names *names,
				  const struct callback *c)
{
	struct cell cells[CALLBACKS_NUM_COLUMNS] = {
		[CALLBACKS_TYPE] = cell_str(c->type),
		[CALLBACKS_FUNCTION] = cell_opt(c->function),
		[CALLBACKS_ALTITUDE] = cell_str(c->altitude),
		[CALLBACKS_COMPONENT] = cell_str(c->component),
		[CALLBACKS_DETAIL] = cell_str(c->detail),
		[CALLBACKS_CONTEXT] = cell_opt(c->context),
		[CALLBACKS_OBJECT] = cell_opt(c->object),
		[CALLBACKS_RECORD] = cell_addr(c->record),
		[CALLBACKS_SOURCE] = cell_str(c->source),
	};
	struct code_cells code;
	struct error *err;

	if ((err = code_cells_find(run, names, c->function, NULL, NULL, &code)))
		return err;
	cells[CALLBACKS_MODULE] = code.module;
	cells[CALLBACKS_OFFSET] = code.offset;
	cells[CALLBACKS_SYMBOL] = code.symbol;
	return sink_row(run->sink, cells, 0);
}

static struct error *callbacks_run(struct command_run *run)
{
	struct code_names names CLEANUP(code_names_deinit) = { 0 };
	struct callback_list list CLEANUP(callback_list_deinit) = { 0 };
	const char *type = option_string(run->options, "type");
	struct error *err;

	if ((type && (err = callback_type_check(type))) ||
	    (err = callbacks_read(run->kernel, &list)) ||
	    (list.count && (err = code_names_read(run->kernel, &names))))
		return err;
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++) {
		if (!type || strcmp(type, list.items[i].type) == 0)
			err = put_callback(run, &names, &list.items[i]);
	}
	return err;
}

const struct command cmd_callbacks = {
	.name = "callbacks",
	.summary = "list routines that drivers have the kernel call",
	.description =
		"Lists notify routines of processes, threads and images (create_process, "
		"create_thread, load_image), registry and object filters with their altitude "
		"(registry, object_pre, object_post), and who is called at a bug check, a "
		"non-maskable interrupt, shutdown, when file systems register, drivers are "
		"initialized again, logon sessions end, devices arrive, or a callback object is "
		"notified; each with the module that the code is in. A function in no listed "
		"module is told by the driver object whose image it is in; one in neither is code "
		"that no driver list shows.\n\n"
		"The lists are in no export: symbols of exactly this kernel are needed, built in "
		"or given, and some of the lists are known by symbol files only.",
	.example = "ntscope callbacks --type create_process memory.dmp",
	.options = callbacks_options,
	.num_options = ARRAY_SIZE(callbacks_options),
	.columns = callbacks_columns,
	.num_columns = CALLBACKS_NUM_COLUMNS,
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = callbacks_run,
};
