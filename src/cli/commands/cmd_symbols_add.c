/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "cli/commands.h"
#include "windows/symbols/symbol_store.h"
#include "windows/symbols/type_info.h"

enum {
	ADDED_FILE,
	ADDED_PDB_NAME,
	ADDED_GUID,
	ADDED_AGE,
	ADDED_TYPES,
	ADDED_SYMBOLS,
	ADDED_PATH,
	ADDED_NUM_COLUMNS
};

static const struct column added_columns[ADDED_NUM_COLUMNS] = {
	[ADDED_FILE] = { "file", "FILE", CELL_STR, 0, COL_HIDDEN, "the file that was read" },
	[ADDED_PDB_NAME] = { "pdb_name", "PDB", CELL_STR, 12, 0, "of the kernel's symbol file" },
	[ADDED_GUID] = { "pdb_guid", "GUID", CELL_STR, 32, 0, "which kernel the symbols are of" },
	[ADDED_AGE] = { "pdb_age", "AGE", CELL_U64, 3, COL_RIGHT, "together with this" },
	[ADDED_TYPES] = { "types", "TYPES", CELL_U64, 6, COL_RIGHT,
			  "types that are described; 0: only symbols" },
	[ADDED_SYMBOLS] = { "symbols", "SYMBOLS", CELL_U64, 7, COL_RIGHT, "symbols" },
	[ADDED_PATH] = { "path", "PATH", CELL_STR, 0, 0, "the file in the store" },
};

static void source_cleanup(struct profile_source **src)
{
	if (*src)
		(*src)->ops->destroy(*src);
}

static void free_string(char **s)
{
	free(*s);
}

static bool count_name(void *arg, const char *name)
{
	uint64_t *count = arg;

	(void)name;
	++*count;
	return true;
}

static bool count_symbol(void *arg, const char *name, uint64_t rva)
{
	uint64_t *count = arg;

	(void)name;
	(void)rva;
	++*count;
	return true;
}

static struct error *put_added(struct command_run *run, const char *file,
			       const struct profile_source *src)
{
	const struct symbol_identity *id = src->ops->identity(src);
	char *path CLEANUP(free_string) = symbol_store_path(run->store, id->guid, id->age);
	struct cell cells[ADDED_NUM_COLUMNS] = { 0 };
	uint64_t types = 0, symbols = 0;
	char guid[GUID_TEXT_SIZE];

	if (!path)
		return &error_no_memory;
	type_each(src, count_name, &types);
	src->ops->info->each_symbol(src, count_symbol, &symbols);
	guid_format(id->guid, guid);
	cells[ADDED_FILE] = cell_str(file);
	cells[ADDED_PDB_NAME] = cell_str(id->pdb_name);
	cells[ADDED_GUID] = cell_str(guid);
	cells[ADDED_AGE] = cell_u64(id->age);
	cells[ADDED_TYPES] = cell_u64(types);
	cells[ADDED_SYMBOLS] = cell_u64(symbols);
	cells[ADDED_PATH] = cell_str(path);
	return sink_row(run->sink, cells, 0);
}

/* One bad file does not keep the others out. */
static struct error *added_run(struct command_run *run)
{
	struct error *err;

	if (!run->store)
		return error_new(ERROR_NOT_FOUND,
				 "no symbol store: neither XDG_CACHE_HOME nor HOME names a folder "
				 "for it, or --no-symbol-store is given");
	for (size_t i = 0; i < run->num_args; i++) {
		struct profile_source *src CLEANUP(source_cleanup) = NULL;

		err = symbol_store_add(run->store, run->args[i], &src);
		if (!err && (err = put_added(run, run->args[i], src)))
			return err;
		if (err && run->num_args == 1)
			return err;
		if (err)
			diag_error(run->diag, err, "not added");
	}
	return NULL;
}

const struct command cmd_symbols_add = {
	.name = "symbols add",
	.summary = "keep symbol files, to be used by default",
	.arguments = "FILE...",
	.min_args = 1,
	.max_args = UINT32_MAX,
	.description =
		"Reads PDB and ISF files (.json, .json.xz) and keeps what they say in the symbol "
		"store, "
		"$XDG_CACHE_HOME/ntscope/symbols or else ~/.cache/ntscope/symbols. Every command "
		"then uses it for snapshots of exactly that kernel, after what --symbols names "
		"and before what the program knows itself; 'ntscope info' says store:GUID-AGE. "
		"What was there of the same GUID and age is replaced. To drop symbols, delete "
		"their file in the store.\n\n"
		"There is no snapshot on this command line.",
	.example = "ntscope symbols add ntkrnlmp.pdb 9C00B19DBDE003DBFE4AB4216993C843-1.json.xz",
	.columns = added_columns,
	.num_columns = ADDED_NUM_COLUMNS,
	.flags = COMMAND_NO_SNAPSHOT,
	.run = added_run,
};
