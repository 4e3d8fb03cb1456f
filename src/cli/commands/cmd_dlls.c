/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "cli/commands/user_processes.h"
#include "windows/pe/tables.h"

enum {
	DLLS_PID,
	DLLS_PROCESS_NAME,
	DLLS_BASE,
	DLLS_SIZE,
	DLLS_NAME,
	DLLS_LOAD_TIME,
	DLLS_WOW64,
	DLLS_IN_LOAD,
	DLLS_IN_INIT,
	DLLS_IN_MEM,
	DLLS_PATH,
	DLLS_ENTRY_POINT,
	DLLS_LOAD_REASON,
	DLLS_LOAD_COUNT,
	DLLS_TIME_DATE_STAMP,
	DLLS_ENTRY,
	DLLS_FILE_VERSION,
	DLLS_PRODUCT_VERSION,
	DLLS_COMPANY,
	DLLS_PRODUCT,
	DLLS_DESCRIPTION,
	DLLS_ORIGINAL_NAME,
	DLLS_NUM_COLUMNS
};

static const struct column dlls_columns[DLLS_NUM_COLUMNS] = {
	[DLLS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[DLLS_PROCESS_NAME] = { "process_name", "PROCESS", CELL_STR, 15, COL_HIDDEN,
				"image name of the process" },
	[DLLS_BASE] = { "base", "BASE", CELL_ADDR, 14, 0, "where the image lies" },
	[DLLS_SIZE] = { "size", "SIZE", CELL_U64, 9, COL_RIGHT, "bytes in memory" },
	[DLLS_NAME] = { "name", "NAME", CELL_STR, 20, 0, "base name" },
	[DLLS_LOAD_TIME] = { "load_time", "LOADED", CELL_TIME, 28, COL_HIDDEN,
			     "when it was loaded, UTC" },
	[DLLS_WOW64] = { "wow64", "WOW64", CELL_BOOL, 5, COL_MINOR,
			 "named by the 32-bit loader of a WoW64 process" },
	[DLLS_IN_LOAD] = { "in_load", "LOAD", CELL_BOOL, 5, COL_STATE,
			   "in the list by load order; absent where that is broken" },
	[DLLS_IN_INIT] = { "in_init", "INIT", CELL_BOOL, 5, COL_STATE,
			   "in the list by order of initialization, which programs are never in" },
	[DLLS_IN_MEM] = { "in_mem", "MEM", CELL_BOOL, 5, COL_STATE, "in the list by memory order" },
	[DLLS_PATH] = { "path", "PATH", CELL_STR, 0, 0, "full name as the loader keeps it" },
	[DLLS_ENTRY_POINT] = { "entry_point", "ENTRY POINT", CELL_ADDR, 14, COL_HIDDEN,
			       "address of the entry point" },
	[DLLS_LOAD_REASON] = { "load_reason", "REASON", CELL_STR, 17, COL_HIDDEN,
			       "why it was loaded: static_dependency, dynamic_load, ...; since "
			       "Windows 8" },
	[DLLS_LOAD_COUNT] = { "load_count", "COUNT", CELL_I64, 5, COL_RIGHT | COL_HIDDEN,
			      "references; -1: stays loaded" },
	[DLLS_TIME_DATE_STAMP] = { "time_date_stamp", "STAMP", CELL_ADDR, 10, COL_HIDDEN,
				   "TimeDateStamp of the PE header; a hash in reproducible "
				   "builds" },
	[DLLS_ENTRY] = { "ldr_entry", "RECORD", CELL_ADDR, 14, COL_HIDDEN,
			 "address of the loader's record" },
	[DLLS_FILE_VERSION] = { "file_version", "VERSION", CELL_STR, 16, COL_ASKED,
				"--versions: of the file, from its version resource" },
	[DLLS_PRODUCT_VERSION] = { "product_version", "PRODUCT VERSION", CELL_STR, 16, COL_ASKED,
				   "--versions: of the product" },
	[DLLS_COMPANY] = { "company", "COMPANY", CELL_STR, 24, COL_ASKED,
			   "--versions: who made it, as it says itself" },
	[DLLS_PRODUCT] = { "product", "PRODUCT", CELL_STR, 32, COL_ASKED,
			   "--versions: what it is a part of" },
	[DLLS_DESCRIPTION] = { "description", "DESCRIPTION", CELL_STR, 32, COL_ASKED,
			       "--versions: what it is" },
	[DLLS_ORIGINAL_NAME] = { "original_name", "ORIGINAL NAME", CELL_STR, 20, COL_ASKED,
				 "--versions: the name that it was built with" },
};

static const struct option_row dlls_options[] = {
	PROCESS_OPTION_ROWS,
	{ "versions", 0, OPTION_FLAG, NULL, "add the columns of each image's version resource" },
};

/* Which columns --versions asks for: those of the table by default and its own; of these a text
 * table has room for some. */
static const char *dlls_default_columns(const struct option_values *options)
{
	const char *format = option_string(options, "format");

	if (!option_flag(options, "versions"))
		return NULL;
	if (!format || strcmp(format, "text") == 0)
		return "pid,base,name,file_version,company,description";
	return "pid,base,size,name,file_version,company,product,description,original_name,wow64,"
	       "path";
}

static const char *version_string(const struct pe_version *v, const char *key)
{
	for (size_t i = 0; i < v->num_strings; i++) {
		if (text_equal_nocase(v->strings[i].key, key))
			return v->strings[i].value;
	}
	return NULL;
}

static const char *version_number(struct arena *a, const uint16_t part[4])
{
	return arena_printf(a, "%u.%u.%u.%u", part[0], part[1], part[2], part[3]);
}

/* An image without the resource is none to speak of; what was not readable of one is counted. */
static struct error *forgive(const struct process_visit *visit, struct error *err,
			     struct gaps *gaps)
{
	struct fault fault;
	uint64_t pa;

	if (error_code(err) == ERROR_NO_MEMORY)
		return err;
	if (error_address(err, &fault.va)) {
		fault.state = space_translate(visit->space, fault.va, &pa);
		gaps_add(gaps, &fault);
	}
	error_destroy(err);
	return NULL;
}

/* What the image says of itself. Resources are often paged out. */
static struct error *add_version(const struct process_visit *visit, uint64_t base,
				 struct gaps *gaps, struct cell *cells)
{
	struct pe_version version = { 0 };
	struct pe_image pe;
	struct error *err;

	err = pe_read_any(visit->space, base, &pe);
	if (!err)
		err = pe_version_read(visit->space, &pe, visit->arena, &version);
	if (err)
		return forgive(visit, err, gaps);
	if (version.has_fixed) {
		cells[DLLS_FILE_VERSION] = cell_str(version_number(visit->arena, version.file));
		cells[DLLS_PRODUCT_VERSION] =
			cell_str(version_number(visit->arena, version.product));
	}
	cells[DLLS_COMPANY] = cell_str(version_string(&version, "CompanyName"));
	cells[DLLS_PRODUCT] = cell_str(version_string(&version, "ProductName"));
	cells[DLLS_DESCRIPTION] = cell_str(version_string(&version, "FileDescription"));
	cells[DLLS_ORIGINAL_NAME] = cell_str(version_string(&version, "OriginalFilename"));
	return NULL;
}

static struct cell cell_opt_bool(struct opt_u64 v)
{
	return v.present ? cell_bool(v.value) : CELL_ABSENT;
}

static struct error *dlls_row(struct command_run *run, const struct process_visit *visit,
			      const struct user_module *m, struct gaps *gaps)
{
	struct cell cells[DLLS_NUM_COLUMNS] = {
		[DLLS_PID] = cell_opt(visit->process->pid),
		[DLLS_PROCESS_NAME] = cell_str(visit->process->name),
		[DLLS_BASE] = cell_opt(m->base),
		[DLLS_SIZE] = cell_opt(m->size),
		[DLLS_NAME] = cell_str(m->name),
		[DLLS_LOAD_TIME] = cell_opt(m->load_time),
		[DLLS_WOW64] = cell_bool(m->view == USER_WOW64),
		[DLLS_IN_LOAD] = cell_opt_bool(m->in_list[LOADER_LOAD_ORDER]),
		[DLLS_IN_INIT] = cell_opt_bool(m->in_list[LOADER_INIT_ORDER]),
		[DLLS_IN_MEM] = cell_opt_bool(m->in_list[LOADER_MEMORY_ORDER]),
		[DLLS_PATH] = cell_str(m->path),
		[DLLS_ENTRY_POINT] = cell_opt(m->entry_point),
		[DLLS_LOAD_REASON] = cell_str(m->load_reason),
		[DLLS_LOAD_COUNT] = m->has_load_count ? cell_i64(m->load_count) : CELL_ABSENT,
		[DLLS_TIME_DATE_STAMP] = cell_opt(m->time_date_stamp),
		[DLLS_ENTRY] = cell_addr(m->entry),
	};
	struct error *err = NULL;

	if (option_flag(run->options, "versions") && m->base.present)
		err = add_version(visit, m->base.value, gaps, cells);
	return err ? err : sink_row(run->sink, cells, 0);
}

static struct error *dlls_process(struct command_run *run, const struct process_visit *visit,
				  const struct user_process *user)
{
	struct user_module_list list;
	struct gaps gaps = { 0 };
	struct error *err;

	if ((err = user_modules_read(user, &list)))
		return err;
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++)
		err = dlls_row(run, visit, &list.items[i], &gaps);
	user_report_gaps(user, USER_NATIVE, "version resources", &gaps);
	user_modules_deinit(&list);
	return err;
}

static struct error *dlls_run(struct command_run *run)
{
	return each_user_process(run, dlls_process);
}

const struct command cmd_dlls = {
	.name = "dlls",
	.summary = "list the modules that each process's loader knows",
	.description =
		"Follows the three lists that the loader of a process keeps of its modules, by "
		"load order, by memory order and by order of initialization, each from both ends, "
		"and lists every module once with the lists that name it. A WoW64 process has two "
		"loaders: the native modules come first, then the 32-bit ones.\n\n"
		"All of this lies in the process's own pages, where it can change it at will: a "
		"module that was taken out of all three lists, or was never put there, is found "
		"among the process's regions of images (vads), not here. Of a module in only some "
		"of the lists, the others' columns are false. Programs are not in the list by "
		"initialization.",
	.example = "ntscope dlls --pid 4242 memory.dmp",
	.options = dlls_options,
	.num_options = ARRAY_SIZE(dlls_options),
	.columns = dlls_columns,
	.num_columns = DLLS_NUM_COLUMNS,
	.key_columns = "pid,base",
	.flags = COMMAND_NEEDS_KERNEL,
	.default_columns = dlls_default_columns,
	.run = dlls_run,
};
