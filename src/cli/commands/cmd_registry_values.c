/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/commands/cmd_registry.h"

enum {
	VALUES_KEY,
	VALUES_NAME,
	VALUES_TYPE,
	VALUES_SIZE,
	VALUES_DATA,
	VALUES_RAW,
	VALUES_TOMBSTONE,
	VALUES_CELL,
	VALUES_HIVE,
	VALUES_ADDRESS,
	VALUES_NUM_COLUMNS
};

enum { SHOWN_BYTES = 64 };

static const struct column values_columns[VALUES_NUM_COLUMNS] = {
	[VALUES_KEY] = { "key", "KEY", CELL_STR, 40, 0, "path of the key" },
	[VALUES_NAME] = { "name", "NAME", CELL_STR, 20, 0,
			  "of the value; empty: the key's default value" },
	[VALUES_TYPE] = { "type", "TYPE", CELL_STR, 13, 0, "REG_SZ, ...; 0x... where it has none" },
	[VALUES_SIZE] = { "size", "SIZE", CELL_U64, 5, COL_RIGHT, "bytes of data" },
	[VALUES_DATA] = { "data", "DATA", CELL_STR, 0, 0,
			  "the data by its type: text, texts joined by \\0, a decimal number, else "
			  "the first 64 bytes in hexadecimal" },
	[VALUES_RAW] = { "raw", "RAW", CELL_BYTES, 0, COL_HIDDEN, "all bytes of the data" },
	[VALUES_TOMBSTONE] = { "tombstone", "TOMBSTONE", CELL_BOOL, 5, COL_HIDDEN,
			       "in a differencing hive (of a container): the value of the hive "
			       "below is deleted" },
	[VALUES_CELL] = { "cell", "CELL", CELL_ADDR, 10, COL_HIDDEN, "its cell in the hive" },
	[VALUES_HIVE] = { "hive", "HIVE", CELL_ADDR, 18, COL_HIDDEN,
			  "virtual address of the hive that it is in" },
	[VALUES_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, COL_HIDDEN,
			     "virtual address of the value; below the kernel's half it is one of "
			     "the process Registry" },
};

static const struct option_row values_options[] = {
	{ "recursive", 'r', OPTION_FLAG, NULL, "also the values of all keys below" },
};

static void report(struct command_run *run, const struct registry_key_visit *v, const char *name,
		   size_t count, const struct hive_fault *fault)
{
	const char *text = hive_fault_text(v->arena, fault);

	if (!text)
		text = fault->why;
	if (name)
		diag_partial(run->diag, "%s: the data of '%s' cannot be read: %s", v->path, name,
			     text);
	else
		diag_partial(run->diag, "%s: %zu of its values cannot be read: %s", v->path, count,
			     text);
}

static struct error *values_row(struct command_run *run, const struct registry_key_visit *v,
				const struct registry_value *value, struct arena *arena)
{
	const uint8_t *data = NULL;
	struct hive_fault fault;
	const char *text = NULL;

	if (!registry_value_data(value, arena, &data, &fault))
		report(run, v, value->name, 1, &fault);
	else if (!(text = registry_data_text(arena, value->type, data, value->size, SHOWN_BYTES)))
		return &error_no_memory;
	return sink_row(run->sink,
			(struct cell[VALUES_NUM_COLUMNS]){
				[VALUES_KEY] = cell_str(v->path),
				[VALUES_NAME] = cell_str(value->name),
				[VALUES_TYPE] = cell_str(registry_type_name(arena, value->type)),
				[VALUES_SIZE] = cell_u64(value->size),
				[VALUES_DATA] = cell_str(text),
				[VALUES_RAW] = data ? cell_bytes(data, value->size) : CELL_ABSENT,
				[VALUES_TOMBSTONE] = cell_bool(value->tombstone),
				[VALUES_CELL] = cell_addr(value->cell),
				[VALUES_HIVE] = cell_addr(value->hive->va),
				[VALUES_ADDRESS] = cell_addr(value->va),
			},
			0);
}

static struct error *values_of_key(struct command_run *run, const struct registry_key_visit *v)
{
	struct cell_list list CLEANUP(cell_list_deinit) = { 0 };
	struct arena arena CLEANUP(arena_deinit);
	struct registry_value value;
	struct hive_fault fault;
	struct error *err;

	arena_init(&arena, 0);
	if ((err = registry_key_values(v->key, &list)))
		return err;
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++) {
		arena_reset(&arena); /* data may be large */
		if (registry_value_read(v->key->hive, list.cells[i], &arena, &value, &fault))
			err = values_row(run, v, &value, &arena);
		else if (!list.num_faults++)
			list.first_fault = fault;
	}
	if (list.num_faults)
		report(run, v, NULL, list.num_faults, &list.first_fault);
	return err;
}

static struct error *values_run(struct command_run *run)
{
	/* the hives' root keys alone have hardly any */
	bool recursive = option_flag(run->options, "recursive") || !run->num_args;

	return each_registry_key(run, recursive ? MAX_KEY_DEPTH : 0, values_of_key);
}

const struct command cmd_registry_values = {
	.name = "registry values",
	.summary = "list the values of registry keys",
	.arguments = "[PATH]",
	.max_args = 1,
	.description =
		"Lists the values of the key, or with --recursive of all keys below it too, with "
		"their data. " REGISTRY_PATH_TEXT " Without PATH the values of all "
		"keys of all hives are listed.\n\n"
		"Data in pages that are not in the snapshot is null; standard error says where "
		"it would be, and the exit status is 3.",
	.example = "ntscope registry values memory.dmp 'HKLM\\SYSTEM\\MountedDevices'",
	.options = values_options,
	.num_options = ARRAY_SIZE(values_options),
	.columns = values_columns,
	.num_columns = VALUES_NUM_COLUMNS,
	.key_columns = "key,name",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = values_run,
};
