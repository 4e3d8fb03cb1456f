/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/names.h"
#include "windows/regions/file_list.h"
#include "windows/regions/section.h"

enum {
	SECTIONS_AREA,
	SECTIONS_TYPE,
	SECTIONS_SIZE,
	SECTIONS_PAGES,
	SECTIONS_MAPPED,
	SECTIONS_TRANSITION,
	SECTIONS_PAGEFILE,
	SECTIONS_VIEWS,
	SECTIONS_FILE,
	SECTIONS_REFERENCES,
	SECTIONS_SUBSECTIONS,
	SECTIONS_SEGMENT,
	SECTIONS_FILE_OBJECT,
	SECTIONS_NUM_COLUMNS
};

static const struct column sections_columns[SECTIONS_NUM_COLUMNS] = {
	[SECTIONS_AREA] = { "control_area", "CONTROL AREA", CELL_ADDR, 18, 0,
			    "virtual address of the control area" },
	[SECTIONS_TYPE] = { "type", "TYPE", CELL_STR, 8, 0,
			    "image, data (a file, mapped or cached), pagefile (shared memory)" },
	[SECTIONS_SIZE] = { "size", "SIZE", CELL_U64, 10, COL_RIGHT, "of the segment, in bytes" },
	[SECTIONS_PAGES] = { "pages", "PAGES", CELL_U64, 7, COL_RIGHT, "prototype PTEs" },
	[SECTIONS_MAPPED] = { "mapped", "MAPPED", CELL_U64, 6, COL_RIGHT,
			      "pages that are in memory, in somebody's working set" },
	[SECTIONS_TRANSITION] = { "transition", "TRANS", CELL_U64, 5, COL_RIGHT,
				  "pages that are in memory, in nobody's" },
	[SECTIONS_PAGEFILE] = { "pagefile", "PAGED", CELL_U64, 5, COL_RIGHT,
				"pages that are in a page file" },
	[SECTIONS_VIEWS] = { "views", "VIEWS", CELL_U64, 5, COL_RIGHT, "how often it is mapped" },
	[SECTIONS_FILE] = { "file", "FILE", CELL_STR, 0, 0, "that it is made of" },
	[SECTIONS_REFERENCES] = { "references", "REFERENCES", CELL_U64, 10, COL_RIGHT | COL_HIDDEN,
				  "of section objects" },
	[SECTIONS_SUBSECTIONS] = { "subsections", "SUBSECTIONS", CELL_U64, 11,
				   COL_RIGHT | COL_HIDDEN, "parts of it" },
	[SECTIONS_SEGMENT] = { "segment", "SEGMENT", CELL_ADDR, 18, COL_HIDDEN,
			       "virtual address of the segment" },
	[SECTIONS_FILE_OBJECT] = { "file_object", "FILE OBJECT", CELL_ADDR, 18, COL_HIDDEN,
				   "of the file" },
};

static const struct option_row sections_options[] = {
	{ "scan", 0, OPTION_FLAG, NULL,
	  "also those of files that only pool tags lead to; not with --pid" },
	{ "file", 0, OPTION_STRING, "PATTERN",
	  "only those of files whose path has this in it, or, with * or ?, is like this" },
};

/* Pages whose entries one run looks at: 1 TiB of sections. */
#define MAX_PAGES_IN_ALL (UINT64_C(1) << 28)

struct sections {
	struct command_run *run;
	struct object_manager *om;
	struct section_reader reader;
	struct arena arena;
	uint64_t pages; /* looked at */
};

static struct error *count_page(void *arg, const struct section_page *page)
{
	uint64_t *counts = arg;

	counts[page->state] += page->count;
	return NULL;
}

static const char *type_word(const struct control_area *area)
{
	if (area->is_image)
		return "image";
	if (!area->is_file.present)
		return NULL;
	return area->is_file.value ? "data" : "pagefile";
}

static struct error *sections_row(struct sections *s, const struct control_area *area,
				  const struct subsection_list *parts, const char *file)
{
	uint64_t counts[NUM_VA_STATES] = { 0 };
	struct error *err = NULL;
	struct cell cells[SECTIONS_NUM_COLUMNS] = {
		[SECTIONS_AREA] = cell_addr(area->va),
		[SECTIONS_TYPE] = cell_str(type_word(area)),
		[SECTIONS_SIZE] = cell_opt(area->size),
		[SECTIONS_PAGES] = cell_opt(area->pages),
		[SECTIONS_VIEWS] = cell_opt(area->views),
		[SECTIONS_FILE] = cell_str(file),
		[SECTIONS_REFERENCES] = cell_opt(area->references),
		[SECTIONS_SUBSECTIONS] = cell_u64(parts->count),
		[SECTIONS_SEGMENT] = cell_addr(area->segment),
		[SECTIONS_FILE_OBJECT] = cell_opt(area->file_object),
	};

	for (size_t i = 0; i < parts->count; i++)
		s->pages += parts->items[i].base.present ? parts->items[i].pages : 0;
	if (s->pages > MAX_PAGES_IN_ALL) {
		diag_partial(s->run->diag, "control area 0x%" PRIx64 ": its pages are not counted",
			     area->va);
		return sink_row(s->run->sink, cells, 0);
	}
	for (size_t i = 0; i < parts->count && !err; i++)
		err = subsection_each_page(&s->reader, &parts->items[i], count_page, counts);
	if (err)
		return err;
	cells[SECTIONS_MAPPED] = cell_u64(counts[VA_MAPPED]);
	cells[SECTIONS_TRANSITION] = cell_u64(counts[VA_TRANSITION]);
	cells[SECTIONS_PAGEFILE] = cell_u64(counts[VA_PAGEFILE]);
	if (counts[VA_NOT_CAPTURED])
		diag_partial(s->run->diag,
			     "control area 0x%" PRIx64 ": %" PRIu64
			     " of its prototype PTEs are absent",
			     area->va, counts[VA_NOT_CAPTURED]);
	return sink_row(s->run->sink, cells, 0);
}

static struct error *section_of_area(struct sections *s, uint64_t va)
{
	struct subsection_list parts CLEANUP(subsection_list_deinit) = { 0 };
	const char *pattern = option_string(s->run->options, "file"), *file = NULL;
	struct control_area area;
	struct fault fault = { 0 };
	struct error *err;

	if (!control_area_read(&s->reader, va, &area)) {
		diag_partial(s->run->diag, "0x%" PRIx64 ": no control area can be read there", va);
		return NULL;
	}
	if (area.file_object.present)
		file = object_file_path(s->om, area.file_object.value, &s->arena, &fault);
	if (pattern && !(file && names_match(pattern, file)))
		return NULL;
	if ((err = subsection_list_read(&s->reader, &area, &parts)))
		return err;
	if (parts.broken)
		diag_partial(s->run->diag,
			     "control area 0x%" PRIx64 ": its subsections end at 0x%" PRIx64 ": %s",
			     va, parts.broken_at, parts.broken);
	return sections_row(s, &area, &parts, file);
}

static struct error *each_area(struct sections *s, const struct file_list *list)
{
	struct error *err = section_reader_init(s->run->kernel, &s->reader);

	if (!err && !s->reader.area_size)
		return error_new(ERROR_UNSUPPORTED, "the layout of sections is not known");
	for (size_t i = 0; i < list->num_areas && !err && !sink_full(s->run->sink); i++) {
		err = section_of_area(s, list->areas[i]);
		arena_reset(&s->arena);
	}
	return err;
}

static struct error *sections_run(struct command_run *run)
{
	struct sections s = { .run = run };
	struct file_list_options options = { .scan = option_flag(run->options, "scan") };
	struct file_list list = { 0 };
	struct error *err;

	options.pid.present = option_u64(run->options, "pid", &options.pid.value);
	if (options.pid.present && options.scan)
		return error_new(ERROR_USAGE, "--scan is of the whole machine: not with --pid");
	if ((err = object_manager_open(run->kernel, &s.om)))
		return err;
	arena_init(&s.arena, 0);
	err = file_list_read(run->kernel, s.om, &options, &list);
	if (!err)
		err = each_area(&s, &list);
	file_list_deinit(&list);
	arena_deinit(&s.arena);
	object_manager_close(s.om);
	return err;
}

const struct command cmd_sections = {
	.name = "sections",
	.summary = "list what is mapped: files, images and shared memory",
	.description =
		"Lists control areas, by address: the memory manager's one record of a file that "
		"is "
		"mapped or cached (data), of an image, or of shared memory. They are found by the "
		"regions of the listed processes, by their handles to sections, and by the files "
		"that they have open or mapped (files). What was mapped once and is still in "
		"memory "
		"is listed when its file is, for instance with --scan.\n\n"
		"Pages that are in none of the counts are only in their file, or nowhere yet.",
	.example = "ntscope sections --file ntdll memory.dmp",
	.options = sections_options,
	.num_options = ARRAY_SIZE(sections_options),
	.columns = sections_columns,
	.num_columns = SECTIONS_NUM_COLUMNS,
	.key_columns = "control_area",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = sections_run,
};
