/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/commands/cmd_registry.h"

#include <inttypes.h>

enum {
	KEYS_LAST_WRITE_TIME,
	KEYS_SUBKEYS,
	KEYS_VALUES,
	KEYS_VOLATILE,
	KEYS_CELL,
	KEYS_PATH,
	KEYS_LINK,
	KEYS_CLASS,
	KEYS_LAYER,
	KEYS_HIVE,
	KEYS_ADDRESS,
	KEYS_DEPTH,
	KEYS_NUM_COLUMNS
};

static const struct column keys_columns[KEYS_NUM_COLUMNS] = {
	[KEYS_LAST_WRITE_TIME] = { "last_write_time", "LAST WRITE", CELL_TIME, 28, 0,
				   "when the key was last changed, UTC" },
	[KEYS_SUBKEYS] = { "subkeys", "KEYS", CELL_U64, 5, COL_RIGHT, "subkeys, as the key says" },
	[KEYS_VALUES] = { "values", "VALUES", CELL_U64, 6, COL_RIGHT, "values, as the key says" },
	[KEYS_VOLATILE] = { "volatile", "VOL", CELL_BOOL, 5, 0,
			    "it is in no file and ends with Windows" },
	[KEYS_CELL] = { "cell", "CELL", CELL_ADDR, 10, 0, "its cell in the hive" },
	[KEYS_PATH] = { "path", "PATH", CELL_STR, 0, 0, "full path" },
	[KEYS_LINK] = { "link", "LINK", CELL_STR, 0, COL_HIDDEN,
			"of a symbolic link: the path that it stands for" },
	[KEYS_CLASS] = { "class", "CLASS", CELL_STR, 0, COL_HIDDEN, "class name" },
	[KEYS_LAYER] = { "layer", "LAYER", CELL_STR, 15, COL_HIDDEN,
			 "in a differencing hive (of a container), what it does to the same key of "
			 "the hive below: tombstone (deleted), supersede_local, supersede_tree" },
	[KEYS_HIVE] = { "hive", "HIVE", CELL_ADDR, 18, COL_HIDDEN,
			"virtual address of the hive that it is in" },
	[KEYS_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, COL_HIDDEN,
			   "virtual address of the key node; below the kernel's half it is one of "
			   "the process Registry" },
	[KEYS_DEPTH] = { "depth", "DEPTH", CELL_U64, 5, COL_HIDDEN,
			 "levels below the key asked for" },
};

static const struct option_row keys_options[] = {
	{ "recursive", 'r', OPTION_FLAG, NULL, "all keys below, not just the next level" },
};

/* NULL: it is no link, or what it stands for is absent. */
static const char *link_target(const struct registry_key_visit *v)
{
	const char *target = NULL;
	struct error *err CLEANUP(error_cleanup) = NULL;

	if (v->key->flags & KEY_SYM_LINK)
		err = registry_get_text(v->key, "SymbolicLinkValue", v->arena, &target);
	return err ? NULL : target;
}

static const char *const layer_names[] = {
	[LAYER_MERGE] = NULL,
	[LAYER_TOMBSTONE] = "tombstone",
	[LAYER_SUPERSEDE_LOCAL] = "supersede_local",
	[LAYER_SUPERSEDE_TREE] = "supersede_tree",
};

static struct error *keys_row(struct command_run *run, const struct registry_key_visit *v)
{
	const struct registry_key *key = v->key;
	uint64_t subkeys =
		(uint64_t)key->num_subkeys[STORAGE_STABLE] + key->num_subkeys[STORAGE_VOLATILE];
	bool is_exit = key->flags & KEY_HIVE_EXIT;
	struct hive_fault fault;
	const char *class = NULL;

	if (!registry_key_class(key, v->arena, &class, &fault) && fault.why)
		diag_partial(run->diag, "%s: its class cannot be read: cell 0x%" PRIx32 ": %s",
			     v->path, fault.cell, fault.why);
	return sink_row(run->sink,
			(struct cell[KEYS_NUM_COLUMNS]){
				[KEYS_LAST_WRITE_TIME] = cell_time(key->last_write_time),
				[KEYS_SUBKEYS] = is_exit ? CELL_ABSENT : cell_u64(subkeys),
				[KEYS_VALUES] = is_exit ? CELL_ABSENT : cell_u64(key->num_values),
				[KEYS_VOLATILE] = cell_bool(key->cell & CELL_VOLATILE),
				[KEYS_CELL] = cell_addr(key->cell),
				[KEYS_PATH] = cell_str(v->path),
				[KEYS_LINK] = cell_str(link_target(v)),
				[KEYS_CLASS] = cell_str(class),
				[KEYS_LAYER] = cell_str(layer_names[key->layer]),
				[KEYS_HIVE] = cell_addr(key->hive->va),
				[KEYS_ADDRESS] = cell_addr(key->va),
				[KEYS_DEPTH] = cell_u64(v->depth),
			},
			0);
}

static struct error *keys_run(struct command_run *run)
{
	bool recursive = option_flag(run->options, "recursive");

	return each_registry_key(run, recursive ? MAX_KEY_DEPTH : 1, keys_row);
}

const struct command cmd_registry_keys = {
	.name = "registry keys",
	.summary = "list registry keys",
	.arguments = "[PATH]",
	.max_args = 1,
	.description =
		"Lists the key and its subkeys, or with --recursive all keys below it, parents "
		"before children. " REGISTRY_PATH_TEXT " Without PATH all hives are "
		"meant.\n\n"
		"A key whose page is not in the snapshot is absent together with all keys below "
		"it; standard error says how many subkeys of which key that are, and the exit "
		"status is 3.",
	.example = "ntscope registry keys memory.dmp 'HKLM\\SYSTEM\\CurrentControlSet\\Services'",
	.options = keys_options,
	.num_options = ARRAY_SIZE(keys_options),
	.columns = keys_columns,
	.num_columns = KEYS_NUM_COLUMNS,
	.key_columns = "path",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = keys_run,
};
