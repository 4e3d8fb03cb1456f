/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "windows/kernel_tables/pool_tags.h"
#include "windows/pool/big_pool.h"

enum {
	BIGPOOLS_ADDRESS,
	BIGPOOLS_TAG,
	BIGPOOLS_SIZE,
	BIGPOOLS_PAGED,
	BIGPOOLS_FREE,
	BIGPOOLS_TYPE,
	BIGPOOLS_PROCESS,
	BIGPOOLS_ENTRY,
	BIGPOOLS_NUM_COLUMNS
};

static const struct column bigpools_columns[BIGPOOLS_NUM_COLUMNS] = {
	[BIGPOOLS_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, 0, "of the allocation" },
	[BIGPOOLS_TAG] = { "tag", "TAG", CELL_STR, 4, 0, "four characters that tell whose it is" },
	[BIGPOOLS_SIZE] = { "size", "SIZE", CELL_U64, 10, COL_RIGHT, "bytes" },
	[BIGPOOLS_PAGED] = { "paged", "PAGED", CELL_BOOL, 5, 0,
			     "from paged pool; absent: the build does not say" },
	[BIGPOOLS_FREE] = { "free", "FREE", CELL_BOOL, 5, COL_HIDDEN,
			    "it was freed (--free); the memory may be another's by now" },
	[BIGPOOLS_TYPE] = { "pool_type", "TYPE", CELL_ADDR, 6, COL_HIDDEN,
			    "bits of POOL_TYPE: 1 paged, 0x20 session, 0x200 not executable" },
	[BIGPOOLS_PROCESS] = { "process", "PROCESS", CELL_ADDR, 18, COL_HIDDEN,
			       "EPROCESS that is charged, where the build tells" },
	[BIGPOOLS_ENTRY] = { "entry", "ENTRY", CELL_ADDR, 18, COL_HIDDEN,
			     "address of the table's entry" },
};

static const struct option_row bigpools_options[] = {
	{ "tag", 0, OPTION_STRING, "TAG", "only these; '?' is any character, a last '*' the rest" },
	{ "free", 0, OPTION_FLAG, NULL, "entries that were freed, too" },
};

static struct error *put_pool(struct command_run *run, const struct big_pool *p)
{
	const char *wanted = option_string(run->options, "tag");
	struct cell cells[BIGPOOLS_NUM_COLUMNS] = {
		[BIGPOOLS_ADDRESS] = cell_addr(p->address), [BIGPOOLS_SIZE] = cell_opt(p->size),
		[BIGPOOLS_FREE] = cell_bool(p->free),	    [BIGPOOLS_TYPE] = cell_opt(p->type),
		[BIGPOOLS_PROCESS] = cell_opt(p->process),  [BIGPOOLS_ENTRY] = cell_addr(p->entry),
	};
	struct error *err;
	const char *tag;

	if (p->free && !option_flag(run->options, "free"))
		return NULL;
	if ((err = pool_tag_text(run->arena, p->tag, &tag)))
		return err;
	if (wanted && !pool_tag_matches(wanted, tag))
		return NULL;
	cells[BIGPOOLS_TAG] = cell_str(tag);
	if (p->type.present)
		cells[BIGPOOLS_PAGED] = cell_bool(p->type.value & POOL_TYPE_PAGED);
	return sink_row(run->sink, cells, 0);
}

static struct error *bigpools_run(struct command_run *run)
{
	struct big_pools pools CLEANUP(big_pools_deinit) = { 0 };
	const char *wanted = option_string(run->options, "tag");
	struct error *err = wanted ? pool_tag_check(wanted) : NULL;

	if (!err)
		err = big_pools_read(run->kernel, &pools);
	for (size_t i = 0; i < pools.count && !err && !sink_full(run->sink); i++)
		err = put_pool(run, &pools.items[i]);
	return err;
}

const struct command cmd_bigpools = {
	.name = "bigpools",
	.summary = "list pool allocations of a page and more",
	.description =
		"Reads PoolBigPageTable, the kernel's list of allocations that are too large for "
		"its pool pages, in the table's order. Drivers that are loaded without the "
		"loader often leave their image in one.\n\n"
		"The table is in no export: symbols of exactly this kernel are needed, built in "
		"or given.",
	.example = "ntscope bigpools --tag 'CM*' memory.dmp",
	.options = bigpools_options,
	.num_options = ARRAY_SIZE(bigpools_options),
	.columns = bigpools_columns,
	.num_columns = BIGPOOLS_NUM_COLUMNS,
	.key_columns = "address",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = bigpools_run,
};
