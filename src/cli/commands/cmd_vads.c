/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"
#include "base/text.h"
#include "cli/commands/regions.h"
#include "cli/names.h"
#include "cli/processes.h"

enum {
	VADS_PID,
	VADS_PROCESS,
	VADS_START,
	VADS_END,
	VADS_TYPE,
	VADS_PROTECTION,
	VADS_COMMIT,
	VADS_TAG,
	VADS_FILE,
	VADS_PRIVATE,
	VADS_MEM_COMMIT,
	VADS_VAD,
	VADS_PARENT,
	VADS_CONTROL_AREA,
	VADS_SUBSECTION,
	VADS_FILE_OBJECT,
	VADS_FIRST_PTE,
	VADS_LAST_PTE,
	VADS_EPROCESS,
	VADS_NUM_COLUMNS
};

static const struct column vads_columns[VADS_NUM_COLUMNS] = {
	[VADS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[VADS_PROCESS] = { "process_name", "PROCESS", CELL_STR, 15, COL_HIDDEN,
			   "name of the process" },
	[VADS_START] = { "start", "START", CELL_ADDR, 14, 0, "first byte" },
	[VADS_END] = { "end", "END", CELL_ADDR, 14, 0, "last byte" },
	[VADS_TYPE] = { "type", "TYPE", CELL_STR, 7, 0,
			"private, mapped (of a file or of the page file), image; or what else the "
			"descriptor says: physical, awe, write_watch, large_pages, "
			"rotate_physical, large_page_section" },
	[VADS_PROTECTION] = { "protection", "PROTECTION", CELL_STR, 22, 0,
			      "of the region as a whole, when it was made; single pages may "
			      "differ (maps)" },
	[VADS_COMMIT] = { "commit", "COMMIT", CELL_U64, 6, COL_RIGHT | COL_MINOR, "pages charged" },
	[VADS_TAG] = { "tag", "TAG", CELL_STR, 4, COL_MINOR,
		       "of the pool block of the descriptor" },
	[VADS_FILE] = { "file", "FILE", CELL_STR, 0, 0, "file that is mapped there" },
	[VADS_PRIVATE] = { "private", "PRIVATE", CELL_BOOL, 7, COL_HIDDEN, "private memory" },
	[VADS_MEM_COMMIT] = { "mem_commit", "MEM COMMIT", CELL_BOOL, 10, COL_HIDDEN,
			      "committed when it was made" },
	[VADS_VAD] = { "vad", "VAD", CELL_ADDR, 18, COL_HIDDEN, "virtual address of the node" },
	[VADS_PARENT] = { "parent", "PARENT", CELL_ADDR, 18, COL_HIDDEN, "the node above it" },
	[VADS_CONTROL_AREA] = { "control_area", "CONTROL AREA", CELL_ADDR, 18, COL_HIDDEN,
				"of the section that is mapped" },
	[VADS_SUBSECTION] = { "subsection", "SUBSECTION", CELL_ADDR, 18, COL_HIDDEN,
			      "of the section, where the region begins" },
	[VADS_FILE_OBJECT] = { "file_object", "FILE OBJECT", CELL_ADDR, 18, COL_HIDDEN,
			       "of the file that is mapped" },
	[VADS_FIRST_PTE] = { "first_prototype_pte", "FIRST PROTOTYPE PTE", CELL_ADDR, 18,
			     COL_HIDDEN, "of the region's first page" },
	[VADS_LAST_PTE] = { "last_prototype_pte", "LAST PROTOTYPE PTE", CELL_ADDR, 18, COL_HIDDEN,
			    "the last that lies in one array with the first" },
	[VADS_EPROCESS] = { "eprocess", "EPROCESS", CELL_ADDR, 18, COL_HIDDEN, "of the process" },
};

static const struct option_row vads_options[] = {
	PROCESS_OPTION_ROWS,
	{ "file", 0, OPTION_STRING, "PATTERN",
	  "only mappings of files whose path has this in it, or, with * or ?, is like this; case "
	  "is ignored" },
	{ "address", 0, OPTION_ADDRESS, "ADDRESS", "only the region that covers this address" },
};

static struct cell cell_opt_bool(struct opt_u64 v)
{
	return v.present ? cell_bool(v.value != 0) : CELL_ABSENT;
}

static struct cell tag_cell(const struct vad *vad, struct arena *a)
{
	uint8_t bytes[VAD_TAG_SIZE];

	if (!vad->tag.present)
		return CELL_ABSENT;
	store_u32(bytes, (uint32_t)vad->tag.value);
	return cell_str(text_from_ansi(a, bytes, sizeof(bytes)));
}

static struct error *vads_row(struct command_run *run, const struct process_visit *visit,
			      const struct vad *vad, const char *file)
{
	const struct process *p = visit->process;
	struct cell cells[VADS_NUM_COLUMNS] = {
		[VADS_PID] = cell_opt(p->pid),
		[VADS_PROCESS] = cell_str(p->name),
		[VADS_START] = cell_addr(vad->start),
		[VADS_END] = cell_addr(vad->last),
		[VADS_TYPE] = cell_str(vad_type_name(vad)),
		[VADS_PROTECTION] = vad->protection.present
					    ? cell_str(vad_protection_name(vad->protection.value))
					    : CELL_ABSENT,
		[VADS_COMMIT] = cell_opt(vad->commit),
		[VADS_TAG] = tag_cell(vad, visit->arena),
		[VADS_FILE] = cell_str(file),
		[VADS_PRIVATE] = cell_opt_bool(vad->is_private),
		[VADS_MEM_COMMIT] = cell_opt_bool(vad->mem_commit),
		[VADS_VAD] = cell_addr(vad->va),
		[VADS_PARENT] = cell_opt(vad->parent),
		[VADS_CONTROL_AREA] = cell_opt(vad->control_area),
		[VADS_SUBSECTION] = cell_opt(vad->subsection),
		[VADS_FILE_OBJECT] = cell_opt(vad->file_object),
		[VADS_FIRST_PTE] = cell_opt(vad->first_pte),
		[VADS_LAST_PTE] = cell_opt(vad->last_pte),
		[VADS_EPROCESS] = cell_addr(p->eprocess),
	};

	return sink_row(run->sink, cells, 0);
}

static bool is_meant(const struct command_run *run, const struct vad *vad)
{
	uint64_t va;

	return !option_u64(run->options, "address", &va) || (va >= vad->start && va <= vad->last);
}

static bool is_wanted(const struct command_run *run, const char *file)
{
	const char *pattern = option_string(run->options, "file");

	return !pattern || (file && names_match(pattern, file));
}

static struct error *vads_of_process(struct command_run *run, const struct process_visit *visit,
				     void *arg)
{
	struct region_reader *r = arg;
	struct vad_list list CLEANUP(vad_list_deinit) = { 0 };
	struct error *err;

	if ((err = region_list_read(run, &r->vads, visit, &list)))
		return err;
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++) {
		const struct vad *vad = &list.items[i];
		const char *file;

		/* the names of other regions' files may be absent: that costs nothing here */
		if (!is_meant(run, vad))
			continue;
		file = region_file(r, vad, visit->arena);
		if (is_wanted(run, file))
			err = vads_row(run, visit, vad, file);
	}
	return err;
}

static struct error *vads_run(struct command_run *run)
{
	struct region_reader r;
	struct error *err;

	if ((err = region_reader_init(run->kernel, &r)))
		return err;
	err = each_process(run, vads_of_process, &r);
	region_reader_deinit(&r, run->diag);
	return err;
}

const struct command cmd_vads = {
	.name = "vads",
	.summary = "list the memory regions of processes",
	.description =
		"Reads the tree of virtual address descriptors (VADs) of each process: what it "
		"reserved, committed and mapped, in address order. A node of the tree that is "
		"damaged or absent costs what hangs below it; standard error says which range "
		"of addresses that is, and the exit status is 3.\n\n"
		"The descriptors say what was asked for, not what is there now: maps shows the "
		"pages. Memory of the kernel has no descriptors. A process that has ended has "
		"none left.",
	.example = "ntscope vads --pid 4120 memory.dmp",
	.options = vads_options,
	.num_options = ARRAY_SIZE(vads_options),
	.columns = vads_columns,
	.num_columns = VADS_NUM_COLUMNS,
	.key_columns = "pid,vad",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = vads_run,
};
