/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "windows/kernel_tables/pool_tags.h"

enum {
	POOLTAGS_TAG,
	POOLTAGS_COUNTERS,
	POOLTAGS_ENTRY = POOLTAGS_COUNTERS + NUM_POOL_COUNTERS,
	POOLTAGS_NUM_COLUMNS
};

static const struct column pooltags_columns[POOLTAGS_NUM_COLUMNS] = {
	[POOLTAGS_TAG] = { "tag", "TAG", CELL_STR, 4, 0, "four characters that tell whose it is" },
	[POOLTAGS_COUNTERS + NONPAGED_ALLOCS] = { "nonpaged_allocs", "NP ALLOCS", CELL_U64, 12,
						  COL_RIGHT, "allocations from nonpaged pool" },
	[POOLTAGS_COUNTERS + NONPAGED_FREES] = { "nonpaged_frees", "NP FREES", CELL_U64, 12,
						 COL_RIGHT, "of them freed" },
	[POOLTAGS_COUNTERS + NONPAGED_BYTES] = { "nonpaged_bytes", "NP BYTES", CELL_U64, 12,
						 COL_RIGHT, "bytes in use" },
	[POOLTAGS_COUNTERS + PAGED_ALLOCS] = { "paged_allocs", "P ALLOCS", CELL_U64, 12, COL_RIGHT,
					       "allocations from paged pool" },
	[POOLTAGS_COUNTERS + PAGED_FREES] = { "paged_frees", "P FREES", CELL_U64, 12, COL_RIGHT,
					      "of them freed" },
	[POOLTAGS_COUNTERS + PAGED_BYTES] = { "paged_bytes", "P BYTES", CELL_U64, 12, COL_RIGHT,
					      "bytes in use" },
	[POOLTAGS_ENTRY] = { "entry", "ENTRY", CELL_ADDR, 18, COL_HIDDEN,
			     "address of the tag's first entry" },
};

static const struct option_row pooltags_options[] = {
	{ "tag", 0, OPTION_STRING, "TAG", "only these; '?' is any character, a last '*' the rest" },
};

static struct error *put_tag(struct command_run *run, const struct pool_tag_use *use)
{
	const char *wanted = option_string(run->options, "tag");
	struct cell cells[POOLTAGS_NUM_COLUMNS] = { [POOLTAGS_ENTRY] = cell_addr(use->entry) };
	struct error *err;
	const char *tag;

	if ((err = pool_tag_text(run->arena, use->tag, &tag)))
		return err;
	if (wanted && !pool_tag_matches(wanted, tag))
		return NULL;
	cells[POOLTAGS_TAG] = cell_str(tag);
	for (unsigned i = 0; i < NUM_POOL_COUNTERS; i++)
		cells[POOLTAGS_COUNTERS + i] = cell_opt(use->counters[i]);
	return sink_row(run->sink, cells, 0);
}

static struct error *pooltags_run(struct command_run *run)
{
	struct pool_tag_uses uses CLEANUP(pool_tags_deinit) = { 0 };
	const char *wanted = option_string(run->options, "tag");
	struct error *err = wanted ? pool_tag_check(wanted) : NULL;

	if (!err)
		err = pool_tags_read(run->kernel, &uses);
	for (size_t i = 0; i < uses.count && !err && !sink_full(run->sink); i++)
		err = put_tag(run, &uses.items[i]);
	return err;
}

const struct command cmd_pooltags = {
	.name = "pooltags",
	.summary = "count pool allocations by tag",
	.description =
		"Adds up what the kernel counts per tag in PoolTrackTable, in the tables of the "
		"processors, and in the expansion table: allocations, frees and bytes of nonpaged "
		"and paged pool. Counters of four bytes, as in Windows 7 and 8.1, wrap around.\n\n"
		"The tables are in no export: symbols of exactly this kernel are needed, built in "
		"or given.",
	.example = "ntscope pooltags --tag 'Ntf*' memory.dmp",
	.options = pooltags_options,
	.num_options = ARRAY_SIZE(pooltags_options),
	.columns = pooltags_columns,
	.num_columns = POOLTAGS_NUM_COLUMNS,
	.key_columns = "tag",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = pooltags_run,
};
