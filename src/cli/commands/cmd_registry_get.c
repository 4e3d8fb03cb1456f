/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/commands/cmd_registry.h"
#include "cli/row_options.h"

#include <errno.h>

enum {
	GET_KEY,
	GET_NAME,
	GET_TYPE,
	GET_SIZE,
	GET_DATA,
	GET_RAW,
	GET_LAST_WRITE_TIME,
	GET_CELL,
	GET_HIVE,
	GET_ADDRESS,
	GET_NUM_COLUMNS
};

static const struct column get_columns[GET_NUM_COLUMNS] = {
	[GET_KEY] = { "key", "KEY", CELL_STR, 0, 0, "path of the key, links resolved" },
	[GET_NAME] = { "name", "NAME", CELL_STR, 0, 0,
		       "of the value; empty: the key's default value" },
	[GET_TYPE] = { "type", "TYPE", CELL_STR, 0, 0, "REG_SZ, ...; 0x... where it has none" },
	[GET_SIZE] = { "size", "SIZE", CELL_U64, 0, 0, "bytes of data" },
	[GET_DATA] = { "data", "DATA", CELL_STR, 0, 0,
		       "the data by its type: text, texts joined by \\0, a decimal number, else "
		       "hexadecimal" },
	[GET_RAW] = { "raw", "RAW", CELL_BYTES, 0, COL_HIDDEN, "the bytes of the data" },
	[GET_LAST_WRITE_TIME] = { "last_write_time", "LAST WRITE", CELL_TIME, 0, 0,
				  "when the key was last changed, UTC" },
	[GET_CELL] = { "cell", "CELL", CELL_ADDR, 0, 0, "the value's cell in the hive" },
	[GET_HIVE] = { "hive", "HIVE", CELL_ADDR, 0, 0, "virtual address of the hive" },
	[GET_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 0, 0,
			  "virtual address of the value; below the kernel's half it is one of the "
			  "process Registry" },
};

static const struct option_row get_options[] = {
	{ "raw", 0, OPTION_FLAG, NULL, "write the bytes of the data and nothing else" },
};

static struct error *get_row(struct command_run *run, const struct registry_key *key,
			     const char *path, const struct registry_value *value)
{
	const char *text = NULL;
	const uint8_t *data = NULL;
	struct hive_fault fault;

	if (!registry_value_data(value, run->arena, &data, &fault)) {
		const char *why = hive_fault_text(run->arena, &fault);

		if (option_flag(run->options, "raw"))
			return error_new(ERROR_FAULT, "%s: the data of '%s' cannot be read: %s",
					 path, value->name, why ? why : fault.why);
		diag_partial(run->diag, "%s: the data of '%s' cannot be read: %s", path,
			     value->name, why ? why : fault.why);
	} else if (option_flag(run->options, "raw")) {
		run->wrote_raw = true;
		if (fwrite(data, 1, value->size, run->out) != value->size)
			return error_os(errno, "standard output");
		return NULL;
	} else if (!(text = registry_data_text(run->arena, value->type, data, value->size,
					       SIZE_MAX))) {
		return &error_no_memory;
	}
	return sink_row(run->sink,
			(struct cell[GET_NUM_COLUMNS]){
				[GET_KEY] = cell_str(path),
				[GET_NAME] = cell_str(value->name),
				[GET_TYPE] = cell_str(registry_type_name(run->arena, value->type)),
				[GET_SIZE] = cell_u64(value->size),
				[GET_DATA] = cell_str(text),
				[GET_RAW] = data ? cell_bytes(data, value->size) : CELL_ABSENT,
				[GET_LAST_WRITE_TIME] = cell_time(key->last_write_time),
				[GET_CELL] = cell_addr(value->cell),
				[GET_HIVE] = cell_addr(value->hive->va),
				[GET_ADDRESS] = cell_addr(value->va),
			},
			0);
}

static struct error *find_value(const struct command_run *run, const struct registry_key *key,
				const char *path, struct registry_value *ret)
{
	const char *name = run->num_args > 1 ? run->args[1] : "";
	struct error *err = registry_get(key, name, run->arena, ret);

	if (run->num_args == 1 && error_catch(&err, ERROR_NOT_FOUND))
		return error_new(ERROR_NOT_FOUND,
				 "%s: the key has no default value: give the name of one of its "
				 "values (registry values lists them)",
				 path);
	return error_wrap(err, "%s", path);
}

static struct error *get_run(struct command_run *run)
{
	const char *path;
	struct registry *registry;
	struct registry_value value;
	struct registry_key key;
	struct error *err;

	if (option_flag(run->options, "raw") &&
	    (err = row_options_refuse(run->options, "with --raw there are none")))
		return err;
	if ((err = registry_open(run->kernel, &registry)))
		return err;
	err = registry_find(registry, run->args[0], run->arena, &key, &path);
	if (!err)
		err = find_value(run, &key, path, &value);
	if (!err)
		err = get_row(run, &key, path, &value);
	registry_close(registry);
	return err;
}

const struct command cmd_registry_get = {
	.name = "registry get",
	.summary = "print one registry value",
	.arguments = "PATH [VALUE]",
	.min_args = 1,
	.max_args = 2,
	.description = "Prints the value of that name, or without VALUE the key's default value; "
		       "--raw writes its bytes. " REGISTRY_PATH_TEXT,
	.example = "ntscope registry get memory.dmp 'HKLM\\SYSTEM\\Select' Current",
	.options = get_options,
	.num_options = ARRAY_SIZE(get_options),
	.columns = get_columns,
	.num_columns = GET_NUM_COLUMNS,
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_ONE_OBJECT | COMMAND_RAW_OUTPUT |
		 COMMAND_WHOLE_MACHINE,
	.run = get_run,
};
