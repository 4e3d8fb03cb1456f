/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/commands/code_cells.h"
#include "windows/kernel_tables/service_table.h"

enum {
	SSDT_TABLE,
	SSDT_INDEX,
	SSDT_ADDRESS,
	SSDT_MODULE,
	SSDT_SYMBOL,
	SSDT_HOOKED,
	SSDT_STACK_ARGUMENTS,
	SSDT_NUMBER,
	SSDT_OFFSET,
	SSDT_ENTRY,
	SSDT_DESCRIPTOR,
	SSDT_NUM_COLUMNS
};

static const struct column ssdt_columns[SSDT_NUM_COLUMNS] = {
	[SSDT_TABLE] = { "table", "TABLE", CELL_STR, 6, 0, "nt or win32k" },
	[SSDT_INDEX] = { "index", "INDEX", CELL_U64, 5, COL_RIGHT, "of the service in its table" },
	[SSDT_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, 0, "of the service's code" },
	[SSDT_MODULE] = { "module", "MODULE", CELL_STR, 20, 0, CODE_MODULE_HELP },
	[SSDT_SYMBOL] = { "symbol", "SYMBOL", CELL_STR, 36, 0, CODE_SYMBOL_HELP },
	[SSDT_HOOKED] = { "hooked", "HOOKED", CELL_BOOL, 6, 0,
			  "the code is not in the module that the table is in" },
	[SSDT_STACK_ARGUMENTS] = { "stack_arguments", "STACK ARGS", CELL_U64, 10, COL_RIGHT,
				   "arguments beyond the four in registers, 8 bytes each" },
	[SSDT_NUMBER] = { "number", "NUMBER", CELL_ADDR, 6, COL_HIDDEN,
			  "what EAX holds at the system call" },
	[SSDT_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 10, COL_HIDDEN,
			  "of the address in the module" },
	[SSDT_ENTRY] = { "entry", "ENTRY", CELL_ADDR, 18, COL_HIDDEN,
			 "address of the table's entry" },
	[SSDT_DESCRIPTOR] = { "descriptor", "DESCRIPTOR", CELL_STR, 24, COL_HIDDEN,
			      "kernel variable that the table was found by" },
};

static const struct option_row ssdt_options[] = {
	{ "hooked", 0, OPTION_FLAG, NULL, "only services whose code is in another module" },
};

struct listing {
	struct command_run *run;
	struct code_names *names;
	const struct service_table *table;
	struct code_place home; /* where the table lies */
};

/* Is the code outside of the table's module? Absent where the table's module is not known. */
static struct cell hooked_cell(const struct listing *l, uint64_t address,
			       const struct code_place *place)
{
	if (l->table->number == 0)
		return cell_bool(!kernel_contains(l->run->kernel, address));
	if (!l->home.in_module)
		return CELL_ABSENT;
	return cell_bool(!place->in_module || place->base != l->home.base);
}

static struct error *put_service(const struct listing *l, uint32_t index, const struct service *s)
{
	const struct service_table *t = l->table;
	struct cell cells[SSDT_NUM_COLUMNS] = {
		[SSDT_TABLE] = cell_str(t->number ? "win32k" : "nt"),
		[SSDT_INDEX] = cell_u64(index),
		[SSDT_ADDRESS] = cell_addr(s->address),
		[SSDT_STACK_ARGUMENTS] = cell_u64(s->stack_arguments),
		[SSDT_NUMBER] = cell_addr((uint64_t)t->number << 12 | index),
		[SSDT_ENTRY] = cell_addr(s->entry),
		[SSDT_DESCRIPTOR] = cell_str(t->descriptor),
	};
	struct code_place place;
	struct code_cells code;
	struct error *err;

	if ((err = code_cells_find(l->run, l->names, opt_u64(s->address), "Nt", &place, &code)))
		return err;
	cells[SSDT_HOOKED] = hooked_cell(l, s->address, &place);
	if (option_flag(l->run->options, "hooked") &&
	    !(cells[SSDT_HOOKED].present && cells[SSDT_HOOKED].boolean))
		return NULL;
	cells[SSDT_MODULE] = code.module;
	cells[SSDT_OFFSET] = code.offset;
	cells[SSDT_SYMBOL] = code.symbol;
	return sink_row(l->run->sink, cells, 0);
}

static struct error *put_table(const struct listing *l)
{
	const struct service_table *t = l->table;
	struct fault fault, first = { 0 };
	struct error *err = NULL;
	struct service service;
	uint32_t absent = 0;

	for (uint32_t i = 0; i < t->limit && !err && !sink_full(l->run->sink); i++) {
		if (service_read(t, i, &service, &fault))
			err = put_service(l, i, &service);
		else if (!absent++)
			first = fault;
	}
	if (absent)
		diag_partial(l->run->diag,
			     "%s: %" PRIu32 " of %" PRIu32 " entries are absent (first at "
			     "0x%" PRIx64 ": %s)",
			     t->descriptor, absent, t->limit, first.va, va_state_text(first.state));
	return err;
}

static struct error *ssdt_run(struct command_run *run)
{
	struct code_names names CLEANUP(code_names_deinit) = { 0 };
	struct service_tables tables CLEANUP(service_tables_deinit) = { 0 };
	struct error *err;

	if ((err = service_tables_read(run->kernel, &tables)) ||
	    (tables.count && (err = code_names_read(run->kernel, &names))))
		return err;
	for (size_t i = 0; i < tables.count && !err; i++) {
		struct listing l = { .run = run, .names = &names, .table = &tables.items[i] };

		if (!l.table->space)
			continue;
		if (!(err = code_find(&names, l.table->base, NULL, &l.home)))
			err = put_table(&l);
	}
	return err;
}

const struct command cmd_ssdt = {
	.name = "ssdt",
	.summary = "list system services and who handles them",
	.description =
		"Reads the kernel's table of system services and, through the memory of a session, "
		"that of win32k, by the descriptors KeServiceDescriptorTable, -Shadow and -Filter; "
		"a table that several of them name is listed once. Each entry is decoded to the "
		"address of its code and told with the module and the symbol it is. A service is "
		"hooked when its code lies outside of the module that the table is in; that a "
		"service's own code was changed is not seen here.\n\n"
		"Without symbols of exactly this kernel the tables are found by the code that uses "
		"them, where that is captured. Of several names of one address the first is "
		"told, a system service's before others.",
	.example = "ntscope ssdt --hooked memory.dmp",
	.options = ssdt_options,
	.num_options = ARRAY_SIZE(ssdt_options),
	.columns = ssdt_columns,
	.num_columns = SSDT_NUM_COLUMNS,
	.key_columns = "table,index",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = ssdt_run,
};
