/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "arch/amd64/unwind.h"
#include "base/cursor.h"

/* An image of one page at BASE and a stack of one page, of which the first `shown` bytes are
 * there; one function, [0x100, 0x180), and where its unwind information is. */
#define BASE  UINT64_C(0xfffff80000000000)
#define STACK UINT64_C(0xffff800000001000)
enum { SIZE = 0x1000, BEGIN = 0x100, END = 0x180, INFO = 0x400, OTHER = 0x600 };

static struct {
	uint8_t image[SIZE], stack[SIZE];
	size_t image_shown, stack_shown;
	struct runtime_function functions[3];
	unsigned num_functions;
	bool table_absent;
} fake;

static bool read_memory(void *arg, uint64_t va, void *buf, size_t len)
{
	(void)arg;
	if (va >= BASE && va - BASE < fake.image_shown && len <= fake.image_shown - (va - BASE)) {
		memcpy(buf, fake.image + (va - BASE), len);
		return true;
	}
	if (va < STACK || va - STACK >= fake.stack_shown || len > fake.stack_shown - (va - STACK))
		return false;
	memcpy(buf, fake.stack + (va - STACK), len);
	return true;
}

static enum function_lookup find_function(void *arg, uint32_t rva, struct runtime_function *ret)
{
	(void)arg;
	if (fake.table_absent)
		return FUNCTION_ABSENT;
	for (unsigned i = 0; i < fake.num_functions; i++) {
		if (rva >= fake.functions[i].begin && rva < fake.functions[i].end) {
			*ret = fake.functions[i];
			return FUNCTION_FOUND;
		}
	}
	return FUNCTION_NONE;
}

static const struct unwind_image image = {
	.base = BASE,
	.read = read_memory,
	.find = find_function,
};

static void setup(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(fake.image, 0x90, INFO);
	fake.image_shown = fake.stack_shown = SIZE;
	fake.functions[0] = (struct runtime_function){ BEGIN, END, INFO };
	fake.num_functions = 1;
	for (unsigned i = 0; i < SIZE / 8; i++)
		store_u64(fake.stack + 8 * i, 0x1000 + i); /* each slot holds its index */
}

TestSuite(unwind, .init = setup, .timeout = 60);

static void put_info(uint32_t rva, const void *bytes, size_t len)
{
	memcpy(fake.image + rva, bytes, len);
}
#define INFO_BYTES(...) \
	put_info(INFO, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static struct unwind_context at(uint32_t rva)
{
	struct unwind_context c = { .rip = BASE + rva, .known = 0xffff, .known_xmm = 0xffff };

	c.gpr[UNWIND_RSP] = STACK;
	return c;
}

/* Unwinds from rva and expects to come out at so many slots of the stack. */
static struct unwind_context expect_slots(uint32_t rva, unsigned slots)
{
	struct unwind_context c = at(rva);
	struct unwind_step step;

	cr_assert_eq(unwind_caller(&image, &c, &step), UNWIND_OK, "RVA 0x%x", rva);
	cr_expect_eq(c.gpr[UNWIND_RSP], STACK + 8 * slots, "RVA 0x%x: %llu slots", rva,
		     (unsigned long long)(c.gpr[UNWIND_RSP] - STACK) / 8);
	cr_expect_eq(c.rip, 0x1000 + slots - 1);
	return c;
}

Test(unwind, what_has_no_entry_is_a_leaf)
{
	struct unwind_context c = at(0x20);
	struct unwind_step step;

	cr_assert_eq(unwind_caller(&image, &c, &step), UNWIND_OK);
	cr_expect(step.leaf);
	cr_expect_eq(c.rip, 0x1000);
	cr_expect_eq(c.known, (uint16_t)~UNWIND_VOLATILE);
	cr_expect_eq(c.known_xmm, 0xffc0);
	fake.table_absent = true;
	cr_expect_eq(unwind_caller(&image, &c, &step), UNWIND_ABSENT);
}

Test(unwind, a_prologue_is_undone_as_far_as_it_ran)
{
	/* push rbx (1), push rdi (2), sub rsp, 0x20 (6) */
	INFO_BYTES(1, 6, 3, 0, 6, 0x32, 2, 0x70, 1, 0x30);
	expect_slots(BEGIN, 1);
	expect_slots(BEGIN + 1, 2);
	expect_slots(BEGIN + 2, 3);
	struct unwind_context c = expect_slots(BEGIN + 6, 7);

	cr_expect_eq(c.gpr[UNWIND_RDI], 0x1004);
	cr_expect_eq(c.gpr[UNWIND_RBX], 0x1005);
}

Test(unwind, version_2_finds_epilogues_without_code)
{
	/* size 4, at the end and 0x20 before it; push rbx, push r12, sub rsp, 0x28 */
	INFO_BYTES(2, 7, 5, 0, 4, 0x16, 0x20, 0x06, 7, 0x42, 3, 0xc0, 1, 0x30);
	expect_slots(BEGIN + 0x10, 8);
	expect_slots(END - 4, 3);
	expect_slots(END - 2, 2); /* pop r12 takes two bytes, pop rbx one */
	expect_slots(END - 1, 1);
	expect_slots(END - 0x20, 3);
	expect_slots(END - 0x1c, 8);
}

Test(unwind, version_2_epilogues_may_end_in_flags_and_a_machine_frame)
{
	/* push rbp over pushed flags over a machine frame */
	INFO_BYTES(2, 4, 5, 0, 4, 0x16, 0, 0x06, 4, 0x50, 2, 0x02, 0, 0x0a);
	struct unwind_context c = at(END - 4);
	struct unwind_step step;

	cr_assert_eq(unwind_caller(&image, &c, &step), UNWIND_OK);
	cr_expect(step.machine_frame && step.epilogue);
	cr_expect_eq(c.gpr[UNWIND_RBP], 0x1000);
	cr_expect_eq(c.rip, 0x1002);
	cr_expect_eq(step.cs, 0x1003);
	cr_expect_eq(c.gpr[UNWIND_RSP], 0x1005);
}

Test(unwind, a_machine_frame_gives_rip_cs_and_rsp)
{
	static const uint8_t with_code[] = { 0x1a, 0x0a };

	for (unsigned i = 0; i < ARRAY_SIZE(with_code); i++) {
		struct unwind_context c = at(BEGIN + 8);
		struct unwind_step step;
		unsigned code = with_code[i] >> 4;

		INFO_BYTES(1, 4, 2, 0, 4, 0x00 | 0x02, 0, with_code[i]);
		cr_assert_eq(unwind_caller(&image, &c, &step), UNWIND_OK);
		cr_expect(step.machine_frame);
		cr_expect_eq(c.rip, 0x1001 + code);
		cr_expect_eq(step.cs, 0x1002 + code);
		cr_expect_eq(c.gpr[UNWIND_RSP], 0x1004 + code);
	}
}

Test(unwind, indirect_entries_and_chains_are_followed)
{
	struct runtime_function primary;

	fake.functions[1] = (struct runtime_function){ 0x200, 0x280, OTHER | 1 };
	fake.functions[2] = (struct runtime_function){ 0x280, 0x2c0, OTHER + 0x20 };
	fake.num_functions = 3;
	/* an entry that stands for the first */
	store_u32(fake.image + OTHER, BEGIN);
	store_u32(fake.image + OTHER + 4, END);
	store_u32(fake.image + OTHER + 8, INFO);
	/* a part that is chained to it */
	put_info(OTHER + 0x20, (const uint8_t[]){ 0x21, 0, 0, 0 }, 4);
	memcpy(fake.image + OTHER + 0x24, fake.image + OTHER, 12);
	INFO_BYTES(1, 4, 1, 0, 4, 0x32);
	expect_slots(0x210, 5);
	expect_slots(0x290, 5);
	cr_assert_eq(unwind_primary(&image, &fake.functions[1], &primary), UNWIND_OK);
	cr_expect_eq(primary.begin, BEGIN);
	cr_assert_eq(unwind_primary(&image, &fake.functions[2], &primary), UNWIND_OK);
	cr_expect_eq(primary.begin, BEGIN);
}

Test(unwind, loops_of_chains_and_entries_end)
{
	struct runtime_function fn = { 0x200, 0x280, OTHER | 1 }, primary;
	struct unwind_context c = at(BEGIN + 4);
	struct unwind_step step;

	store_u32(fake.image + OTHER + 8, OTHER | 1); /* stands for itself */
	cr_expect_eq(unwind_primary(&image, &fn, &primary), UNWIND_CORRUPT);
	INFO_BYTES(0x21, 0, 0, 0, BEGIN & 0xff, BEGIN >> 8, 0, 0, END & 0xff, END >> 8, 0, 0,
		   INFO & 0xff, INFO >> 8, 0, 0); /* chained to itself */
	cr_expect_eq(unwind_primary(&image, &fake.functions[0], &primary), UNWIND_CORRUPT);
	cr_expect_eq(unwind_caller(&image, &c, &step), UNWIND_CORRUPT);
	cr_expect_eq(c.rip, BASE + BEGIN + 4, "untouched on failure");
}

Test(unwind, jumps_inside_the_function_are_no_epilogue)
{
	static const struct {
		uint8_t code[7];
		bool epilogue;
	} rows[] = {
		{ { 0xc3 }, true },
		{ { 0xc2, 8, 0 }, true },
		{ { 0xf3, 0xc3 }, true },
		{ { 0xf2, 0xc3 }, true },
		{ { 0xeb, 0x10 }, false },
		{ { 0xeb, 0x7e }, true },
		{ { 0xeb, 0xae }, true }, /* to its own start: it calls itself */
		{ { 0xe9, 0x00, 0x01, 0x00, 0x00 }, true },
		{ { 0xe9, 0xf0, 0xff, 0xff, 0xff }, false },
		{ { 0xff, 0x25, 0, 0, 0, 0 }, true },
		{ { 0xff, 0xe0 }, false }, /* a switch */
		{ { 0x48, 0xff, 0xe0 }, true },
		{ { 0x90 }, false },
		{ { 0x48, 0x83, 0xc4, 0x20, 0x90 }, false },
	};

	INFO_BYTES(1, 4, 1, 0, 4, 0x32);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(fake.image + BEGIN, 0x90, END - BEGIN);
		memcpy(fake.image + BEGIN + 0x50, rows[i].code, sizeof(rows[i].code));
		expect_slots(BEGIN + 0x50, rows[i].epilogue ? 1 : 5);
	}
}

Test(unwind, code_that_is_absent_is_no_epilogue)
{
	struct runtime_function moved = { SIZE, SIZE + 0x80, INFO };

	fake.functions[0] = moved;
	INFO_BYTES(1, 4, 1, 0, 4, 0x32);
	expect_slots(SIZE + 0x10, 5);
}

Test(unwind, a_frame_register_that_is_not_known_is_said)
{
	struct unwind_context c = at(BEGIN + 0x10);
	struct unwind_step step;

	INFO_BYTES(1, 4, 1, 0x25, 4, 0x03);
	c.known = 1 << UNWIND_RSP;
	cr_expect_eq(unwind_caller(&image, &c, &step), UNWIND_UNKNOWN);
	c.known |= 1 << UNWIND_RBP;
	c.gpr[UNWIND_RBP] = STACK + 0x40;
	cr_assert_eq(unwind_caller(&image, &c, &step), UNWIND_OK);
	cr_expect_eq(c.rip, 0x1004);
}

Test(unwind, data_cut_at_every_length_is_absent)
{
	/* sub rsp, imm32; mov [rsp + far], rsi; movaps [rsp + 0x20], xmm7; chained */
	static const uint8_t bytes[] = { 0x21, 9, 8, 0, 9, 0x78, 2,    0, 9, 0x65,
					 0x40, 0, 0, 0, 9, 0x11, 0x80, 0, 0, 0 };
	struct unwind_step step;

	put_info(INFO, bytes, sizeof(bytes));
	store_u32(fake.image + INFO + 20, 0x200);
	store_u32(fake.image + INFO + 24, 0x280);
	store_u32(fake.image + INFO + 28, OTHER);
	put_info(OTHER, (const uint8_t[]){ 1, 0, 0, 0 }, 4);
	struct unwind_context c = expect_slots(BEGIN + 0x10, 17);

	cr_expect_eq(c.gpr[UNWIND_RSI], 0x1008);
	cr_expect_eq(c.xmm[7][0], 0x1004);
	cr_expect_eq(c.xmm[7][1], 0x1005);
	for (fake.image_shown = INFO; fake.image_shown < OTHER + 4; fake.image_shown++) {
		c = at(BEGIN + 0x10);
		enum unwind_status status = unwind_caller(&image, &c, &step);

		cr_expect_eq(status, UNWIND_ABSENT, "%zu", fake.image_shown);
		cr_expect_eq(c.gpr[UNWIND_RSP], STACK);
	}
	for (fake.stack_shown = 0; fake.stack_shown < 8 * 17; fake.stack_shown++) {
		c = at(BEGIN + 0x10);
		cr_expect_eq(unwind_caller(&image, &c, &step), UNWIND_ABSENT);
	}
}

Test(unwind, what_no_compiler_writes_is_corrupt)
{
	static const uint8_t rows[][8] = {
		{ 0, 0, 0, 0 },		 /* version 0 */
		{ 3, 0, 0, 0 },		 /* version 3 */
		{ 1, 0, 1, 0, 0, 0x0b }, /* no such operation */
		{ 1, 0, 1, 0, 0, 0x01 }, /* the operand's slot is missing */
		{ 1, 0, 2, 0, 0, 0x05 }, /* one of two */
		{ 1, 0, 2, 0, 0, 0x21 }, /* no such form of ALLOC_LARGE */
		{ 1, 0, 1, 0, 0, 0x2a }, /* no such form of PUSH_MACHFRAME */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unwind_context c = at(BEGIN);
		struct unwind_step step;

		put_info(INFO, rows[i], sizeof(rows[i]));
		cr_expect_eq(unwind_caller(&image, &c, &step), UNWIND_CORRUPT, "row %zu", i);
	}
}

Test(unwind, the_most_codes_that_fit_are_read)
{
	struct unwind_info info;

	INFO_BYTES(1, 0, 255, 0);
	memset(fake.image + INFO + 4, 0, 510);
	cr_assert_eq(unwind_info_read(&image, INFO, &info), UNWIND_OK);
	cr_expect_eq(info.num_codes, UNWIND_MAX_CODES);
}

Test(unwind, handlers_and_old_codes_are_read)
{
	struct unwind_info info;

	/* version 1 had half XMM saves where version 2 has epilogues */
	INFO_BYTES(0x09, 8, 5, 0x25, 8, 0x66, 2, 0, 4, 0x67, 1, 0, 0, 0, 0, 0, 0x78, 0x56, 0x34,
		   0x12);
	cr_assert_eq(unwind_info_read(&image, INFO, &info), UNWIND_OK);
	cr_expect_eq(info.num_codes, 2);
	cr_expect_eq(info.codes[0].op, UNWIND_SPARE);
	cr_expect_eq(info.codes[1].op, UNWIND_SPARE);
	cr_expect_eq(info.handler, 0x12345678);
	cr_expect_eq(info.frame_register, UNWIND_RBP);
	cr_expect_eq(info.frame_offset, 0x20);
}

Test(unwind, statuses_have_words)
{
	for (unsigned i = 0; i < NUM_UNWIND_STATUSES; i++)
		cr_expect_neq(*unwind_status_text((enum unwind_status)i), '\0');
}
