/* SPDX-License-Identifier: MIT */
#include "arch/amd64/context.h"

/* Where `size` bytes of a record go in the structure that it is read into; the rest of a wider
 * member stays 0. */
struct slot {
	uint16_t offset, size, member;
};
#define SLOT(type, offset, size, member)             \
	{                                            \
		offset, size, offsetof(type, member) \
	}
#define CTX(offset, size, member) SLOT(struct context, offset, size, member)
#define REG(offset, size, member) SLOT(struct context, offset, size, registers.member)

static void fill(const uint8_t *bytes, const struct slot *slots, size_t count, void *ret)
{
	for (size_t i = 0; i < count; i++)
		memcpy((uint8_t *)ret + slots[i].member, bytes + slots[i].offset, slots[i].size);
}
#define FILL(bytes, slots, ret) fill(bytes, slots, ARRAY_SIZE(slots), ret)

/* M128A is two words that lie as in memory. */
_Static_assert(sizeof(struct m128a) == M128A_SIZE, "a copy of the record");

bool xsave_format_read(struct cursor c, struct xsave_format *ret)
{
	static const struct slot slots[] = {
		SLOT(struct xsave_format, 0x00, 2, control_word),
		SLOT(struct xsave_format, 0x02, 2, status_word),
		SLOT(struct xsave_format, 0x04, 1, tag_word),
		SLOT(struct xsave_format, 0x06, 2, error_opcode),
		SLOT(struct xsave_format, 0x08, 4, error_offset),
		SLOT(struct xsave_format, 0x0c, 2, error_selector),
		SLOT(struct xsave_format, 0x10, 4, data_offset),
		SLOT(struct xsave_format, 0x14, 2, data_selector),
		SLOT(struct xsave_format, 0x18, 4, mxcsr),
		SLOT(struct xsave_format, 0x1c, 4, mxcsr_mask),
		SLOT(struct xsave_format, 0x20, 8 * M128A_SIZE, floats),
		SLOT(struct xsave_format, 0xa0, 16 * M128A_SIZE, xmm),
	};
	const uint8_t *bytes;

	if (!cur_take(&c, XSAVE_FORMAT_SIZE, &bytes))
		return false;
	*ret = (struct xsave_format){ 0 };
	FILL(bytes, slots, ret);
	return true;
}

bool floating_save_area_read(struct cursor c, struct floating_save_area *ret)
{
	static const struct slot slots[] = {
		SLOT(struct floating_save_area, 0x00, 4, control_word),
		SLOT(struct floating_save_area, 0x04, 4, status_word),
		SLOT(struct floating_save_area, 0x08, 4, tag_word),
		SLOT(struct floating_save_area, 0x0c, 4, error_offset),
		SLOT(struct floating_save_area, 0x10, 4, error_selector),
		SLOT(struct floating_save_area, 0x14, 4, data_offset),
		SLOT(struct floating_save_area, 0x18, 4, data_selector),
		SLOT(struct floating_save_area, 0x1c, SIZE_OF_80387_REGISTERS, registers),
		SLOT(struct floating_save_area, 0x6c, 4, spare),
	};
	const uint8_t *bytes;

	if (!cur_take(&c, FLOATING_SAVE_AREA_SIZE, &bytes))
		return false;
	*ret = (struct floating_save_area){ 0 };
	FILL(bytes, slots, ret);
	return true;
}

static const struct slot amd64_slots[] = {
	CTX(0x00, 48, home),
	CTX(0x30, 4, flags),
	REG(0x34, 4, mxcsr),
	REG(0x38, 2, cs.selector),
	REG(0x3a, 2, ds.selector),
	REG(0x3c, 2, es.selector),
	REG(0x3e, 2, fs.selector),
	REG(0x40, 2, gs.selector),
	REG(0x42, 2, ss.selector),
	REG(0x44, 4, rflags),
	REG(0x48, 8, dr0),
	REG(0x50, 8, dr1),
	REG(0x58, 8, dr2),
	REG(0x60, 8, dr3),
	REG(0x68, 8, dr6),
	REG(0x70, 8, dr7),
	REG(0x78, 8, rax),
	REG(0x80, 8, rcx),
	REG(0x88, 8, rdx),
	REG(0x90, 8, rbx),
	REG(0x98, 8, rsp),
	REG(0xa0, 8, rbp),
	REG(0xa8, 8, rsi),
	REG(0xb0, 8, rdi),
	REG(0xb8, 8, r8),
	REG(0xc0, 8, r9),
	REG(0xc8, 8, r10),
	REG(0xd0, 8, r11),
	REG(0xd8, 8, r12),
	REG(0xe0, 8, r13),
	REG(0xe8, 8, r14),
	REG(0xf0, 8, r15),
	REG(0xf8, 8, rip),
	CTX(0x4a8, 8, debug_control),
	CTX(0x4b0, 8, last_branch_to),
	CTX(0x4b8, 8, last_branch_from),
	CTX(0x4c0, 8, last_exception_to),
	CTX(0x4c8, 8, last_exception_from),
};
enum { AMD64_XSAVE_OFFSET = 0x100 };

static const struct slot x86_slots[] = {
	CTX(0x00, 4, flags),	   REG(0x04, 4, dr0),	      REG(0x08, 4, dr1),
	REG(0x0c, 4, dr2),	   REG(0x10, 4, dr3),	      REG(0x14, 4, dr6),
	REG(0x18, 4, dr7),	   REG(0x8c, 2, gs.selector), REG(0x90, 2, fs.selector),
	REG(0x94, 2, es.selector), REG(0x98, 2, ds.selector), REG(0x9c, 4, rdi),
	REG(0xa0, 4, rsi),	   REG(0xa4, 4, rbx),	      REG(0xa8, 4, rdx),
	REG(0xac, 4, rcx),	   REG(0xb0, 4, rax),	      REG(0xb4, 4, rbp),
	REG(0xb8, 4, rip),	   REG(0xbc, 2, cs.selector), REG(0xc0, 4, rflags),
	REG(0xc4, 4, rsp),	   REG(0xc8, 2, ss.selector),
};
enum { X86_FLOATING_SAVE_OFFSET = 0x1c, X86_EXTENDED_OFFSET = 0xcc };

/* One of our groups and the parts of theirs that it takes. */
static uint32_t known_groups(uint32_t flags)
{
	static const struct {
		uint32_t flags, group;
	} rows[] = {
		{ CONTEXT_CONTROL | CONTEXT_INTEGER, REGS_GENERAL },
		{ CONTEXT_CONTROL | CONTEXT_SEGMENTS, REGS_SELECTORS },
		{ CONTEXT_DEBUG_REGISTERS, REGS_DEBUG },
	};
	uint32_t known = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((flags & rows[i].flags) == rows[i].flags)
			known |= rows[i].group;
	return known;
}

bool context_amd64_read(struct cursor c, struct context *ret)
{
	struct context context = { .width = 8 };
	struct cursor xsave = c;
	const uint8_t *bytes;

	if (!cur_take(&c, CONTEXT_AMD64_SIZE, &bytes))
		return false;
	FILL(bytes, amd64_slots, &context);
	if (!(context.flags & CONTEXT_AMD64))
		return false;
	context.registers.known = known_groups(context.flags);
	if (context.flags & CONTEXT_FLOATING_POINT) {
		context.registers.known |= REGS_MXCSR;
		context.has_xsave = cur_skip(&xsave, AMD64_XSAVE_OFFSET) &&
				    xsave_format_read(xsave, &context.xsave);
	}
	*ret = context;
	return true;
}

void context_amd64_write(const struct registers *regs, uint8_t record[CONTEXT_AMD64_SIZE])
{
	static const struct {
		uint16_t first, end; /* of the record */
		uint32_t group, flags;
	} parts[] = {
		{ 0x38, 0x44, REGS_SELECTORS, CONTEXT_SEGMENTS },
		{ 0x44, 0x48, REGS_GENERAL, CONTEXT_CONTROL },
		{ 0x48, 0x78, REGS_DEBUG, CONTEXT_DEBUG_REGISTERS },
		{ 0x78, CONTEXT_WRITTEN_END, REGS_GENERAL, CONTEXT_INTEGER },
	};
	const struct context context = { .registers = *regs };
	uint32_t flags = CONTEXT_AMD64;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!(regs->known & parts[i].group))
			continue;
		flags |= parts[i].flags;
		for (size_t k = 0; k < ARRAY_SIZE(amd64_slots); k++) {
			const struct slot *slot = &amd64_slots[k];

			if (slot->offset >= parts[i].first && slot->offset < parts[i].end)
				memcpy(record + slot->offset,
				       (const uint8_t *)&context + slot->member, slot->size);
		}
	}
	store_u32(record + CONTEXT_WRITTEN_FIRST, flags);
}

bool context_x86_read(struct cursor c, struct context *ret)
{
	struct cursor floating = c, extended = c;
	struct context context = { .width = 4 };
	const uint8_t *bytes;

	if (!cur_take(&c, CONTEXT_X86_SHORT_SIZE, &bytes))
		return false;
	FILL(bytes, x86_slots, &context);
	if (!(context.flags & CONTEXT_X86))
		return false;
	context.registers.known = known_groups(context.flags);
	if (context.flags & CONTEXT_FLOATING_POINT)
		context.has_floating_save =
			cur_skip(&floating, X86_FLOATING_SAVE_OFFSET) &&
			floating_save_area_read(floating, &context.floating_save);
	if (context.flags & CONTEXT_EXTENDED_REGISTERS)
		context.has_xsave = cur_skip(&extended, X86_EXTENDED_OFFSET) &&
				    xsave_format_read(extended, &context.xsave);
	if (context.has_xsave) {
		context.registers.mxcsr = context.xsave.mxcsr;
		context.registers.known |= REGS_MXCSR;
	}
	*ret = context;
	return true;
}

#define SPECIAL(offset, size, member) SLOT(struct special_registers, offset, size, member)
#define SREG(offset, size, member)    SPECIAL(offset, size, registers.member)

static const struct slot special_amd64_slots[] = {
	SREG(0x00, 8, cr0),
	SREG(0x08, 8, cr2),
	SREG(0x10, 8, cr3),
	SREG(0x18, 8, cr4),
	SREG(0x20, 8, dr0),
	SREG(0x28, 8, dr1),
	SREG(0x30, 8, dr2),
	SREG(0x38, 8, dr3),
	SREG(0x40, 8, dr6),
	SREG(0x48, 8, dr7),
	SREG(0x56, 2, gdtr.limit),
	SREG(0x58, 8, gdtr.base),
	SREG(0x66, 2, idtr.limit),
	SREG(0x68, 8, idtr.base),
	SREG(0x70, 2, tr.selector),
	SREG(0x72, 2, ldtr.selector),
	SREG(0x74, 4, mxcsr),
	SPECIAL(0x78, 8, debug_control),
	SPECIAL(0x80, 8, last_branch_to),
	SPECIAL(0x88, 8, last_branch_from),
	SPECIAL(0x90, 8, last_exception_to),
	SPECIAL(0x98, 8, last_exception_from),
	SREG(0xa0, 8, cr8),
	SREG(0xa8, 8, gs.base),
	SREG(0xb0, 8, kernel_gs_base),
	SREG(0xb8, 8, star),
	SREG(0xc0, 8, lstar),
	SREG(0xc8, 8, cstar),
	SREG(0xd0, 8, sfmask),
};

static const struct slot special_x86_slots[] = {
	SREG(0x00, 4, cr0),	      SREG(0x04, 4, cr2),	 SREG(0x08, 4, cr3),
	SREG(0x0c, 4, cr4),	      SREG(0x10, 4, dr0),	 SREG(0x14, 4, dr1),
	SREG(0x18, 4, dr2),	      SREG(0x1c, 4, dr3),	 SREG(0x20, 4, dr6),
	SREG(0x24, 4, dr7),	      SREG(0x2a, 2, gdtr.limit), SREG(0x2c, 4, gdtr.base),
	SREG(0x32, 2, idtr.limit),    SREG(0x34, 4, idtr.base),	 SREG(0x38, 2, tr.selector),
	SREG(0x3a, 2, ldtr.selector),
};

enum { SPECIAL_GROUPS = REGS_CONTROL | REGS_CR3 | REGS_DEBUG | REGS_TABLES | REGS_TASK };

bool special_registers_amd64_read(struct cursor c, struct special_registers *ret)
{
	struct special_registers special = {
		.width = 8,
		.registers.known = SPECIAL_GROUPS | REGS_CR8 | REGS_MXCSR | REGS_GS_BASE |
				   REGS_KERNEL_GS | REGS_SYSCALL,
	};
	const uint8_t *bytes;

	if (!cur_take(&c, SPECIAL_AMD64_SIZE, &bytes))
		return false;
	FILL(bytes, special_amd64_slots, &special);
	special.has_xcr0 = cur_u64(&c, &special.xcr0) && cur_u64(&c, &special.fs_base);
	if (!special.has_xcr0)
		special.xcr0 = 0;
	*ret = special;
	return true;
}

bool special_registers_x86_read(struct cursor c, struct special_registers *ret)
{
	struct special_registers special = { .width = 4, .registers.known = SPECIAL_GROUPS };
	const uint8_t *bytes;

	if (!cur_take(&c, SPECIAL_X86_SIZE, &bytes))
		return false;
	FILL(bytes, special_x86_slots, &special);
	*ret = special;
	return true;
}

bool kdescriptor_read(struct cursor c, unsigned width, struct table_register *ret)
{
	struct table_register table = { 0 };
	uint32_t base;

	if (!cur_skip(&c, width == 8 ? 6 : 2) || !cur_u16(&c, &table.limit))
		return false;
	if (width == 8) {
		if (!cur_u64(&c, &table.base))
			return false;
	} else {
		if (!cur_u32(&c, &base))
			return false;
		table.base = base;
	}
	*ret = table;
	return true;
}
