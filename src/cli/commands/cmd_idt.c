/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "arch/amd64/descriptors.h"
#include "arch/amd64/interrupts.h"
#include "cli/commands.h"
#include "cli/commands/processors.h"
#include "windows/convention.h"
#include "windows/modules/place.h"

enum {
	IDT_CPU,
	IDT_VECTOR,
	IDT_NAME,
	IDT_HANDLER,
	IDT_MODULE,
	IDT_OFFSET,
	IDT_TYPE,
	IDT_DPL,
	IDT_IST,
	IDT_SELECTOR,
	IDT_PRESENT,
	IDT_NUM_COLUMNS
};

static const struct column idt_columns[IDT_NUM_COLUMNS] = {
	[IDT_CPU] = { "cpu", "CPU", CELL_U64, 3, COL_RIGHT, "number of the processor" },
	[IDT_VECTOR] = { "vector", "VECTOR", CELL_ADDR, 6, 0, "interrupt or exception" },
	[IDT_NAME] = { "name", "NAME", CELL_STR, 27, 0,
		       "what the processor or Windows has there; absent where devices are" },
	[IDT_HANDLER] = { "handler", "HANDLER", CELL_ADDR, 18, 0, "address of the code" },
	[IDT_MODULE] = { "module", "MODULE", CELL_STR, 12, 0,
			 "kernel module that it is in; \"driver \\Driver\\NAME\": in none that is "
			 "listed, but in that driver object's image" },
	[IDT_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 8, 0, "of the handler in the module" },
	[IDT_TYPE] = { "type", "TYPE", CELL_STR, 9, 0,
		       "interrupt (clears IF), trap; absent: no type of long mode" },
	[IDT_DPL] = { "dpl", "DPL", CELL_U64, 3, COL_RIGHT,
		      "privilege level that may raise it by an instruction" },
	[IDT_IST] = { "ist", "IST", CELL_U64, 3, COL_RIGHT,
		      "entry of the interrupt stack table; 0: the stack is not switched by it" },
	[IDT_SELECTOR] = { "selector", "SELECTOR", CELL_ADDR, 8, COL_HIDDEN, "code segment" },
	[IDT_PRESENT] = { "present", "PRESENT", CELL_BOOL, 7, COL_HIDDEN,
			  "whether the processor would take it" },
};

static const struct option_row idt_options[] = {
	PROCESSOR_OPTION_ROW,
	{ "all", 'a', OPTION_FLAG, NULL, "vectors without a handler, too" },
};

static struct error *put_gate(struct command_run *run, struct place_book *book,
			      const struct processor *p, unsigned vector, const struct gate *gate)
{
	struct place place;
	struct error *err;
	bool found = false;
	struct cell cells[IDT_NUM_COLUMNS] = {
		[IDT_CPU] = cell_u64(p->number),
		[IDT_VECTOR] = cell_addr(vector),
		[IDT_NAME] =
			cell_str(run->kernel ? windows_vector_name(vector) : vector_name(vector)),
		[IDT_PRESENT] = cell_bool(gate->present),
	};

	if (gate->present) {
		cells[IDT_HANDLER] = cell_addr(gate->handler);
		cells[IDT_TYPE] = cell_str(gate_type_name(gate->type));
		cells[IDT_DPL] = cell_u64(gate->dpl);
		cells[IDT_IST] = cell_u64(gate->ist);
		cells[IDT_SELECTOR] = cell_addr(gate->selector);
	}
	if (gate->present && (err = place_find_code(book, gate->handler, &found, &place)))
		return err;
	if (found) {
		cells[IDT_MODULE] = cell_str(place.name);
		cells[IDT_OFFSET] = cell_addr(place.offset);
	}
	return sink_row(run->sink, cells, 0);
}

static struct error *put_table(struct command_run *run, struct place_book *book,
			       const struct processor *p)
{
	struct gate gates[IDT_MAX_GATES];
	unsigned count, absent = 0;
	struct error *err;

	if (!(p->registers.known & REGS_TABLES) || !p->space) {
		diag_partial(run->diag, "cpu %u: where its IDT is, is not known", p->number);
		return NULL;
	}
	count = idt_read(p->space, p->registers.idtr, gates);
	for (unsigned i = 0; i < count && !sink_full(run->sink); i++) {
		absent += !gates[i].captured;
		if (!gates[i].captured || (!gates[i].present && !option_flag(run->options, "all")))
			continue;
		if ((err = put_gate(run, book, p, i, &gates[i])))
			return err;
	}
	if (absent)
		diag_partial(run->diag,
			     "cpu %u: %u of %u entries of the IDT at 0x%" PRIx64 " are absent",
			     p->number, absent, count, p->registers.idtr.base);
	return NULL;
}

static struct error *idt_run(struct command_run *run)
{
	struct processor_list list CLEANUP(processor_list_deinit) = { 0 };
	struct place_book book CLEANUP(place_book_deinit) = { 0 }; /* of loaded modules */
	struct error *err;

	if ((err = processor_list_init(run, &list)) ||
	    (run->kernel && (err = place_book_read_loaded(run->kernel, &book))))
		return err;
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++)
		err = put_table(run, &book, &list.items[i]);
	return err;
}

const struct command cmd_idt = {
	.name = "idt",
	.summary = "list interrupt and exception handlers",
	.description =
		"Decodes the interrupt descriptor table of each processor and names the kernel "
		"module that each handler is in, or the driver object whose image it is where no "
		"module is listed. A handler outside of every module is code that "
		"no driver list shows: in older builds devices' interrupts start in such code, "
		"in all of them a hook may.",
	.example = "ntscope idt --cpu 0 memory.dmp",
	.options = idt_options,
	.num_options = ARRAY_SIZE(idt_options),
	.columns = idt_columns,
	.num_columns = IDT_NUM_COLUMNS,
	.key_columns = "cpu,vector",
	.flags = COMMAND_TRIES_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = idt_run,
};
