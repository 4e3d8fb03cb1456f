/* SPDX-License-Identifier: MIT */
/* Regions of a process, as vads lists them. */
#include <inttypes.h>

#include "cli/commands/dump.h"
#include "cli/commands/regions.h"

static struct error *put_region(struct dump *dump, const struct process_visit *visit,
				const struct vad *vad)
{
	struct dump_file *file CLEANUP(dump_file_cleanup) = NULL;
	const struct process *p = visit->process;
	struct error *err;
	char *name;

	name = arena_printf(visit->arena, "%s-%" PRIu64 ".vad", p->name ? p->name : "process",
			    p->pid.present ? p->pid.value : p->eprocess);
	if (!name)
		return &error_no_memory;
	if ((err = dump_begin(dump, name, opt_u64(vad->start), &file)) ||
	    (err = dump_range(file, 0, visit->space, vad->start, vad->last - vad->start + 1)))
		return err;
	return dump_end(take_ptr(file));
}

/* Is there a page of it, or, of a mapping, may its section have one? */
static bool has_pages(const struct process_visit *visit, const struct vad *vad)
{
	struct va_range range;

	if (vad->first_pte.present)
		return true;
	return space_next(visit->space, vad->start, &range) && range.start <= vad->last;
}

static struct error *put_regions(struct dump *dump, const struct process_visit *visit,
				 const struct vad_list *list)
{
	const struct vad *vad;
	struct error *err = NULL;
	size_t empty = 0;
	uint64_t va;

	if (option_u64(dump->run->options, "vad", &va)) {
		vad = vad_list_find(list, va);
		if (!vad)
			return error_new(ERROR_NOT_FOUND,
					 "process %" PRIu64 ": no region covers 0x%" PRIx64,
					 visit->process->pid.value, va);
		return put_region(dump, visit, vad);
	}
	for (size_t i = 0; i < list->count && !err; i++) {
		if (has_pages(visit, &list->items[i]))
			err = put_region(dump, visit, &list->items[i]);
		else
			empty++;
	}
	if (empty)
		diag_note(dump->run->diag, "process %" PRIu64 ": %zu regions have no page",
			  visit->process->pid.value, empty);
	return err;
}

static struct error *visit_process(struct command_run *run, const struct process_visit *visit,
				   void *arg)
{
	struct vad_list list CLEANUP(vad_list_deinit) = { 0 };
	struct vad_reader reader;
	struct error *err;

	if (!visit->space)
		return error_new(ERROR_NOT_FOUND,
				 "process 0x%" PRIx64 ": its page tables are not known",
				 visit->process->eprocess);
	if ((err = vad_reader_init(run->kernel, &reader)) ||
	    (err = region_list_read(run, &reader, visit, &list)))
		return err;
	return put_regions(arg, visit, &list);
}

static struct error *vad_run(struct dump *dump)
{
	const struct option_values *options = dump->run->options;

	if (!option_flag(options, "pid") && !option_flag(options, "process"))
		return error_new(ERROR_USAGE, "dump: of which process? (--pid or --process)");
	return each_process(dump->run, visit_process, dump);
}

const struct dump_kind dump_vad = { .option = "vad", .run = vad_run };
const struct dump_kind dump_vads = { .option = "vads", .run = vad_run };
