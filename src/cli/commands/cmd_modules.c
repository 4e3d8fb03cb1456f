/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <string.h>

#include "windows/modules/module.h"
#include "windows/modules/unloaded.h"

enum {
	MODULES_BASE,
	MODULES_SIZE,
	MODULES_NAME,
	MODULES_PATH,
	MODULES_OBJECT,
	MODULES_ENTRY_POINT,
	MODULES_TIME_DATE_STAMP,
	MODULES_CHECKSUM,
	MODULES_SOURCE,
	MODULES_START,
	MODULES_END,
	MODULES_TIME,
	MODULES_IN_LIST,
	MODULES_PHYSICAL,
	MODULES_NUM_COLUMNS
};

static const struct option_row modules_options[] = {
	{ "scan", 0, OPTION_FLAG, NULL,
	  "search all memory for the loader's records, also of modules that were hidden" },
	{ "unloaded", 0, OPTION_FLAG, NULL, "list the drivers that were unloaded instead" },
};

static const struct column modules_columns[MODULES_NUM_COLUMNS] = {
	[MODULES_BASE] = { "base", "BASE", CELL_ADDR, 18, 0, "virtual address of the image" },
	[MODULES_SIZE] = { "size", "SIZE", CELL_U64, 9, COL_RIGHT, "bytes in memory" },
	[MODULES_NAME] = { "name", "NAME", CELL_STR, 24, 0, "base name" },
	[MODULES_PATH] = { "path", "PATH", CELL_STR, 0, 0, "full name as the loader keeps it" },
	[MODULES_OBJECT] = { "object", "OBJECT", CELL_ADDR, 18, COL_HIDDEN,
			     "virtual address of the loader's record; small dumps have none" },
	[MODULES_ENTRY_POINT] = { "entry_point", "ENTRY POINT", CELL_ADDR, 18, COL_HIDDEN,
				  "virtual address of the entry point" },
	[MODULES_TIME_DATE_STAMP] = { "time_date_stamp", "STAMP", CELL_ADDR, 10, COL_HIDDEN,
				      "TimeDateStamp of the PE header; a hash in reproducible "
				      "builds" },
	[MODULES_CHECKSUM] = { "checksum", "CHECKSUM", CELL_ADDR, 10, COL_HIDDEN,
			       "checksum of the PE header" },
	[MODULES_SOURCE] = { "source", "SOURCE", CELL_STR, 6, COL_HIDDEN | COL_STATE,
			     "list (PsLoadedModuleList), pool_scan (its pool block) or triage (a "
			     "small dump's own list); "
			     "with --unloaded ring (MmUnloadedDrivers) or triage" },
	[MODULES_START] = { "start", "START", CELL_ADDR, 18, COL_ASKED,
			    "--unloaded: where it lay" },
	[MODULES_END] = { "end", "END", CELL_ADDR, 18, COL_ASKED,
			  "--unloaded: the first byte behind it" },
	[MODULES_TIME] = { "time", "TIME", CELL_TIME, 28, COL_ASKED,
			   "--unloaded: when that was; small dumps do not say" },
	[MODULES_IN_LIST] = { "in_list", "LISTED", CELL_BOOL, 6, COL_ASKED | COL_STATE,
			      "--scan: the list of loaded modules leads to it" },
	[MODULES_PHYSICAL] = { "physical", "PHYSICAL", CELL_ADDR, 11, COL_ASKED,
			       "--scan: physical address of its pool block" },
};

static struct error *modules_row(struct command_run *run, const struct kernel_module *m)
{
	struct cell cells[MODULES_NUM_COLUMNS] = {
		[MODULES_BASE] = cell_addr(m->base),
		[MODULES_SIZE] = m->has_size ? cell_u64(m->size) : CELL_ABSENT,
		[MODULES_NAME] = cell_str(m->name),
		[MODULES_PATH] = cell_str(m->path),
		[MODULES_OBJECT] = m->object ? cell_addr(m->object) : CELL_ABSENT,
		[MODULES_ENTRY_POINT] =
			m->has_entry_point ? cell_addr(m->entry_point) : CELL_ABSENT,
		[MODULES_TIME_DATE_STAMP] =
			m->has_time_date_stamp ? cell_addr(m->time_date_stamp) : CELL_ABSENT,
		[MODULES_CHECKSUM] = m->has_checksum ? cell_addr(m->checksum) : CELL_ABSENT,
		[MODULES_SOURCE] = cell_str(m->source),
		[MODULES_IN_LIST] = cell_bool(m->in_list),
		[MODULES_PHYSICAL] = cell_opt(m->pool),
	};

	return sink_row(run->sink, cells, 0);
}

static const char *modules_default_columns(const struct option_values *options)
{
	const char *format = option_string(options, "format");

	if (option_flag(options, "unloaded"))
		return "name,start,end,time";
	if (!option_flag(options, "scan"))
		return NULL;
	if (!format || strcmp(format, "text") == 0)
		return "base,size,name,in_list,path";
	return "base,size,name,path,object,entry_point,time_date_stamp,checksum,source,in_list,"
	       "physical";
}

static struct error *unloaded_row(struct command_run *run, const struct unloaded_driver *d)
{
	struct cell cells[MODULES_NUM_COLUMNS] = {
		[MODULES_BASE] = cell_addr(d->start),
		[MODULES_SIZE] = d->end >= d->start ? cell_u64(d->end - d->start) : CELL_ABSENT,
		[MODULES_NAME] = cell_str(d->name),
		[MODULES_SOURCE] = cell_str(d->source),
		[MODULES_START] = cell_addr(d->start),
		[MODULES_END] = cell_addr(d->end),
		[MODULES_TIME] = d->has_time ? cell_time(d->time) : CELL_ABSENT,
	};

	return sink_row(run->sink, cells, 0);
}

static struct error *unloaded_run(struct command_run *run)
{
	struct unloaded_list list CLEANUP(unloaded_drivers_deinit) = { 0 };
	struct error *err = unloaded_drivers_read(run->kernel, &list);

	for (size_t i = 0; !err && i < list.count && !sink_full(run->sink); i++)
		err = unloaded_row(run, &list.items[i]);
	return err;
}

static struct error *modules_run(struct command_run *run)
{
	struct kernel_module_list list;
	struct error *err;

	if (option_flag(run->options, "unloaded") && option_flag(run->options, "scan"))
		return error_new(ERROR_USAGE, "--scan and --unloaded are two listings");
	if (option_flag(run->options, "unloaded"))
		return unloaded_run(run);
	err = option_flag(run->options, "scan") ? kernel_modules_scan(run->kernel, &list)
						: kernel_modules_read(run->kernel, &list);
	if (err)
		return err;
	kernel_modules_report_paths(&list, run->diag);
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++)
		err = modules_row(run, &list.items[i]);
	kernel_modules_deinit(&list);
	return err;
}

const struct command cmd_modules = {
	.name = "modules",
	.summary = "list kernel modules, loaded or unloaded",
	.description =
		"Follows PsLoadedModuleList from both ends, in load order; the kernel itself comes "
		"first. Of a small (triage) dump it prints the driver list that the dump "
		"carries.\n\n"
		"With --scan it searches all memory for the loader's records by the tag of their "
		"pool blocks and lists them in order of physical address, then those that only "
		"the list has. A record that the list does not lead to is of a driver that hides, "
		"or of one that is gone and whose memory was not used again.\n\n"
		"With --unloaded it prints the drivers that Windows remembers having unloaded, at "
		"most 50, the last one first. Small dumps keep 12 characters of their names.",
	.example = "ntscope modules --format csv memory.dmp",
	.options = modules_options,
	.num_options = ARRAY_SIZE(modules_options),
	.columns = modules_columns,
	.num_columns = MODULES_NUM_COLUMNS,
	.key_columns = "base",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.default_columns = modules_default_columns,
	.run = modules_run,
};
