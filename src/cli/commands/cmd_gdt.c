/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "arch/amd64/descriptors.h"
#include "cli/commands.h"
#include "cli/commands/processors.h"
#include "windows/convention.h"

enum {
	GDT_CPU,
	GDT_SELECTOR,
	GDT_NAME,
	GDT_TYPE,
	GDT_BASE,
	GDT_LIMIT,
	GDT_DPL,
	GDT_LONG_MODE,
	GDT_PRESENT,
	GDT_ACCESS,
	GDT_NUM_COLUMNS
};

static const struct column gdt_columns[GDT_NUM_COLUMNS] = {
	[GDT_CPU] = { "cpu", "CPU", CELL_U64, 3, COL_RIGHT, "number of the processor" },
	[GDT_SELECTOR] = { "selector", "SELECTOR", CELL_ADDR, 8, 0,
			   "offset in the table, which selects it at RPL 0" },
	[GDT_NAME] = { "name", "NAME", CELL_STR, 12, 0, "what Windows has there" },
	[GDT_TYPE] = { "type", "TYPE", CELL_STR, 13, 0,
		       "code, data, ldt, tss_available, tss_busy, call_gate" },
	[GDT_BASE] = { "base", "BASE", CELL_ADDR, 18, 0, "of the segment; absent: a gate" },
	[GDT_LIMIT] = { "limit", "LIMIT", CELL_ADDR, 10, 0, "last byte of the segment" },
	[GDT_DPL] = { "dpl", "DPL", CELL_U64, 3, COL_RIGHT, "privilege level" },
	[GDT_LONG_MODE] = { "long_mode", "LONG", CELL_BOOL, 5, 0, "code of 64 bits" },
	[GDT_PRESENT] = { "present", "PRESENT", CELL_BOOL, 7, COL_HIDDEN,
			  "whether it may be used" },
	[GDT_ACCESS] = { "access", "ACCESS", CELL_ADDR, 6, COL_HIDDEN,
			 "type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11" },
};

static const struct option_row gdt_options[] = { PROCESSOR_OPTION_ROW };

static struct error *put_descriptor(struct command_run *run, const struct processor *p,
				    const struct descriptor *d)
{
	const struct segment_register *s = &d->segment;
	const char *type = descriptor_type_name(s->access);
	bool is_segment = type && (s->access & SEGMENT_NOT_SYSTEM || s->limit || s->base);
	struct cell cells[GDT_NUM_COLUMNS] = {
		[GDT_CPU] = cell_u64(p->number),
		[GDT_SELECTOR] = cell_addr(s->selector),
		[GDT_NAME] = cell_str(run->kernel ? windows_selector_name(s->selector) : NULL),
		[GDT_TYPE] = cell_str(type),
		[GDT_DPL] = cell_u64(s->access >> SEGMENT_DPL_SHIFT & 3),
		[GDT_LONG_MODE] = cell_bool(s->access & SEGMENT_LONG),
		[GDT_PRESENT] = cell_bool(s->access & SEGMENT_PRESENT),
		[GDT_ACCESS] = cell_addr(s->access),
	};

	if (is_segment) {
		cells[GDT_BASE] = cell_addr(s->base);
		cells[GDT_LIMIT] = cell_addr(s->limit);
	}
	return sink_row(run->sink, cells, 0);
}

/* A slot that was never filled. */
static bool is_empty(const struct descriptor *d)
{
	return !d->segment.access && !d->segment.base && !d->segment.limit;
}

static struct error *put_table(struct command_run *run, const struct processor *p)
{
	struct descriptor d;
	unsigned absent = 0;
	uint32_t offset = 0;
	struct error *err;

	if (!(p->registers.known & REGS_TABLES) || !p->space) {
		diag_partial(run->diag, "cpu %u: where its GDT is, is not known", p->number);
		return NULL;
	}
	while (!sink_full(run->sink) && gdt_next(p->space, p->registers.gdtr, &offset, &d)) {
		absent += !d.captured;
		if (d.captured && !is_empty(&d) && (err = put_descriptor(run, p, &d)))
			return err;
	}
	if (absent)
		diag_partial(run->diag, "cpu %u: absent entries of the GDT at 0x%" PRIx64 ": %u",
			     p->number, p->registers.gdtr.base, absent);
	return NULL;
}

static struct error *gdt_run(struct command_run *run)
{
	struct processor_list list CLEANUP(processor_list_deinit) = { 0 };
	struct error *err = processor_list_init(run, &list);

	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++)
		err = put_table(run, &list.items[i]);
	return err;
}

const struct command cmd_gdt = {
	.name = "gdt",
	.summary = "list segment descriptors",
	.description = "Decodes the global descriptor table of each processor. Slots that hold "
		       "only zeros are left out.",
	.example = "ntscope gdt --cpu 0 memory.dmp",
	.options = gdt_options,
	.num_options = ARRAY_SIZE(gdt_options),
	.columns = gdt_columns,
	.num_columns = GDT_NUM_COLUMNS,
	.key_columns = "cpu,selector",
	.flags = COMMAND_TRIES_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = gdt_run,
};
