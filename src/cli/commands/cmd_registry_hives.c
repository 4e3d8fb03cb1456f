/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "windows/registry/hive_bin.h"
#include "windows/registry/registry.h"

#include <inttypes.h>

enum {
	HIVES_OBJECT,
	HIVES_PATH,
	HIVES_SIZE,
	HIVES_VOLATILE_SIZE,
	HIVES_BINS,
	HIVES_BINS_CAPTURED,
	HIVES_FILE,
	HIVES_LOADED_AS,
	HIVES_BASE_BLOCK,
	HIVES_ROOT_CELL,
	HIVES_VERSION,
	HIVES_SOURCE,
	HIVES_NUM_COLUMNS
};

static const struct column hives_columns[HIVES_NUM_COLUMNS] = {
	[HIVES_OBJECT] = { "object", "HIVE", CELL_ADDR, 18, 0, "virtual address of the hive" },
	[HIVES_PATH] = { "path", "PATH", CELL_STR, 30, 0, "path of its root key" },
	[HIVES_SIZE] = { "size", "SIZE", CELL_U64, 9, COL_RIGHT, "bytes of its stable bins" },
	[HIVES_VOLATILE_SIZE] = { "volatile_size", "VOLATILE", CELL_U64, 8, COL_RIGHT,
				  "bytes of its volatile bins, which no file has" },
	[HIVES_BINS] = { "bins", "BINS", CELL_U64, 5, COL_RIGHT,
			 "bins of both kinds; where a bin's header is absent, each of its 4096 "
			 "bytes count as one" },
	[HIVES_BINS_CAPTURED] = { "bins_captured", "HERE", CELL_U64, 5, COL_RIGHT,
				  "bins of which every page is in the snapshot" },
	[HIVES_FILE] = { "file", "FILE", CELL_STR, 0, 0,
			 "path of its file as the kernel noted it, else as it was given when the "
			 "hive was loaded" },
	[HIVES_LOADED_AS] = { "loaded_as", "LOADED AS", CELL_STR, 0, COL_HIDDEN,
			      "path of the file as it was given when the hive was loaded" },
	[HIVES_BASE_BLOCK] = { "base_block", "BASE BLOCK", CELL_ADDR, 18, COL_HIDDEN,
			       "virtual address of the head of its file" },
	[HIVES_ROOT_CELL] = { "root_cell", "ROOT", CELL_ADDR, 6, COL_HIDDEN,
			      "cell of its root key" },
	[HIVES_VERSION] = { "version", "VERSION", CELL_U64, 2, COL_HIDDEN,
			    "minor version of its format" },
	[HIVES_SOURCE] = { "source", "SOURCE", CELL_STR, 6, COL_HIDDEN,
			   "how it was found: list (CmpHiveListHead), pool_scan or big_pool (by "
			   "the "
			   "tag of its allocation)" },
};

static const struct option_row hives_options[] = {
	{ "scan", 0, OPTION_FLAG, NULL,
	  "also hives that are in no list, by the tag CM10 of their allocations" },
};

struct bin_counts {
	uint64_t bins, captured;
};

static void count_bins(const struct hive *h, uint32_t offset, struct bin_counts *counts)
{
	struct hive_bin bin;

	while (hive_bin_at(h, offset, &bin)) {
		counts->bins++;
		counts->captured += bin.has_header && !bin.absent;
		offset = hive_bin_end(&bin);
	}
}

static struct cell storage_size(const struct hive *h, enum hive_storage kind)
{
	return h->storage[kind].present ? cell_u64(h->storage[kind].length) : CELL_ABSENT;
}

static struct error *hives_row(struct command_run *run, const struct registry_hive *h)
{
	const struct hive *hive = &h->hive;
	struct bin_counts counts = { 0 };

	count_bins(hive, 0, &counts);
	count_bins(hive, CELL_VOLATILE, &counts);
	return sink_row(run->sink,
			(struct cell[HIVES_NUM_COLUMNS]){
				[HIVES_OBJECT] = cell_addr(hive->va),
				[HIVES_PATH] = cell_str(h->path),
				[HIVES_SIZE] = storage_size(hive, STORAGE_STABLE),
				[HIVES_VOLATILE_SIZE] = storage_size(hive, STORAGE_VOLATILE),
				[HIVES_BINS] = cell_u64(counts.bins),
				[HIVES_BINS_CAPTURED] = cell_u64(counts.captured),
				[HIVES_FILE] = cell_str(hive->file_path ? hive->file_path
									: hive->user_name),
				[HIVES_LOADED_AS] = cell_str(hive->user_name),
				[HIVES_BASE_BLOCK] = hive->base_block ? cell_addr(hive->base_block)
								      : CELL_ABSENT,
				[HIVES_ROOT_CELL] = cell_addr(hive_root_cell(hive)),
				[HIVES_VERSION] = cell_opt(hive->version),
				[HIVES_SOURCE] = cell_str(h->source),
			},
			0);
}

static struct error *hives_run(struct command_run *run)
{
	struct registry *registry;
	struct error *err;

	if ((err = registry_open(run->kernel, &registry))) {
		/* As of every list whose root is not there: it is empty, and not whole. */
		if (error_code(err) != ERROR_NOT_FOUND)
			return err;
		diag_error(run->diag, err, "registry");
		return NULL;
	}
	if (option_flag(run->options, "scan"))
		err = registry_scan(registry);
	for (size_t i = 0; i < registry_num_hives(registry) && !err && !sink_full(run->sink); i++)
		err = hives_row(run, registry_hive_at(registry, i));
	registry_close(registry);
	return err;
}

const struct command cmd_registry_hives = {
	.name = "registry hives",
	.summary = "list the registry's hives",
	.description =
		"Follows CmpHiveListHead from both ends; where that is broken, or with --scan, it "
		"also looks for what was allocated for hives. A hive is a file of the registry, or "
		"a "
		"part that is made anew when Windows starts, and is mounted as a key. Which "
		"pages of it are in memory depends on what was used: bins that are not there are "
		"counted, their keys and values are absent from the other commands, and "
		"dump --hive says where they would be.",
	.example = "ntscope registry hives memory.dmp",
	.options = hives_options,
	.num_options = ARRAY_SIZE(hives_options),
	.columns = hives_columns,
	.num_columns = HIVES_NUM_COLUMNS,
	.key_columns = "object",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = hives_run,
};
