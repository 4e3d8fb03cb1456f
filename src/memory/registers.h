/* SPDX-License-Identifier: MIT */
#ifndef MEMORY_REGISTERS_H
#define MEMORY_REGISTERS_H

#include "base/compiler.h"

/*
 * Registers of one AMD64 processor, as far as the format tells them. A group that is not in
 * `known` has no meaning: nothing here is ever made up.
 */
enum register_group {
	REGS_GENERAL = 1 << 0,	 /* rax..r15, rip, rflags */
	REGS_SELECTORS = 1 << 1, /* segment selectors */
	REGS_SEGMENTS = 1 << 2,	 /* bases, limits and access words of cs ds es fs gs ss */
	REGS_CONTROL = 1 << 3,	 /* cr0 cr2 cr3 cr4 */
	REGS_CR3 = 1 << 4,	 /* cr3 alone (also set with REGS_CONTROL) */
	REGS_CR8 = 1 << 5,
	REGS_DEBUG = 1 << 6,  /* dr0-dr3, dr6, dr7 */
	REGS_TABLES = 1 << 7, /* gdtr, idtr */
	REGS_TASK = 1 << 8,   /* tr, ldtr: selectors; base and limit if REGS_SEGMENTS too */
	REGS_EFER = 1 << 9,
	REGS_SYSCALL = 1 << 10,	  /* star, lstar, cstar, sfmask */
	REGS_GS_BASE = 1 << 11,	  /* gs.base (also set with REGS_SEGMENTS) */
	REGS_KERNEL_GS = 1 << 12, /* MSR_KERNEL_GS_BASE */
	REGS_MXCSR = 1 << 13,
};

struct segment_register {
	uint16_t selector;
	uint16_t access; /* type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11 */
	uint32_t limit;
	uint64_t base;
};

struct table_register {
	uint64_t base;
	uint16_t limit;
};

struct registers {
	uint32_t known; /* enum register_group bits */
	uint32_t mxcsr;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
	uint64_t cr0, cr2, cr3, cr4, cr8;
	uint64_t dr0, dr1, dr2, dr3, dr6, dr7;
	struct segment_register cs, ds, es, fs, gs, ss, tr, ldtr;
	struct table_register gdtr, idtr;
	uint64_t efer, star, lstar, cstar, sfmask, kernel_gs_base;
};

#endif
