/* SPDX-License-Identifier: MIT */
#include "formats/writers/crash_header.h"

#include "base/cursor.h"
#include "formats/crashdump/layout.h"

enum {
	FREE_BUILD = 0xf,
	/* KD_SECONDARY_VERSION_AMD64_CONTEXT (wdm.h): contexts are those of winnt.h */
	SECONDARY_VERSION_CONTEXT = 2,
	CONTEXT_FLAGS = 0x30, /* of CONTEXT */
	CONTEXT_FLAG_AMD64 = 0x100000,
	PARAMETER_SIZE = 8,
};
_Static_assert((int)CRASH_CONTEXT_SIZE <= (int)HEADER_CONTEXT_SIZE,
	       "the header has room for a context");

/* Facts that are one number each. */
static const struct fact_row {
	uint16_t field;
	uint8_t size;
	uint16_t member; /* of struct crash_facts, as wide as the field */
} fact_rows[] = {
#define FACT(field, size, member)                                 \
	{                                                         \
		field, size, offsetof(struct crash_facts, member) \
	}
	FACT(HEADER_MINOR_VERSION, 4, build),
	FACT(HEADER_DIRECTORY_TABLE_BASE, 8, hints.dtb),
	FACT(HEADER_PFN_DATABASE, 8, hints.pfn_database),
	FACT(HEADER_PS_LOADED_MODULE_LIST, 8, hints.ps_loaded_module_list),
	FACT(HEADER_PS_ACTIVE_PROCESS_HEAD, 8, hints.ps_active_process_head),
	FACT(HEADER_NUMBER_PROCESSORS, 4, num_cpus),
	FACT(HEADER_KDBG, 8, hints.kdbg),
	FACT(HEADER_SYSTEM_TIME, 8, system_time),
	FACT(HEADER_SYSTEM_UPTIME, 8, system_uptime),
	FACT(HEADER_PRODUCT_TYPE, 4, product_type),
	FACT(HEADER_SUITE_MASK, 4, suite_mask),
#undef FACT
};

void crash_facts_init(const struct dump_info *info, struct crash_facts *ret)
{
	*ret = (struct crash_facts){
		.header = info->crash_header,
		.hints = info->hints,
		.build = info->has_build ? info->build : 0,
		.num_cpus = info->num_cpus,
		.product_type = info->product_type,
		.suite_mask = info->suite_mask,
		.system_time = info->has_system_time ? info->system_time : 0,
		.system_uptime = info->has_uptime ? info->system_uptime : 0,
		.machine_runs = info->machine_runs,
		.num_machine_runs = info->num_machine_runs,
	};
	if (info->has_bugcheck)
		ret->bugcheck = info->bugcheck;
}

/* Does the header say nothing there? */
static bool is_open(const uint8_t *header, size_t field, size_t size)
{
	static const uint8_t zeros[8];
	uint64_t filler = CRASH_FILLER64;

	return memcmp(header + field, zeros, size) == 0 ||
	       memcmp(header + field, &filler, size) == 0;
}

bool crash_header_has_runs(const uint8_t *header)
{
	return !is_open(header, HEADER_NUM_RUNS, sizeof(uint32_t));
}

static void fill_fact(uint8_t *header, const struct fact_row *row, const struct crash_facts *facts)
{
	const uint8_t *value = (const uint8_t *)facts + row->member;

	/* in a fact, too, 0 says nothing */
	if (is_open(header, row->field, row->size) && !is_open(value, 0, row->size))
		memcpy(header + row->field, value, row->size);
}

/* A header that says nothing yet. */
static void begin_header(uint8_t *header)
{
	for (size_t i = 0; i < CRASH_HEADER_SIZE; i += sizeof(uint32_t))
		store_u32(header + i, CRASH_FILLER);
	memset(header + HEADER_MAJOR_VERSION, 0, HEADER_NUM_RUNS - HEADER_MAJOR_VERSION);
	memset(header + HEADER_CONTEXT, 0, HEADER_CONTEXT_SIZE);
	memset(header + HEADER_EXCEPTION, 0, HEADER_EXCEPTION_SIZE);
	memset(header + HEADER_COMMENT, 0, HEADER_COMMENT_SIZE);
	store_u32(header + HEADER_MAJOR_VERSION, FREE_BUILD);
	store_u32(header + HEADER_MINIDUMP_FIELDS, 0);
	store_u32(header + HEADER_WRITER_STATUS, 0);
	store_u32(header + HEADER_ATTRIBUTES, 0);
	header[HEADER_SECONDARY_VERSION] = SECONDARY_VERSION_CONTEXT;
}

static void fill_bugcheck(uint8_t *header, const struct bugcheck *bugcheck)
{
	if (!bugcheck->code || !is_open(header, HEADER_BUGCHECK_CODE, sizeof(uint32_t)))
		return;
	store_u32(header + HEADER_BUGCHECK_CODE, bugcheck->code);
	for (size_t i = 0; i < MAX_BUGCHECK_PARAMETERS; i++)
		store_u64(header + HEADER_BUGCHECK_PARAMETERS + i * PARAMETER_SIZE,
			  bugcheck->parameters[i]);
}

static void fill_context(uint8_t *header, const uint8_t *context)
{
	uint32_t flags = load_u32(header + HEADER_CONTEXT + CONTEXT_FLAGS);

	if (context && (flags == CRASH_FILLER || !(flags & CONTEXT_FLAG_AMD64)))
		memcpy(header + HEADER_CONTEXT, context, CRASH_CONTEXT_SIZE);
}

static void fill_comment(uint8_t *header, const char *comment)
{
	uint8_t *p = header + HEADER_COMMENT;

	if (!comment || (p[0] && load_u32(p) != CRASH_FILLER))
		return;
	memset(p, 0, HEADER_COMMENT_SIZE);
	memcpy(p, comment, strnlen(comment, HEADER_COMMENT_SIZE - 1));
}

static void store_runs(uint8_t *header, const struct mem_range *runs, size_t count)
{
	uint8_t *p = header + HEADER_RUNS;
	uint64_t pages = 0;

	if (!count)
		return;
	store_u64(header + HEADER_NUM_RUNS, count); /* and the padding behind it */
	for (size_t i = 0; i < count; i++, p += HEADER_RUN_SIZE) {
		uint64_t length = (runs[i].end - runs[i].start) >> PAGE_SHIFT;

		store_u64(p, runs[i].start >> PAGE_SHIFT);
		store_u64(p + 8, length);
		pages += length;
	}
	store_u64(header + HEADER_NUM_PAGES, pages);
	/* runs of another block */
	while (p + HEADER_RUN_SIZE <= header + HEADER_CONTEXT) {
		store_u64(p, CRASH_FILLER64);
		store_u64(p + 8, CRASH_FILLER64);
		p += HEADER_RUN_SIZE;
	}
}

void crash_header_build(const struct crash_header *h, uint8_t ret[CRASH_HEADER_SIZE])
{
	const struct crash_facts *facts = h->facts;

	if (facts->header)
		memcpy(ret, facts->header, CRASH_HEADER_SIZE);
	else
		begin_header(ret);
	memcpy(ret, "PAGEDU64", 8);
	store_u32(ret + HEADER_MACHINE, IMAGE_FILE_MACHINE_AMD64);
	for (size_t i = 0; i < ARRAY_SIZE(fact_rows); i++)
		fill_fact(ret, &fact_rows[i], facts);
	fill_bugcheck(ret, &facts->bugcheck);
	fill_context(ret, facts->context);
	fill_comment(ret, h->comment);
	store_runs(ret, h->runs, h->num_runs);
	store_u32(ret + HEADER_DUMP_TYPE, h->type);
	store_u64(ret + HEADER_REQUIRED_SPACE, h->size);
	/* none is written */
	store_u32(ret + HEADER_SECONDARY_STATE, 0);
}
