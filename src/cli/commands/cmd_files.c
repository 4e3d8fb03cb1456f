/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/names.h"
#include "windows/regions/file_cache.h"
#include "windows/regions/file_list.h"
#include "windows/regions/section.h"

enum {
	FILES_OBJECT,
	FILES_ACCESS,
	FILES_SIZE,
	FILES_HANDLES,
	FILES_REGIONS,
	FILES_SOURCE,
	FILES_PATH,
	FILES_NAME,
	FILES_DEVICE,
	FILES_FLAGS,
	FILES_DELETE_PENDING,
	FILES_POINTERS,
	FILES_DATA,
	FILES_CACHE,
	FILES_IMAGE,
	FILES_NUM_COLUMNS
};

static const struct column files_columns[FILES_NUM_COLUMNS] = {
	[FILES_OBJECT] = { "object", "OBJECT", CELL_ADDR, 18, COL_MINOR,
			   "virtual address of the object" },
	[FILES_ACCESS] = { "access", "ACCESS", CELL_STR, 6, 0,
			   "R read, W write, D delete: what it was opened for; r, w, d: what "
			   "others "
			   "may open it for meanwhile" },
	[FILES_SIZE] = { "size", "SIZE", CELL_U64, 10, COL_RIGHT,
			 "of the file, as the cache manager knows it, else of its data section" },
	[FILES_HANDLES] = { "handles", "HND", CELL_U64, 4, COL_RIGHT, "open handles to it" },
	[FILES_REGIONS] = { "regions", "VADS", CELL_U64, 4, COL_RIGHT,
			    "regions of processes that map a section made of it" },
	[FILES_SOURCE] = { "source", "SOURCE", CELL_STR, 6, 0,
			   "what led to it: handle, region, pool_scan (the first of these)" },
	[FILES_PATH] = { "path", "PATH", CELL_STR, 0, 0, "device and name" },
	[FILES_NAME] = { "name", "NAME", CELL_STR, 0, COL_HIDDEN, "as the object has it" },
	[FILES_DEVICE] = { "device", "DEVICE", CELL_ADDR, 18, COL_HIDDEN,
			   "device object that it was opened on" },
	[FILES_FLAGS] = { "flags", "FLAGS", CELL_ADDR, 10, COL_HIDDEN, "FO_ flags, see wdm.h" },
	[FILES_DELETE_PENDING] = { "delete_pending", "DELETE PENDING", CELL_BOOL, 14, COL_HIDDEN,
				   "it goes when it is closed" },
	[FILES_POINTERS] = { "section_pointers", "SECTION POINTERS", CELL_ADDR, 18, COL_HIDDEN,
			     "shared by all objects of the file" },
	[FILES_DATA] = { "data_section", "DATA SECTION", CELL_ADDR, 18, COL_HIDDEN,
			 "control area of the file as data" },
	[FILES_CACHE] = { "shared_cache_map", "CACHE MAP", CELL_ADDR, 18, COL_HIDDEN,
			  "of the cache manager" },
	[FILES_IMAGE] = { "image_section", "IMAGE SECTION", CELL_ADDR, 18, COL_HIDDEN,
			  "control area of the file as an image" },
};

static const struct option_row files_options[] = {
	{ "scan", 0, OPTION_FLAG, NULL,
	  "also what the tags of pool blocks lead to, in all of memory: files that are open in the "
	  "kernel alone or in processes that no list has, and closed ones; not with --pid" },
	{ "name", 0, OPTION_STRING, "PATTERN",
	  "only files whose path has this in it, or, with * or ?, is like this" },
};

struct files_sizes {
	struct section_reader sections;
	struct file_cache_reader caches;
};

static struct cell size_cell(const struct files_sizes *r, const struct file_object *file)
{
	struct control_area area;
	struct file_cache cache;

	if (file->shared_cache_map.present &&
	    file_cache_read(&r->caches, file->shared_cache_map.value, &cache) &&
	    cache.file_size.present)
		return cell_opt(cache.file_size);
	if (file->data_section.present &&
	    control_area_read(&r->sections, file->data_section.value, &area))
		return cell_opt(area.size);
	return CELL_ABSENT;
}

static const char *source_word(unsigned found)
{
	if (found & FILE_BY_HANDLE)
		return "handle";
	return found & FILE_BY_REGION ? "region" : "pool_scan";
}

static struct error *files_row(struct command_run *run, const struct files_sizes *sizes,
			       const struct listed_file *listed)
{
	const struct file_object *file = &listed->object;
	const char *pattern = option_string(run->options, "name");
	struct cell cells[FILES_NUM_COLUMNS] = {
		[FILES_OBJECT] = cell_addr(file->va),
		[FILES_ACCESS] = cell_str(*file->access ? file->access : NULL),
		[FILES_SIZE] = size_cell(sizes, file),
		[FILES_HANDLES] = cell_u64(listed->handles),
		[FILES_REGIONS] = cell_u64(listed->regions),
		[FILES_SOURCE] = cell_str(source_word(listed->found)),
		[FILES_PATH] = cell_str(listed->path),
		[FILES_NAME] = cell_str(file->name),
		[FILES_DEVICE] = cell_opt(file->device),
		[FILES_FLAGS] = cell_opt(file->flags),
		[FILES_DELETE_PENDING] = file->delete_pending.present
						 ? cell_bool(file->delete_pending.value != 0)
						 : CELL_ABSENT,
		[FILES_POINTERS] = cell_opt(file->pointers),
		[FILES_DATA] = cell_opt(file->data_section),
		[FILES_CACHE] = cell_opt(file->shared_cache_map),
		[FILES_IMAGE] = cell_opt(file->image_section),
	};

	if (pattern && !(listed->path && names_match(pattern, listed->path)))
		return NULL;
	return sink_row(run->sink, cells, 0);
}

static struct error *files_rows(struct command_run *run, const struct file_list *list)
{
	struct files_sizes sizes;
	struct error *err;

	if ((err = section_reader_init(run->kernel, &sizes.sections)) ||
	    (err = file_cache_reader_init(run->kernel, &sizes.caches)))
		return err;
	for (size_t i = 0; i < list->count && !err && !sink_full(run->sink); i++)
		err = files_row(run, &sizes, &list->items[i]);
	if (list->without_address)
		diag_note(run->diag,
			  "%" PRIu64 " more file objects are in pages that the kernel does not map",
			  list->without_address);
	return err;
}

static struct error *files_run(struct command_run *run)
{
	struct object_manager *om = NULL;
	struct file_list_options options = { .scan = option_flag(run->options, "scan") };
	struct file_list list = { 0 };
	struct error *err;

	options.pid.present = option_u64(run->options, "pid", &options.pid.value);
	if (options.pid.present && options.scan)
		return error_new(ERROR_USAGE, "--scan is of the whole machine: not with --pid");
	if ((err = object_manager_open(run->kernel, &om)))
		return err;
	err = file_list_read(run->kernel, om, &options, &list);
	if (!err)
		err = files_rows(run, &list);
	file_list_deinit(&list);
	object_manager_close(om);
	return err;
}

const struct command cmd_files = {
	.name = "files",
	.summary = "list file objects",
	.description =
		"Lists each file object once, by address: those that the listed processes have "
		"handles to, and those of the sections that their regions map. --scan adds what "
		"pool tags lead to. One file may have many objects; section_pointers tells which "
		"belong together. dump --file writes what memory holds of a file.\n\n"
		"The size is known of files that are cached or mapped as data.",
	.example = "ntscope files --scan --name '*.docx' memory.dmp",
	.options = files_options,
	.num_options = ARRAY_SIZE(files_options),
	.columns = files_columns,
	.num_columns = FILES_NUM_COLUMNS,
	.key_columns = "object",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = files_run,
};
