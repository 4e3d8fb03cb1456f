/* SPDX-License-Identifier: MIT */
#include "formats/writers/crash_header.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/crashdump/layout.h"
#include "tests/images.h"

TestSuite(crash_header, .fini = images_remove, .timeout = 60);

/* A header as the reader understands it. */
struct parsed {
	struct crash_dump dump;
	struct dump_info info;
	struct diag diag;
	unsigned complaints;
};

static void count_complaint(void *arg, enum diag_kind kind, const char *message)
{
	(void)kind;
	(void)message;
	++*(unsigned *)arg;
}

static struct parsed *parse(const uint8_t *header, struct parsed *p)
{
	memset(p, 0, sizeof(*p));
	diag_init(&p->diag, count_complaint, &p->complaints);
	arena_init(&p->info.arena, 0);
	p->info.crash_header = header;
	p->dump = (struct crash_dump){ .bytes = header, .info = &p->info, .diag = &p->diag };
	struct error *err = crash_read_header(&p->dump);
	cr_assert_null(err, "%s", error_message(err));
	return p;
}

static void forget(struct parsed *p)
{
	arena_deinit(&p->info.arena);
}

static void fill_context(uint8_t context[CRASH_CONTEXT_SIZE])
{
	memset(context, 0, CRASH_CONTEXT_SIZE);
	store_u32(context + 0x30, 0x100007);			 /* control, integer, segments */
	store_u64(context + 0x98, UINT64_C(0xfffff80000123000)); /* rsp */
	store_u64(context + 0xf8, UINT64_C(0xfffff80000456000)); /* rip */
}

Test(crash_header, facts_of_a_running_machine)
{
	static const struct mem_range runs[] = { { 0x1000, 0x9f000 }, { 0x100000, 0x200000 } };
	uint8_t context[CRASH_CONTEXT_SIZE], header[CRASH_HEADER_SIZE];
	struct crash_facts facts = {
		.hints = { .dtb = 0x1ad000,
			   .kdbg = UINT64_C(0xfffff80043600b20),
			   .ps_loaded_module_list = UINT64_C(0xfffff8004362a2d0),
			   .ps_active_process_head = UINT64_C(0xfffff8004361dfa0),
			   .pfn_database = UINT64_C(0xffffb18000000000) },
		.build = 19041,
		.num_cpus = 3,
		.product_type = 1,
		.suite_mask = 0x110,
		.system_time = 0x1dac6de45147c44,
		.system_uptime = 0x2f7f6e6438,
		.context = context,
	};
	struct parsed p;

	fill_context(context);
	crash_header_build(&(struct crash_header){ .facts = &facts,
						   .type = 1,
						   .runs = runs,
						   .num_runs = ARRAY_SIZE(runs),
						   .size = 0x12345000,
						   .comment = "who wrote it" },
			   header);
	cr_assert_arr_eq(header, "PAGEDU64", 8);
	cr_expect_eq(load_u32(header + HEADER_MACHINE), 0x8664);
	cr_expect_eq(load_u64(header + HEADER_REQUIRED_SPACE), 0x12345000);
	cr_expect_eq(load_u32(header + HEADER_BUGCHECK_CODE), 0);
	cr_expect_arr_eq(header + HEADER_CONTEXT, context, CRASH_CONTEXT_SIZE);
	parse(header, &p);
	cr_expect_eq(p.complaints, 0);
	cr_expect_eq(p.dump.type, 1);
	cr_expect_eq(p.info.major_version, 0xf);
	cr_expect_eq(p.info.build, 19041);
	cr_expect_eq(p.info.num_cpus, 3);
	cr_expect_arr_eq(&p.info.hints, &facts.hints, sizeof(facts.hints));
	cr_expect_eq(p.info.system_time, facts.system_time);
	cr_expect_eq(p.info.system_uptime, facts.system_uptime);
	cr_expect_eq(p.info.product_type, 1);
	cr_expect_eq(p.info.suite_mask, 0x110);
	cr_expect_not(p.info.has_bugcheck);
	cr_expect_not(p.info.has_exception);
	cr_expect_str_eq(p.info.comment, "who wrote it");
	cr_assert_eq(p.info.num_machine_runs, ARRAY_SIZE(runs));
	cr_expect_arr_eq(p.info.machine_runs, runs, sizeof(runs));
	cr_assert_eq(p.info.num_registers, 1);
	cr_expect_eq(p.info.registers[0].rip, UINT64_C(0xfffff80000456000));
	forget(&p);
}

/* What is not known is left open, and read as such. */
Test(crash_header, nothing_is_made_up)
{
	const struct crash_facts facts = { .hints.dtb = 0x1000 };
	uint8_t header[CRASH_HEADER_SIZE];
	struct parsed p;

	crash_header_build(&(struct crash_header){ .facts = &facts, .type = 5 }, header);
	parse(header, &p);
	cr_expect_eq(p.complaints, 0);
	cr_expect_eq(p.info.hints.dtb, 0x1000);
	cr_expect_eq(p.info.hints.kdbg, 0);
	cr_expect_eq(p.info.build, 0);
	cr_expect_eq(p.info.num_cpus, 0);
	cr_expect_not(p.info.has_system_time);
	cr_expect_not(p.info.has_uptime);
	cr_expect_not(p.info.has_bugcheck);
	cr_expect_not(p.info.has_exception);
	cr_expect_not(p.info.has_comment);
	cr_expect_eq(p.info.product_type, 0);
	cr_expect_eq(p.info.suite_mask, 0);
	cr_expect_eq(p.info.num_registers, 0);
	cr_expect_eq(p.info.num_machine_runs, 0);
	cr_expect_not(crash_header_has_runs(header));
	forget(&p);
}

Test(crash_header, a_crash_that_the_kernel_tells_of)
{
	const struct crash_facts facts = { .bugcheck = { 0x50, { 1, 2, 3, 4 } } };
	uint8_t header[CRASH_HEADER_SIZE];
	struct parsed p;

	crash_header_build(&(struct crash_header){ .facts = &facts, .type = 1 }, header);
	parse(header, &p);
	cr_expect(p.info.has_bugcheck);
	cr_expect_eq(p.info.bugcheck.code, 0x50);
	cr_expect_arr_eq(p.info.bugcheck.parameters, facts.bugcheck.parameters,
			 sizeof(facts.bugcheck.parameters));
	forget(&p);
}

/* As many runs as there is room for, before them more of another header's. */
Test(crash_header, runs_fill_their_block)
{
	struct mem_range runs[CRASH_MAX_HEADER_RUNS];
	uint8_t first[CRASH_HEADER_SIZE], second[CRASH_HEADER_SIZE];
	struct crash_facts facts = { 0 };
	struct parsed p;

	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		runs[i] = (struct mem_range){ i * 0x10000, i * 0x10000 + 0x3000 };
	struct crash_header h = {
		.facts = &facts, .type = 1, .runs = runs, .num_runs = ARRAY_SIZE(runs)
	};
	crash_header_build(&h, first);
	cr_expect_eq(load_u32(first + HEADER_CONTEXT), 0);
	parse(first, &p);
	cr_expect_eq(p.complaints, 0);
	cr_expect_eq(p.info.num_machine_runs, ARRAY_SIZE(runs));
	forget(&p);
	facts.header = first;
	h.num_runs = 2;
	crash_header_build(&h, second);
	parse(second, &p);
	cr_expect_eq(p.complaints, 0);
	cr_expect_eq(p.info.num_machine_runs, 2);
	cr_expect_eq(load_u64(second + HEADER_RUNS + 2 * HEADER_RUN_SIZE), CRASH_FILLER64);
	forget(&p);
}

Test(crash_header, a_long_comment_is_cut)
{
	const struct crash_facts facts = { 0 };
	uint8_t header[CRASH_HEADER_SIZE];
	char comment[200];

	memset(comment, 'x', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	crash_header_build(&(struct crash_header){ .facts = &facts, .comment = comment }, header);
	cr_expect_eq(header[HEADER_COMMENT + HEADER_COMMENT_SIZE - 2], 'x');
	cr_expect_eq(header[HEADER_COMMENT + HEADER_COMMENT_SIZE - 1], '\0');
}

/*
 * A header that is carried over keeps every byte but those that are of the file itself, whatever
 * else is known; what it leaves open is filled in.
 */
static void carry_over(const uint8_t header[CRASH_HEADER_SIZE])
{
	uint8_t context[CRASH_CONTEXT_SIZE], built[CRASH_HEADER_SIZE];
	struct crash_facts facts;
	struct parsed p, again;

	fill_context(context);
	parse(header, &p);
	crash_facts_init(&p.info, &facts);
	facts.context = context;
	crash_header_build(
		&(struct crash_header){
			.facts = &facts,
			.type = p.dump.type,
			.size = load_u64(header + HEADER_REQUIRED_SPACE),
		},
		built);
	store_u32(built + HEADER_SECONDARY_STATE, load_u32(header + HEADER_SECONDARY_STATE));
	if (p.info.num_registers)
		cr_expect_arr_eq(built, header, CRASH_HEADER_SIZE);
	else
		cr_expect_arr_eq(built + HEADER_CONTEXT, context, CRASH_CONTEXT_SIZE);
	/* and without it, by its facts alone */
	facts.header = NULL;
	crash_header_build(
		&(struct crash_header){
			.facts = &facts,
			.type = p.dump.type,
			.runs = facts.machine_runs,
			.num_runs = facts.num_machine_runs,
			.comment = p.info.comment,
		},
		built);
	parse(built, &again);
	cr_expect_arr_eq(&again.info.hints, &p.info.hints, sizeof(p.info.hints));
	cr_expect_eq(again.dump.type, p.dump.type);
	cr_expect_eq(again.info.build, p.info.build);
	cr_expect_eq(again.info.num_cpus, p.info.num_cpus);
	cr_expect_eq(again.info.system_time, p.info.system_time);
	cr_expect_eq(again.info.system_uptime, p.info.system_uptime);
	cr_expect_eq(again.info.product_type, p.info.product_type);
	cr_expect_eq(again.info.suite_mask, p.info.suite_mask);
	cr_expect_arr_eq(&again.info.bugcheck, &p.info.bugcheck, sizeof(p.info.bugcheck));
	cr_expect_eq(again.info.has_comment, p.info.has_comment);
	cr_expect_eq(again.info.num_machine_runs, p.info.num_machine_runs);
	forget(&p);
	forget(&again);
}

static void carry_over_file(const char *path)
{
	uint8_t header[CRASH_HEADER_SIZE];
	FILE *f = fopen(path, "rb");

	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fread(header, 1, sizeof(header), f), sizeof(header), "%s", path);
	fclose(f);
	carry_over(header);
}

Test(crash_header, carries_over_a_small_one)
{
	carry_over_file(TESTDATA_DIR "/small-windows.dmp");
}

Test(crash_header, carries_over_real_ones)
{
	static const char *const names[] = {
		"real/triage/header-only-full.dmp", "real/triage/triage_x64.dmp",
		"real/triage/083125-14875-01.dmp",  "real/triage/100623-4953-01.dmp",
		"real/triage/102622-15671-01.dmp",
	};
	char path[IMAGES_PATH_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		images_find(names[i], path);
		carry_over_file(path);
	}
	images_unpack_xz("real/real17763-a.dmp.xz", path);
	carry_over_file(path);
}
