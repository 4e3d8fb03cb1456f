/* SPDX-License-Identifier: MIT */
#include "arch/amd64/context.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "arch/amd64/registers.h"

/* Byte i of a record is a function of i, so that each field's value tells its place. */
static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 + (i >> 8) + 1);
}

static uint64_t expected(size_t offset, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)pattern(offset + i) << 8 * i;
	return value;
}

struct place {
	enum register_id id;
	uint16_t offset, size;
};

static const struct place amd64_places[] = {
	{ AMD64_MXCSR, 0x34, 4 }, { AMD64_CS, 0x38, 2 },     { AMD64_DS, 0x3a, 2 },
	{ AMD64_ES, 0x3c, 2 },	  { AMD64_FS, 0x3e, 2 },     { AMD64_GS, 0x40, 2 },
	{ AMD64_SS, 0x42, 2 },	  { AMD64_RFLAGS, 0x44, 4 }, { AMD64_DR0, 0x48, 8 },
	{ AMD64_DR1, 0x50, 8 },	  { AMD64_DR2, 0x58, 8 },    { AMD64_DR3, 0x60, 8 },
	{ AMD64_DR6, 0x68, 8 },	  { AMD64_DR7, 0x70, 8 },    { AMD64_RAX, 0x78, 8 },
	{ AMD64_RCX, 0x80, 8 },	  { AMD64_RDX, 0x88, 8 },    { AMD64_RBX, 0x90, 8 },
	{ AMD64_RSP, 0x98, 8 },	  { AMD64_RBP, 0xa0, 8 },    { AMD64_RSI, 0xa8, 8 },
	{ AMD64_RDI, 0xb0, 8 },	  { AMD64_R8, 0xb8, 8 },     { AMD64_R9, 0xc0, 8 },
	{ AMD64_R10, 0xc8, 8 },	  { AMD64_R11, 0xd0, 8 },    { AMD64_R12, 0xd8, 8 },
	{ AMD64_R13, 0xe0, 8 },	  { AMD64_R14, 0xe8, 8 },    { AMD64_R15, 0xf0, 8 },
	{ AMD64_RIP, 0xf8, 8 },
};
static const struct place x86_places[] = {
	{ AMD64_DR0, 0x04, 4 }, { AMD64_DR1, 0x08, 4 },		 { AMD64_DR2, 0x0c, 4 },
	{ AMD64_DR3, 0x10, 4 }, { AMD64_DR6, 0x14, 4 },		 { AMD64_DR7, 0x18, 4 },
	{ AMD64_GS, 0x8c, 2 },	{ AMD64_FS, 0x90, 2 },		 { AMD64_ES, 0x94, 2 },
	{ AMD64_DS, 0x98, 2 },	{ AMD64_RDI, 0x9c, 4 },		 { AMD64_RSI, 0xa0, 4 },
	{ AMD64_RBX, 0xa4, 4 }, { AMD64_RDX, 0xa8, 4 },		 { AMD64_RCX, 0xac, 4 },
	{ AMD64_RAX, 0xb0, 4 }, { AMD64_RBP, 0xb4, 4 },		 { AMD64_RIP, 0xb8, 4 },
	{ AMD64_CS, 0xbc, 2 },	{ AMD64_RFLAGS, 0xc0, 4 },	 { AMD64_RSP, 0xc4, 4 },
	{ AMD64_SS, 0xc8, 2 },	{ AMD64_MXCSR, 0xcc + 0x18, 4 },
};
static const struct place special_places[] = {
	{ AMD64_CR0, 0x00, 8 },	       { AMD64_CR2, 0x08, 8 },
	{ AMD64_CR3, 0x10, 8 },	       { AMD64_CR4, 0x18, 8 },
	{ AMD64_DR0, 0x20, 8 },	       { AMD64_DR1, 0x28, 8 },
	{ AMD64_DR2, 0x30, 8 },	       { AMD64_DR3, 0x38, 8 },
	{ AMD64_DR6, 0x40, 8 },	       { AMD64_DR7, 0x48, 8 },
	{ AMD64_GDTR_LIMIT, 0x56, 2 }, { AMD64_GDTR_BASE, 0x58, 8 },
	{ AMD64_IDTR_LIMIT, 0x66, 2 }, { AMD64_IDTR_BASE, 0x68, 8 },
	{ AMD64_TR, 0x70, 2 },	       { AMD64_LDTR, 0x72, 2 },
	{ AMD64_MXCSR, 0x74, 4 },      { AMD64_CR8, 0xa0, 8 },
	{ AMD64_GS_BASE, 0xa8, 8 },    { AMD64_KERNEL_GS_BASE, 0xb0, 8 },
	{ AMD64_STAR, 0xb8, 8 },       { AMD64_LSTAR, 0xc0, 8 },
	{ AMD64_CSTAR, 0xc8, 8 },      { AMD64_SFMASK, 0xd0, 8 },
};
static const struct place special_x86_places[] = {
	{ AMD64_CR0, 0x00, 4 },	       { AMD64_CR2, 0x04, 4 },	      { AMD64_CR3, 0x08, 4 },
	{ AMD64_CR4, 0x0c, 4 },	       { AMD64_DR0, 0x10, 4 },	      { AMD64_DR1, 0x14, 4 },
	{ AMD64_DR2, 0x18, 4 },	       { AMD64_DR3, 0x1c, 4 },	      { AMD64_DR6, 0x20, 4 },
	{ AMD64_DR7, 0x24, 4 },	       { AMD64_GDTR_LIMIT, 0x2a, 2 }, { AMD64_GDTR_BASE, 0x2c, 4 },
	{ AMD64_IDTR_LIMIT, 0x32, 2 }, { AMD64_IDTR_BASE, 0x34, 4 },  { AMD64_TR, 0x38, 2 },
	{ AMD64_LDTR, 0x3a, 2 },
};

static void check_places(const struct registers *r, const struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		cr_assert(register_get(r, places[i].id, &value), "%s",
			  register_rows[places[i].id].name);
		cr_assert_eq(value, expected(places[i].offset, places[i].size), "%s",
			     register_rows[places[i].id].name);
	}
}

/* A cursor over a heap block of exactly len bytes, so that a read beyond it is seen. */
static struct cursor record(size_t len, size_t flags_offset, uint32_t flags, uint8_t **bytes_ret)
{
	uint8_t *bytes = malloc(len ? len : 1);
	struct cursor c;

	cr_assert_not_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(i);
	if (flags && flags_offset + 4 <= len)
		store_u32(bytes + flags_offset, flags);
	cur_init(&c, bytes, len, 0);
	*bytes_ret = bytes;
	return c;
}
enum { AMD64_FLAGS = 0x30, ALL_AMD64 = CONTEXT_AMD64 | 0x1f, ALL_X86 = CONTEXT_X86 | 0x3f };

Test(context, amd64_every_field)
{
	struct context context;
	uint8_t *bytes;
	struct cursor c = record(CONTEXT_AMD64_SIZE, AMD64_FLAGS, ALL_AMD64, &bytes);

	cr_assert(context_amd64_read(c, &context));
	cr_assert_eq(context.width, 8);
	cr_assert_eq(context.flags, ALL_AMD64);
	check_places(&context.registers, amd64_places, ARRAY_SIZE(amd64_places));
	for (unsigned i = 0; i < 6; i++)
		cr_assert_eq(context.home[i], expected(i * 8, 8));
	cr_assert_eq(context.debug_control, expected(0x4a8, 8));
	cr_assert_eq(context.last_branch_to, expected(0x4b0, 8));
	cr_assert_eq(context.last_branch_from, expected(0x4b8, 8));
	cr_assert_eq(context.last_exception_to, expected(0x4c0, 8));
	cr_assert_eq(context.last_exception_from, expected(0x4c8, 8));
	cr_assert(context.has_xsave && !context.has_floating_save);
	cr_assert_eq(context.xsave.xmm[0].low, expected(0x1a0, 8));
	cr_assert_eq((uint64_t)context.xsave.xmm[15].high, expected(0x298, 8));
	cr_assert(context_has_general(&context, 15));
	free(bytes);
}

/* A group that takes two of Windows' parts is known only with both. */
Test(context, amd64_parts)
{
	static const struct {
		uint32_t flags, known;
	} rows[] = {
		{ CONTEXT_CONTROL, 0 },
		{ CONTEXT_INTEGER, 0 },
		{ CONTEXT_CONTROL | CONTEXT_INTEGER, REGS_GENERAL },
		{ CONTEXT_SEGMENTS, 0 },
		{ CONTEXT_CONTROL | CONTEXT_SEGMENTS, REGS_SELECTORS },
		{ CONTEXT_DEBUG_REGISTERS, REGS_DEBUG },
		{ CONTEXT_FLOATING_POINT, REGS_MXCSR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct context context;
		uint8_t *bytes;
		struct cursor c = record(CONTEXT_AMD64_SIZE, AMD64_FLAGS,
					 CONTEXT_AMD64 | rows[i].flags, &bytes);

		cr_assert(context_amd64_read(c, &context));
		cr_assert_eq(context.registers.known, rows[i].known, "0x%x", rows[i].flags);
		cr_assert_eq(context.has_xsave, rows[i].flags == CONTEXT_FLOATING_POINT);
		free(bytes);
	}
}

Test(context, x86_every_field)
{
	struct context context;
	uint8_t *bytes;
	struct cursor c = record(CONTEXT_X86_SIZE, 0, ALL_X86, &bytes);

	cr_assert(context_x86_read(c, &context));
	cr_assert_eq(context.width, 4);
	check_places(&context.registers, x86_places, ARRAY_SIZE(x86_places));
	cr_assert(context.has_floating_save && context.has_xsave);
	cr_assert_eq(context.floating_save.control_word, expected(0x1c, 4));
	cr_assert_eq(context.floating_save.registers[SIZE_OF_80387_REGISTERS - 1],
		     pattern(0x1c + 0x1c + 79));
	cr_assert_eq(context.floating_save.spare, expected(0x1c + 0x6c, 4));
	cr_assert_eq(context.xsave.xmm[0].low, expected(0xcc + 0xa0, 8));
	cr_assert_eq(context.registers.r8, 0);
	cr_assert(context_has_general(&context, AMD64_RBP));
	cr_assert(!context_has_general(&context, AMD64_R8));
	cr_assert(context_has_general(&context, AMD64_RIP));
	free(bytes);
}

Test(context, x86_without_extended_registers)
{
	struct context context;
	uint8_t *bytes;
	struct cursor c = record(CONTEXT_X86_SHORT_SIZE, 0, ALL_X86, &bytes);

	cr_assert(context_x86_read(c, &context));
	cr_assert_not(context.has_xsave);
	cr_assert_not(context.registers.known & REGS_MXCSR);
	free(bytes);
}

Test(context, another_machine)
{
	struct context context = { .flags = 77 };
	uint8_t *bytes;
	struct cursor c = record(CONTEXT_AMD64_SIZE, AMD64_FLAGS, CONTEXT_X86 | 0x1f, &bytes);

	cr_assert_not(context_amd64_read(c, &context));
	store_u32(bytes, CONTEXT_AMD64 | 0x0f);
	cr_assert_not(context_x86_read(c, &context));
	cr_assert_eq(context.flags, 77, "untouched");
	free(bytes);
}

Test(context, xsave_format)
{
	struct xsave_format x;
	uint8_t *bytes;
	struct cursor c = record(XSAVE_FORMAT_SIZE, 0, 0, &bytes);

	cr_assert(xsave_format_read(c, &x));
	cr_assert_eq(x.control_word, expected(0, 2));
	cr_assert_eq(x.status_word, expected(2, 2));
	cr_assert_eq(x.tag_word, expected(4, 1));
	cr_assert_eq(x.error_opcode, expected(6, 2));
	cr_assert_eq(x.error_offset, expected(8, 4));
	cr_assert_eq(x.error_selector, expected(0xc, 2));
	cr_assert_eq(x.data_offset, expected(0x10, 4));
	cr_assert_eq(x.data_selector, expected(0x14, 2));
	cr_assert_eq(x.mxcsr, expected(0x18, 4));
	cr_assert_eq(x.mxcsr_mask, expected(0x1c, 4));
	for (unsigned i = 0; i < 8; i++)
		cr_assert_eq(x.floats[i].low, expected(0x20 + i * 16, 8));
	for (unsigned i = 0; i < 16; i++) {
		cr_assert_eq(x.xmm[i].low, expected(0xa0 + i * 16, 8));
		cr_assert_eq((uint64_t)x.xmm[i].high, expected(0xa8 + i * 16, 8));
	}
	free(bytes);
}

Test(context, special_registers)
{
	struct special_registers special;
	uint8_t *bytes;
	struct cursor c = record(SPECIAL_AMD64_LONG_SIZE, 0, 0, &bytes);

	cr_assert(special_registers_amd64_read(c, &special));
	check_places(&special.registers, special_places, ARRAY_SIZE(special_places));
	cr_assert_eq(special.width, 8);
	cr_assert_eq(special.debug_control, expected(0x78, 8));
	cr_assert_eq(special.last_branch_to, expected(0x80, 8));
	cr_assert_eq(special.last_branch_from, expected(0x88, 8));
	cr_assert_eq(special.last_exception_to, expected(0x90, 8));
	cr_assert_eq(special.last_exception_from, expected(0x98, 8));
	cr_assert(special.has_xcr0 && special.xcr0 == expected(0xd8, 8) &&
		  special.fs_base == expected(0xe0, 8));
	cr_assert_not(special.registers.known & REGS_GENERAL);
	c.len = SPECIAL_AMD64_LONG_SIZE - 1;
	cr_assert(special_registers_amd64_read(c, &special));
	cr_assert(!special.has_xcr0 && !special.xcr0 && !special.fs_base);
	free(bytes);

	c = record(SPECIAL_X86_SIZE, 0, 0, &bytes);
	cr_assert(special_registers_x86_read(c, &special));
	cr_assert_eq(special.width, 4);
	check_places(&special.registers, special_x86_places, ARRAY_SIZE(special_x86_places));
	cr_assert_not(register_known(&special.registers, AMD64_CR8));
	cr_assert_not(register_known(&special.registers, AMD64_LSTAR));
	free(bytes);
}

Test(context, kdescriptor)
{
	struct table_register table;
	uint8_t *bytes;
	struct cursor c = record(KDESCRIPTOR_AMD64_SIZE, 0, 0, &bytes);

	cr_assert(kdescriptor_read(c, 8, &table));
	cr_assert(table.limit == expected(6, 2) && table.base == expected(8, 8));
	cr_assert(kdescriptor_read(c, 4, &table));
	cr_assert(table.limit == expected(2, 2) && table.base == expected(4, 4));
	free(bytes);
}

/* What is known goes in and is read back; nothing else of the record changes. */
Test(context, write)
{
	uint8_t before[CONTEXT_AMD64_SIZE], record[CONTEXT_AMD64_SIZE];
	struct registers regs = {
		.known = REGS_GENERAL | REGS_SELECTORS,
		.rax = 1,
		.r15 = 15,
		.rip = UINT64_C(0xfffff80012345678),
		.rflags = 0x246,
		.cs.selector = 0x10,
		.ss.selector = 0x18,
		.dr0 = 0x77,
		.mxcsr = 0x1f80,
	};
	struct context context;
	struct cursor c;

	memset(before, 0xaa, sizeof(before));
	memcpy(record, before, sizeof(record));
	context_amd64_write(&regs, record);
	cr_expect_arr_eq(record, before, CONTEXT_WRITTEN_FIRST);
	cr_expect_arr_eq(record + 0x48, before + 0x48, 0x30, "debug registers are not known");
	cr_expect_arr_eq(record + CONTEXT_WRITTEN_END, before + CONTEXT_WRITTEN_END,
			 sizeof(record) - CONTEXT_WRITTEN_END);
	cur_init(&c, record, sizeof(record), 0);
	cr_assert(context_amd64_read(c, &context));
	cr_expect_eq(context.flags,
		     CONTEXT_AMD64 | CONTEXT_CONTROL | CONTEXT_INTEGER | CONTEXT_SEGMENTS);
	cr_expect_eq(context.registers.known, regs.known);
	cr_expect_eq(context.registers.rax, 1);
	cr_expect_eq(context.registers.r15, 15);
	cr_expect_eq(context.registers.rip, regs.rip);
	cr_expect_eq(context.registers.rflags, 0x246);
	cr_expect_eq(context.registers.cs.selector, 0x10);
	cr_expect_eq(context.registers.ss.selector, 0x18);
	regs.known |= REGS_DEBUG;
	context_amd64_write(&regs, record);
	cr_assert(context_amd64_read(c, &context));
	cr_expect(context.registers.known & REGS_DEBUG);
	cr_expect_eq(context.registers.dr0, 0x77);
}

/* Each reader at each length: whole or nothing. */
Test(context, cut_at_every_length)
{
	for (size_t len = 0; len <= CONTEXT_AMD64_SIZE; len++) {
		union {
			struct context context;
			struct xsave_format xsave;
			struct floating_save_area floating;
			struct special_registers special;
			struct table_register table;
		} any;
		uint8_t *bytes;
		struct cursor c = record(len, AMD64_FLAGS, ALL_AMD64, &bytes);

		cr_assert_eq(context_amd64_read(c, &any.context), len >= CONTEXT_AMD64_SIZE);
		cr_assert_eq(xsave_format_read(c, &any.xsave), len >= XSAVE_FORMAT_SIZE);
		cr_assert_eq(floating_save_area_read(c, &any.floating),
			     len >= FLOATING_SAVE_AREA_SIZE);
		cr_assert_eq(special_registers_amd64_read(c, &any.special),
			     len >= SPECIAL_AMD64_SIZE);
		cr_assert_eq(special_registers_x86_read(c, &any.special), len >= SPECIAL_X86_SIZE);
		cr_assert_eq(kdescriptor_read(c, 8, &any.table), len >= KDESCRIPTOR_AMD64_SIZE);
		cr_assert_eq(kdescriptor_read(c, 4, &any.table), len >= KDESCRIPTOR_X86_SIZE);
		if (len >= 4)
			store_u32(bytes, ALL_X86);
		cr_assert_eq(context_x86_read(c, &any.context), len >= CONTEXT_X86_SHORT_SIZE);
		if (len >= CONTEXT_X86_SHORT_SIZE)
			cr_assert_eq(any.context.has_xsave, len >= CONTEXT_X86_SIZE);
		free(bytes);
	}
}
