/* SPDX-License-Identifier: MIT */
#include "windows/crash/dump_facts.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"
#include "fake_dump.h"

static struct fake_dump *f;
static struct arena arena;

static void setup(void)
{
	f = malloc(sizeof(*f));
	fake_dump_init(f);
	arena_init(&arena, 0);
}

static void teardown(void)
{
	arena_deinit(&arena);
	fake_dump_close(f);
	free(f);
}

TestSuite(dump_facts, .init = setup, .fini = teardown, .timeout = 60);

static struct dump_facts read_facts(int absent_page)
{
	struct dump_facts facts;

	fake_dump_open(f, absent_page);
	struct error *err = dump_facts_read(&f->kernel, &arena, &facts);
	cr_assert_null(err, "%s", error_message(err));
	return facts;
}

static void put(uint32_t at, uint64_t value)
{
	store_u64(f->bytes + at, value);
}

static void expect_patch(const struct write_patch *p, uint64_t pa, size_t len, const char *what)
{
	cr_expect_eq(p->pa, pa);
	cr_expect_eq(p->len, len);
	cr_expect_str_eq(p->what, what);
}

Test(dump_facts, running_machine)
{
	struct dump_facts facts = read_facts(-1);
	const struct crash_facts *c = &facts.crash;

	cr_expect_eq(c->hints.dtb, 0x1ad000);
	cr_expect_eq(c->hints.kdbg, FAKE_DUMP_BASE + FAKE_DUMP_KDBG);
	cr_expect_eq(c->hints.pfn_database, UINT64_C(0xffffb18000000000));
	cr_expect_eq(c->build, 19041);
	cr_expect_eq(c->num_cpus, 2);
	cr_expect_eq(c->product_type, 1);
	cr_expect_eq(c->suite_mask, 0x110);
	cr_expect_eq(c->system_uptime, 0x777);
	cr_expect_eq(c->bugcheck.code, 0);
	cr_assert_eq(c->num_machine_runs, 2);
	cr_expect_eq(c->machine_runs[0].start, 0x1000);
	cr_expect_eq(c->machine_runs[0].end, 0x9f000);
	cr_expect_eq(c->machine_runs[1].start, 0x100000);
	cr_expect_eq(c->machine_runs[1].end, 0x800000);
	/* as the kernel saved it: all of the record */
	cr_assert_not_null(c->context);
	cr_expect_arr_eq(c->context, f->bytes + FAKE_DUMP_CONTEXT, CRASH_CONTEXT_SIZE);
	cr_expect_eq(facts.num_patches, 0);
}

Test(dump_facts, the_header_knows_better)
{
	f->snap.info.hints.dtb = 0x5000;
	f->snap.info.hints.pfn_database = 0x1234;
	f->snap.info.has_build = true;
	f->snap.info.build = 7601;
	f->snap.info.has_bugcheck = true;
	f->snap.info.bugcheck.code = 0xe2;
	put(FAKE_DUMP_BUGCHECK, 0x50);
	struct dump_facts facts = read_facts(-1);

	cr_expect_eq(facts.crash.hints.dtb, 0x5000);
	cr_expect_eq(facts.crash.hints.pfn_database, 0x1234);
	cr_expect_eq(facts.crash.build, 7601);
	cr_expect_eq(facts.crash.bugcheck.code, 0xe2);
}

Test(dump_facts, bug_check)
{
	for (uint32_t i = 0; i < 5; i++)
		put(FAKE_DUMP_BUGCHECK + i * 8, 0x50 + i);
	struct dump_facts facts = read_facts(-1);

	cr_expect_eq(facts.crash.bugcheck.code, 0x50);
	for (uint32_t i = 0; i < 4; i++)
		cr_expect_eq(facts.crash.bugcheck.parameters[i], 0x51 + i);
}

Test(dump_facts, what_is_no_bug_check)
{
	put(FAKE_DUMP_BUGCHECK, UINT64_C(0xfffff80000000000));
	cr_expect_eq(read_facts(-1).crash.bugcheck.code, 0);
}

/* KDBG, in two pieces as it crosses into the next page. */
Test(dump_facts, encoded_kdbg)
{
	static const uint32_t first = PAGE_SIZE - FAKE_DUMP_KDBG;
	uint8_t plain[FAKE_DUMP_KDBG_SIZE];

	memcpy(plain, f->bytes + FAKE_DUMP_KDBG, sizeof(plain));
	fake_dump_encode_kdbg(f);
	struct dump_facts facts = read_facts(-1);
	cr_assert_eq(facts.num_patches, 2);
	expect_patch(&facts.patches[0], FAKE_DUMP_KDBG, first, "KDBG, decoded");
	expect_patch(&facts.patches[1], PAGE_SIZE, FAKE_DUMP_KDBG_SIZE - first, "KDBG, decoded");
	cr_expect_arr_eq(facts.patches[0].bytes, plain, first);
	cr_expect_arr_eq(facts.patches[1].bytes, plain + first, sizeof(plain) - first);
	/* and what it names was read */
	cr_expect_eq(facts.crash.hints.pfn_database, UINT64_C(0xffffb18000000000));
}

/* Where a part of KDBG is absent, what is left cannot be used, and stays as it is. */
Test(dump_facts, encoded_kdbg_cut_short)
{
	fake_dump_encode_kdbg(f);
	cr_expect_eq(read_facts(1).num_patches, 0);
}

/* Registers of the format go to each processor's context; only what they know is touched. */
Test(dump_facts, registers)
{
	uint8_t *context = f->bytes + FAKE_DUMP_CONTEXT;
	struct dump_facts facts;

	fake_dump_add_registers(f);
	facts = read_facts(-1);
	cr_assert_eq(facts.num_patches, 3);
	expect_patch(&facts.patches[0], FAKE_DUMP_CONTEXT + 0x30, 0x90, "registers of processor 0");
	expect_patch(&facts.patches[1], FAKE_DUMP_CONTEXT + 0xc0, 0x40, "registers of processor 0");
	expect_patch(&facts.patches[2], FAKE_DUMP_OTHER_CONTEXT + 0x30, 0xd0,
		     "registers of processor 1");
	cr_expect_eq(load_u32(facts.patches[0].bytes), 0x100007);
	cr_expect_eq(load_u64(facts.patches[1].bytes + 0x38), FAKE_DUMP_BASE + 0x5678);
	cr_assert_not_null(facts.crash.context);
	cr_expect_eq(load_u64(facts.crash.context + 0xf8), FAKE_DUMP_BASE + 0x5678);
	cr_expect_eq(facts.crash.context[0x1a0], 0, "old floating point registers");
	cr_expect_eq(load_u64(context + 0xf8), FAKE_DUMP_BASE + 0x1234, "the snapshot changed");
}

/* A context that says the same already, and more, stays. */
Test(dump_facts, registers_that_are_there)
{
	fake_dump_add_registers(f);
	f->registers[0].rip = f->registers[1].rip = FAKE_DUMP_BASE + 0x1234;
	struct dump_facts facts = read_facts(-1);

	cr_expect_eq(facts.num_patches, 0);
	cr_assert_not_null(facts.crash.context);
	cr_expect_arr_eq(facts.crash.context, f->bytes + FAKE_DUMP_CONTEXT, CRASH_CONTEXT_SIZE);
}

/* A crash dump's context is of a processor that nobody numbers. */
Test(dump_facts, registers_of_an_unknown_processor)
{
	fake_dump_add_registers(f);
	f->snap.info.context_cpu_unknown = true;
	cr_expect_eq(read_facts(-1).num_patches, 0);
}

Test(dump_facts, a_context_that_is_absent)
{
	fake_dump_add_registers(f);
	struct dump_facts facts = read_facts(4); /* the end of processor 0's */

	cr_assert_eq(facts.num_patches, 1);
	expect_patch(&facts.patches[0], FAKE_DUMP_OTHER_CONTEXT + 0x30, 0xd0,
		     "registers of processor 1");
	cr_assert_not_null(facts.crash.context);
	cr_expect_eq(load_u64(facts.crash.context + 0xf8), FAKE_DUMP_BASE + 0x5678);
}

Test(dump_facts, a_context_that_was_never_saved)
{
	store_u32(f->bytes + FAKE_DUMP_CONTEXT + 0x30, 0);
	cr_expect_null(read_facts(-1).crash.context);
}

static void expect_no_machine_runs(uint32_t at, uint64_t value)
{
	put(at, value);
	struct dump_facts facts = read_facts(-1);
	cr_expect_eq(facts.crash.num_machine_runs, 0, "0x%x", at);
}

Test(dump_facts, memory_block_of_no_runs)
{
	expect_no_machine_runs(FAKE_DUMP_MEMORY, 0);
}

Test(dump_facts, memory_block_of_too_many_runs)
{
	expect_no_machine_runs(FAKE_DUMP_MEMORY, UINT32_MAX);
}

Test(dump_facts, memory_block_out_of_order)
{
	expect_no_machine_runs(FAKE_DUMP_MEMORY + 0x20, 0x80);
}

Test(dump_facts, memory_block_beyond_all_memory)
{
	expect_no_machine_runs(FAKE_DUMP_MEMORY + 0x28, UINT64_MAX);
}

Test(dump_facts, memory_block_with_another_sum)
{
	expect_no_machine_runs(FAKE_DUMP_MEMORY + 0x08, 0x100);
}

Test(dump_facts, memory_block_elsewhere)
{
	expect_no_machine_runs(FAKE_DUMP_MEMORY_BLOCK, UINT64_MAX);
}
