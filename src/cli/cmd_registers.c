/* SPDX-License-Identifier: MIT */
#include "arch/amd64/registers.h"
#include "cli/commands.h"
#include "cli/processors.h"

enum {
	REGISTERS_CPU,
	REGISTERS_REGISTER,
	REGISTERS_VALUE,
	REGISTERS_SOURCE,
	REGISTERS_FLAGS,
	REGISTERS_NUM_COLUMNS
};

static const struct column registers_columns[REGISTERS_NUM_COLUMNS] = {
	[REGISTERS_CPU] = { "cpu", "CPU", CELL_U64, 3, COL_RIGHT, "number of the processor" },
	[REGISTERS_REGISTER] = { "register", "REGISTER", CELL_STR, 14, 0, "its name" },
	[REGISTERS_VALUE] = { "value", "VALUE", CELL_ADDR, 18, 0, "absent: nothing tells it" },
	[REGISTERS_SOURCE] = { "source", "SOURCE", CELL_STR, 8, 0,
			       "snapshot, or kprcb: the kernel's last copy of it" },
	[REGISTERS_FLAGS] = { "flags", "FLAGS", CELL_STR, 0, 0, "bits that are set, by name" },
};

static const struct option_row registers_options[] = { PROCESSOR_OPTION_ROW };

/* Would it be known without the kernel's copy? */
static const char *source_of(const struct processor *p, enum register_id id)
{
	struct registers own = { .known = p->registers.known & ~p->saved_groups };

	return register_known(&own, id) ? "snapshot" : "kprcb";
}

static struct error *put_register(struct command_run *run, const struct processor *p,
				  enum register_id id)
{
	const struct register_row *row = &register_rows[id];
	struct cell cells[REGISTERS_NUM_COLUMNS] = {
		[REGISTERS_CPU] = cell_u64(p->number),
		[REGISTERS_REGISTER] = cell_str(row->name),
	};
	char flags[BITS_TEXT_SIZE];
	uint64_t value;

	if (register_get(&p->registers, id, &value)) {
		cells[REGISTERS_VALUE] = cell_addr(value);
		cells[REGISTERS_SOURCE] = cell_str(source_of(p, id));
		if (row->bits) {
			bits_text(row->bits, value, flags);
			cells[REGISTERS_FLAGS] = cell_str(flags);
		}
	}
	return sink_row(run->sink, cells, 0);
}

static struct error *registers_run(struct command_run *run)
{
	struct processor_list list CLEANUP(processor_list_deinit) = { 0 };
	struct error *err = processor_list_init(run, &list);

	for (size_t i = 0; i < list.count; i++)
		for (unsigned id = 0; id < NUM_REGISTERS && !err && !sink_full(run->sink); id++)
			err = put_register(run, &list.items[i], id);
	return err;
}

const struct command cmd_registers = {
	.name = "registers",
	.summary = "print the processors' registers, flags by name",
	.description =
		"One row per register. Values are those that the snapshot's format holds; the "
		"ones that it lacks come from KPRCB.ProcessorState, as the kernel saved them last. "
		"What neither has is absent.",
	.example = "ntscope registers --cpu 0 memory.dmp",
	.options = registers_options,
	.num_options = ARRAY_SIZE(registers_options),
	.columns = registers_columns,
	.num_columns = REGISTERS_NUM_COLUMNS,
	.flags = COMMAND_TRIES_KERNEL,
	.run = registers_run,
};
