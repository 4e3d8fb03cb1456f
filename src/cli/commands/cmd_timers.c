/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/commands/code_cells.h"
#include "windows/kernel_tables/timers.h"

enum {
	TIMERS_TIMER,
	TIMERS_CPU,
	TIMERS_DUE_TIME,
	TIMERS_PERIOD,
	TIMERS_ROUTINE,
	TIMERS_MODULE,
	TIMERS_SYMBOL,
	TIMERS_DUE,
	TIMERS_TYPE,
	TIMERS_DPC,
	TIMERS_CONTEXT,
	TIMERS_OFFSET,
	TIMERS_NUM_COLUMNS
};

static const struct column timers_columns[TIMERS_NUM_COLUMNS] = {
	[TIMERS_TIMER] = { "timer", "TIMER", CELL_ADDR, 18, 0, "address of the KTIMER" },
	[TIMERS_CPU] = { "cpu", "CPU", CELL_U64, 3, COL_RIGHT, "processor whose table it is in" },
	[TIMERS_DUE_TIME] = { "due_time", "DUE TIME", CELL_TIME, 28, 0,
			      "when it is due, by the system's clock" },
	[TIMERS_PERIOD] = { "period", "PERIOD", CELL_U64, 7, COL_RIGHT,
			    "milliseconds from one time to the next; 0: once" },
	[TIMERS_ROUTINE] = { "routine", "ROUTINE", CELL_ADDR, 18, 0,
			     "code that its DPC calls; absent: it wakes who waits for it" },
	[TIMERS_MODULE] = { "module", "MODULE", CELL_STR, 20, 0, CODE_MODULE_HELP },
	[TIMERS_SYMBOL] = { "symbol", "SYMBOL", CELL_STR, 0, 0, CODE_SYMBOL_HELP },
	[TIMERS_DUE] = { "due", "DUE", CELL_U64, 12, COL_RIGHT | COL_HIDDEN,
			 "the same in units of 100 ns since boot" },
	[TIMERS_TYPE] = { "type", "TYPE", CELL_STR, 15, COL_HIDDEN,
			  "notification or synchronization" },
	[TIMERS_DPC] = { "dpc", "DPC", CELL_ADDR, 18, COL_HIDDEN, "address of the KDPC, decoded" },
	[TIMERS_CONTEXT] = { "context", "CONTEXT", CELL_ADDR, 18, COL_HIDDEN,
			     "what the routine is given" },
	[TIMERS_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 10, COL_HIDDEN,
			    "of the routine in the module" },
};

static struct error *put_timer(struct command_run *run, struct code_names *names,
			       const struct timer *t)
{
	struct cell cells[TIMERS_NUM_COLUMNS] = {
		[TIMERS_TIMER] = cell_addr(t->timer),	   [TIMERS_CPU] = cell_u64(t->cpu),
		[TIMERS_DUE_TIME] = cell_opt(t->due_time), [TIMERS_PERIOD] = cell_opt(t->period),
		[TIMERS_ROUTINE] = cell_opt(t->routine),   [TIMERS_DUE] = cell_opt(t->due),
		[TIMERS_TYPE] = cell_str(t->type),	   [TIMERS_DPC] = cell_opt(t->dpc),
		[TIMERS_CONTEXT] = cell_opt(t->context),
	};
	struct code_cells code;
	struct error *err;

	if ((err = code_cells_find(run, names, t->routine, NULL, NULL, &code)))
		return err;
	cells[TIMERS_MODULE] = code.module;
	cells[TIMERS_OFFSET] = code.offset;
	cells[TIMERS_SYMBOL] = code.symbol;
	return sink_row(run->sink, cells, 0);
}

static struct error *timers_run(struct command_run *run)
{
	struct code_names names CLEANUP(code_names_deinit) = { 0 };
	struct timer_list list CLEANUP(timer_list_deinit) = { 0 };
	struct error *err;

	if ((err = timers_read(run->kernel, &list)) ||
	    (list.count && (err = code_names_read(run->kernel, &names))))
		return err;
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++)
		err = put_timer(run, &names, &list.items[i]);
	return err;
}

const struct command cmd_timers = {
	.name = "timers",
	.summary = "list kernel timers and what they call",
	.description =
		"Lists the timers (KTIMER) that are set, from the table of each processor, with "
		"the routine that their DPC calls and the module that it is in. A routine in no "
		"module is code that no driver list shows. Timers of the newer kind (KTIMER2, "
		"ExAllocateTimer) are in other structures and not listed.\n\n"
		"Which DPC a timer has is encoded with two variables of the kernel that are in no "
		"export: without symbols of exactly this kernel, timers have no routine.",
	.example = "ntscope timers memory.dmp",
	.columns = timers_columns,
	.num_columns = TIMERS_NUM_COLUMNS,
	.key_columns = "timer",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = timers_run,
};
