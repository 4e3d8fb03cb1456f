/* SPDX-License-Identifier: MIT */
#include "cli/commands/regions.h"
#include "cli/names.h"
#include "cli/processes.h"
#include "windows/regions/page_tables.h"

#include <inttypes.h>

enum { MAX_STRETCHES = 1 << 22 /* of one process, before they are put together */ };

enum {
	MAPS_PID,
	MAPS_PROCESS,
	MAPS_START,
	MAPS_END,
	MAPS_SIZE,
	MAPS_PAGE_SIZE,
	MAPS_ACCESS,
	MAPS_STATE,
	MAPS_PAGES,
	MAPS_REGION,
	MAPS_TYPE,
	MAPS_FILE,
	MAPS_REPEAT,
	MAPS_NUM_COLUMNS
};

static const struct column maps_columns[MAPS_NUM_COLUMNS] = {
	[MAPS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[MAPS_PROCESS] = { "process_name", "PROCESS", CELL_STR, 15, COL_HIDDEN,
			   "name of the process" },
	[MAPS_START] = { "start", "START", CELL_ADDR, 14, 0, "first byte" },
	[MAPS_END] = { "end", "END", CELL_ADDR, 14, 0, "last byte" },
	[MAPS_SIZE] = { "size", "SIZE", CELL_U64, 10, COL_RIGHT, "bytes" },
	[MAPS_PAGE_SIZE] = { "page_size", "PAGE", CELL_U64, 7, COL_RIGHT,
			     "bytes that one entry stands for; more than 4096 and not mapped: a "
			     "page table that is not in memory" },
	[MAPS_ACCESS] = { "access", "ACCESS", CELL_STR, 6, 0,
			  "by the page tables: user, read, write, execute; absent where the entry "
			  "is not present: it grants nothing" },
	[MAPS_STATE] = { "state", "STATE", CELL_STR, 12, 0,
			 "mapped, not_captured (mapped, but not in the snapshot), "
			 "table_not_captured; or where Windows keeps it: transition, prototype, "
			 "pagefile, compressed, demand_zero" },
	[MAPS_PAGES] = { "pages", "PAGES", CELL_U64, 6, COL_RIGHT,
			 "page table entries in the run" },
	[MAPS_REGION] = { "region", "REGION", CELL_ADDR, 14, COL_HIDDEN,
			  "start of the region (vads) that it is in" },
	[MAPS_TYPE] = { "type", "TYPE", CELL_STR, 7, 0,
			"of the region (vads); absent: no region covers it" },
	[MAPS_FILE] = { "file", "FILE", CELL_STR, 0, 0, "that the region maps" },
	[MAPS_REPEAT] = { "repeat", "REPEAT", CELL_U64, 10, COL_HIDDEN,
			  "the same table or page shows over and over, every so many bytes" },
};

static const struct option_row maps_options[] = {
	PROCESS_OPTION_ROWS,
	{ "file", 0, OPTION_STRING, "PATTERN",
	  "only what maps files whose path has this in it, or, with * or ?, is like this" },
};

/* A run of pages that are alike, growing. */
struct run {
	struct va_range range;
	const struct vad *vad; /* NULL: no region covers it */
};

struct maps {
	struct command_run *command;
	const struct process_visit *visit;
	struct region_reader *reader;
	struct space *tables; /* the page tables alone */
	struct space *space;  /* their entries, resolved */
	uint64_t lost;	      /* stretches whose page tables were not captured */
	struct vad_list regions;
	struct run run;		 /* range.page_size 0: none yet */
	const struct vad *named; /* whose file is known */
	const char *file;
};

static const char *access_text(unsigned access, char ret[5])
{
	ret[0] = access & VA_USER ? 'u' : '-';
	ret[1] = 'r';
	ret[2] = access & VA_WRITE ? 'w' : '-';
	ret[3] = access & VA_NO_EXEC ? '-' : 'x';
	ret[4] = '\0';
	return ret;
}

static const char *file_of(struct maps *m, const struct vad *vad)
{
	if (vad != m->named) {
		m->named = vad;
		m->file = vad ? region_file(m->reader, vad, m->visit->arena) : NULL;
	}
	return m->file;
}

/* Entries that hardware calls not present give no access, whatever the tables above say. */
static bool has_access(const struct va_range *range)
{
	return range->state == VA_MAPPED || range->state == VA_NOT_CAPTURED;
}

static struct error *write_run(struct maps *m)
{
	const char *pattern = option_string(m->command->options, "file");
	const struct va_range *range = &m->run.range;
	const struct vad *vad = m->run.vad;
	const char *file = file_of(m, vad);
	uint64_t size = range->last - range->start + 1;
	char access[5];
	struct cell cells[MAPS_NUM_COLUMNS] = {
		[MAPS_PID] = cell_opt(m->visit->process->pid),
		[MAPS_PROCESS] = cell_str(m->visit->process->name),
		[MAPS_START] = cell_addr(range->start),
		[MAPS_END] = cell_addr(range->last),
		[MAPS_SIZE] = cell_u64(size),
		[MAPS_STATE] = cell_str(va_state_name(range->state)),
		[MAPS_REGION] = vad ? cell_addr(vad->start) : CELL_ABSENT,
		[MAPS_TYPE] = vad ? cell_str(vad_type_name(vad)) : CELL_ABSENT,
		[MAPS_FILE] = cell_str(file),
		[MAPS_REPEAT] = range->repeat ? cell_u64(range->repeat) : CELL_ABSENT,
	};

	if (pattern && !(file && names_match(pattern, file)))
		return NULL;
	if (range->state != VA_TABLE_NOT_CAPTURED) {
		cells[MAPS_PAGE_SIZE] = cell_u64(range->page_size);
		cells[MAPS_PAGES] = cell_u64((size + range->page_size - 1) / range->page_size);
	}
	if (has_access(range))
		cells[MAPS_ACCESS] = cell_str(access_text(range->access, access));
	return sink_row(m->command->sink, cells, 0);
}

static bool continues(const struct run *run, const struct run *next)
{
	const struct va_range *a = &run->range, *b = &next->range;

	return a->page_size == b->page_size && a->state == b->state &&
	       (a->access == b->access || !has_access(a)) && a->last + 1 == b->start &&
	       !a->repeat && !b->repeat && run->vad == next->vad;
}

static struct error *add_run(struct maps *m, const struct run *next)
{
	struct error *err = NULL;

	if (continues(&m->run, next)) {
		m->run.range.last = next->range.last;
		return NULL;
	}
	if (m->run.range.page_size)
		err = write_run(m);
	m->run = *next;
	return err;
}

/* Where the region that va is in, or the gap between two, ends. */
static uint64_t region_last(const struct maps *m, const struct vad *vad, uint64_t va, uint64_t last)
{
	size_t above = vad_list_above(&m->regions, va);
	uint64_t end = last;

	if (vad)
		end = vad->last;
	else if (above < m->regions.count)
		end = m->regions.items[above].start - 1;
	return end < last ? end : last;
}

/* Cuts a stretch where regions begin and end. A stretch that repeats is left whole. */
static struct error *add_stretch(struct maps *m, const struct va_range *range)
{
	struct error *err = NULL;
	uint64_t va = range->start;

	while (!err && va <= range->last && !sink_full(m->command->sink)) {
		struct run part = { .range = *range, .vad = vad_list_find(&m->regions, va) };

		part.range.start = va;
		if (!range->repeat)
			part.range.last = region_last(m, part.vad, va, range->last);
		err = add_run(m, &part);
		va = part.range.last + 1;
	}
	return err;
}

/*
 * What the space has bytes of, and between that what the tables alone say: pages whose bytes are
 * nowhere. Page tables that are in a page file are seen by the space, not by the tables.
 */
static bool next_stretch(const struct maps *m, uint64_t va, struct va_range *ret)
{
	struct va_range space, tables;
	bool in_space = space_next(m->space, va, &space);
	bool in_tables = space_next(m->tables, va, &tables);

	if (!in_tables || (in_space && space.start <= tables.start)) {
		*ret = space;
		return in_space;
	}
	if (in_space && space.start <= tables.last) {
		tables.last = space.start - 1;
		tables.repeat = 0;
	}
	*ret = tables;
	return true;
}

static struct error *each_stretch(struct maps *m, uint64_t user_last)
{
	struct va_range range;
	struct error *err = NULL;
	uint64_t va = 0, count = 0;

	while (!err && !sink_full(m->command->sink) && next_stretch(m, va, &range) &&
	       range.start <= user_last) {
		if (count++ == MAX_STRETCHES) {
			diag_partial(m->command->diag,
				     "process %" PRIu64 ": more than %d stretches: what follows "
				     "0x%" PRIx64 " is left out",
				     m->visit->process->pid.value, MAX_STRETCHES, va);
			break;
		}
		if (range.last > user_last)
			range.last = user_last;
		m->lost += range.state == VA_TABLE_NOT_CAPTURED;
		err = add_stretch(m, &range);
		va = range.last + 1;
	}
	if (!err && m->run.range.page_size)
		err = write_run(m);
	return err;
}

static void report_lost(const struct maps *m)
{
	if (m->lost)
		diag_partial(m->command->diag,
			     "process %" PRIu64
			     ": stretches whose page tables were not captured: %" PRIu64,
			     m->visit->process->pid.value, m->lost);
}

static struct error *maps_of_process(struct command_run *run, const struct process_visit *visit,
				     void *arg)
{
	struct maps m = { .command = run, .visit = visit, .reader = arg };
	struct error *err;

	if (!visit->space) {
		if (!visit->process->dtb.present)
			diag_partial(run->diag,
				     "process at 0x%" PRIx64
				     ": its page tables are not known: left out",
				     visit->process->eprocess);
		return NULL;
	}
	if (m.reader->vads.known &&
	    (err = region_list_read(run, &m.reader->vads, visit, &m.regions)))
		return err;
	err = page_tables_open(run->kernel, visit->space->root, &m.tables);
	if (!err)
		err = page_tables_open_resolved(run->kernel, visit->space->root,
						visit->process->eprocess, &m.space);
	if (!err)
		err = each_stretch(&m, vad_user_last(visit->space));
	if (!err)
		report_lost(&m);
	space_destroy(m.space);
	space_destroy(m.tables);
	vad_list_deinit(&m.regions);
	return err;
}

static struct error *maps_run(struct command_run *run)
{
	struct region_reader r;
	struct error *err;

	if (!run->snapshot->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump holds no page tables");
	if ((err = region_reader_init(run->kernel, &r)))
		return err;
	if (!r.vads.known)
		diag_partial(run->diag, "how this kernel keeps regions is not known: their files "
					"and types are left out");
	err = each_process(run, maps_of_process, &r);
	region_reader_deinit(&r, run->diag);
	return err;
}

const struct command cmd_maps = {
	.name = "maps",
	.summary = "list what the page tables of processes map",
	.description =
		"Walks the page tables of each process over the user's half of its space and "
		"prints runs of neighbouring pages that are alike: same access, same page size, "
		"same state, in the same region. This is what is there, whatever the descriptors "
		"of the regions (vads) say; memory that no region covers has no type.\n\n"
		"What was never touched, or was written back to its file and forgotten, has no "
		"page table entry and is not listed. Regions are read for their names; what is "
		"lost of them is said on standard error, and so are page tables that were not "
		"captured: the exit status is then 3.",
	.example = "ntscope maps --pid 4120 memory.dmp",
	.options = maps_options,
	.num_options = ARRAY_SIZE(maps_options),
	.columns = maps_columns,
	.num_columns = MAPS_NUM_COLUMNS,
	.key_columns = "pid,start",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = maps_run,
};
