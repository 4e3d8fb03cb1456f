/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_CONTEXT_H
#define ARCH_AMD64_CONTEXT_H

#include "base/cursor.h"
#include "memory/registers.h"

/*
 * Saved processor state as Windows lays it out, of 64-bit code (CONTEXT, KSPECIAL_REGISTERS) and
 * of 32-bit code (the same names in x86, WOW64_CONTEXT). Layouts: winnt.h and ntddk.h of the
 * Windows SDK; fixed by the debugger protocol, the same in every build.
 */
enum context_sizes {
	CONTEXT_AMD64_SIZE = 0x4d0,
	CONTEXT_X86_SIZE = 0x2cc,
	CONTEXT_X86_SHORT_SIZE = 0xcc, /* without the extended registers */
	XSAVE_FORMAT_SIZE = 0x200,
	FLOATING_SAVE_AREA_SIZE = 0x70,
	M128A_SIZE = 0x10,
	SPECIAL_AMD64_SIZE = 0xd8, /* newer builds go on: XCR0 and the FS base */
	SPECIAL_AMD64_LONG_SIZE = 0xe8,
	SPECIAL_X86_SIZE = 0x54,
	MAXIMUM_SUPPORTED_EXTENSION = 512, /* bytes of the x86 extended registers */
	SIZE_OF_80387_REGISTERS = 80,
};

/* ContextFlags: which parts were saved. */
enum context_flag {
	CONTEXT_X86 = 0x10000, /* which machine */
	CONTEXT_AMD64 = 0x100000,
	CONTEXT_CONTROL = 1 << 0, /* ss rsp cs rip rflags; x86: ebp too */
	CONTEXT_INTEGER = 1 << 1,
	CONTEXT_SEGMENTS = 1 << 2, /* ds es fs gs */
	CONTEXT_FLOATING_POINT = 1 << 3,
	CONTEXT_DEBUG_REGISTERS = 1 << 4,
	CONTEXT_EXTENDED_REGISTERS = 1 << 5, /* x86 */
};

struct m128a {
	uint64_t low;
	int64_t high;
};

/* What FXSAVE stores. */
struct xsave_format {
	uint16_t control_word, status_word, error_opcode, error_selector, data_selector;
	uint8_t tag_word; /* one bit a register, abridged */
	uint32_t error_offset, data_offset, mxcsr, mxcsr_mask;
	struct m128a floats[8];
	struct m128a xmm[16];
};

/* What FSAVE stores, in 32-bit code. */
struct floating_save_area {
	uint32_t control_word, status_word, tag_word, error_offset, error_selector, data_offset,
		data_selector, spare;
	uint8_t registers[SIZE_OF_80387_REGISTERS];
};

struct context {
	unsigned width; /* 8: CONTEXT of AMD64, 4: of x86 */
	uint32_t flags;
	/* Groups are known by flags; one of ours that takes two parts of theirs only when both
	 * were saved. Of width 4: eax as rax, ...; r8 to r15 do not exist and are 0. */
	struct registers registers;
	bool has_xsave; /* xsave is there: FLOATING_POINT, x86: EXTENDED_REGISTERS */
	struct xsave_format xsave;
	bool has_floating_save; /* x86: FLOATING_POINT */
	struct floating_save_area floating_save;
	/* AMD64 only, else 0 */
	uint64_t home[6]; /* the first arguments' places in the stack frame below */
	uint64_t debug_control, last_branch_to, last_branch_from, last_exception_to,
		last_exception_from;
};

/* False, and nothing is returned: cut short, or the flags are of another machine. The cursor is
 * at the record's first byte. */
MUST_CHECK bool context_amd64_read(struct cursor c, struct context *ret);
MUST_CHECK bool context_x86_read(struct cursor c, struct context *ret);
/* The other way: what regs know of GENERAL, SELECTORS and DEBUG goes into a record, and the flags
 * say just that; the rest of the record stays as it is. */
void context_amd64_write(const struct registers *regs, uint8_t record[CONTEXT_AMD64_SIZE]);
/* All that context_amd64_write() may touch. */
enum context_written { CONTEXT_WRITTEN_FIRST = 0x30, CONTEXT_WRITTEN_END = 0x100 };
MUST_CHECK bool xsave_format_read(struct cursor c, struct xsave_format *ret);
MUST_CHECK bool floating_save_area_read(struct cursor c, struct floating_save_area *ret);
/* Has the context a general register of this number (rax 0 ... r15 15 as in enum register_id)?
 * 32-bit code has but eight. */
static inline bool context_has_general(const struct context *c, unsigned index)
{
	return c->registers.known & REGS_GENERAL && (c->width == 8 || index < 8 || index > 15);
}

/* KSPECIAL_REGISTERS: what the kernel saves of a processor beyond its context. */
struct special_registers {
	unsigned width;
	/* Groups of width 8: CONTROL, CR3, DEBUG, TABLES, TASK, CR8, MXCSR, GS_BASE, KERNEL_GS,
	 * SYSCALL; of width 4 the first five. Whether the block was ever filled is the
	 * caller's question. */
	struct registers registers;
	uint64_t debug_control, last_branch_to, last_branch_from, last_exception_to,
		last_exception_from;
	bool has_xcr0; /* the record was long enough for the two */
	uint64_t xcr0, fs_base;
};

/* False: cut short. */
MUST_CHECK bool special_registers_amd64_read(struct cursor c, struct special_registers *ret);
MUST_CHECK bool special_registers_x86_read(struct cursor c, struct special_registers *ret);

/* KDESCRIPTOR: the limit before the base, with padding before both. */
enum { KDESCRIPTOR_AMD64_SIZE = 16, KDESCRIPTOR_X86_SIZE = 8 };
MUST_CHECK bool kdescriptor_read(struct cursor c, unsigned width, struct table_register *ret);

#endif
