/* SPDX-License-Identifier: MIT */
#include "formats/elf/registers.h"

#include <string.h>

/* Where 64-bit words of a record go: an offset in struct registers, or SKIP. */
enum { SKIP = UINT16_MAX };
#define REG(name) offsetof(struct registers, name)

static bool take_words(struct cursor *c, struct registers *regs, const uint16_t *order,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		if (!cur_u64(c, &value))
			return false;
		if (order[i] != SKIP)
			memcpy((uint8_t *)regs + order[i], &value, sizeof(value));
	}
	return true;
}

/* The access word of a descriptor's second dword (bits 8-15 and 20-23 of it). */
static uint16_t access_of_descriptor(uint32_t flags)
{
	return (uint16_t)((flags >> 8 & 0xff) | (flags >> 20 & 0xf) << 8);
}

/* A 64-bit slot that holds a selector. */
static bool take_selector(struct cursor *c, struct segment_register *segment)
{
	uint64_t value;

	if (!cur_u64(c, &value))
		return false;
	segment->selector = (uint16_t)value;
	return true;
}

bool elf_registers_prstatus(struct cursor c, struct registers *ret)
{
	/* elf_prstatus: signal and process ids before pr_reg */
	enum { PR_REG = 112 };
	static const uint16_t general[] = {
		REG(r15), REG(r14), REG(r13), REG(r12), REG(rbp), REG(rbx),
		REG(r11), REG(r10), REG(r9),  REG(r8),	REG(rax), REG(rcx),
		REG(rdx), REG(rsi), REG(rdi), SKIP,	REG(rip), /* the word before it is orig_rax
								   */
	};
	static const uint16_t stack[] = { REG(rflags), REG(rsp) };
	static const uint16_t bases[] = { SKIP, SKIP };
	struct registers regs = *ret;

	if (!cur_skip(&c, PR_REG) || !take_words(&c, &regs, general, ARRAY_SIZE(general)) ||
	    !take_selector(&c, &regs.cs) || !take_words(&c, &regs, stack, ARRAY_SIZE(stack)) ||
	    !take_selector(&c, &regs.ss) || !take_words(&c, &regs, bases, ARRAY_SIZE(bases)) ||
	    !take_selector(&c, &regs.ds) || !take_selector(&c, &regs.es) ||
	    !take_selector(&c, &regs.fs) || !take_selector(&c, &regs.gs))
		return false;
	regs.known |= REGS_GENERAL | REGS_SELECTORS;
	*ret = regs;
	return true;
}

static bool take_qemu_segment(struct cursor *c, struct segment_register *ret)
{
	uint32_t selector, limit, flags;
	uint64_t base;

	if (!cur_u32(c, &selector) || !cur_u32(c, &limit) || !cur_u32(c, &flags) ||
	    !cur_skip(c, 4) || !cur_u64(c, &base))
		return false;
	*ret = (struct segment_register){ .selector = (uint16_t)selector,
					  .access = access_of_descriptor(flags),
					  .limit = limit,
					  .base = base };
	return true;
}

static struct table_register table_of_segment(const struct segment_register *segment)
{
	return (struct table_register){ .base = segment->base, .limit = (uint16_t)segment->limit };
}

bool elf_registers_qemu(struct cursor c, struct registers *ret)
{
	static const uint16_t general[] = {
		REG(rax), REG(rbx), REG(rcx), REG(rdx), REG(rsi), REG(rdi),
		REG(rsp), REG(rbp), REG(r8),  REG(r9),	REG(r10), REG(r11),
		REG(r12), REG(r13), REG(r14), REG(r15), REG(rip), REG(rflags),
	};
	static const uint16_t control[] = { REG(cr0), SKIP, REG(cr2), REG(cr3), REG(cr4) };
	struct registers regs = *ret;
	struct segment_register gdt, idt;
	uint32_t version, size;

	if (!cur_u32(&c, &version) || !cur_u32(&c, &size) || !version)
		return false;
	if (size < c.len)
		c.len = size > c.pos ? size : c.pos;
	if (!take_words(&c, &regs, general, ARRAY_SIZE(general)) ||
	    !take_qemu_segment(&c, &regs.cs) || !take_qemu_segment(&c, &regs.ds) ||
	    !take_qemu_segment(&c, &regs.es) || !take_qemu_segment(&c, &regs.fs) ||
	    !take_qemu_segment(&c, &regs.gs) || !take_qemu_segment(&c, &regs.ss) ||
	    !take_qemu_segment(&c, &regs.ldtr) || !take_qemu_segment(&c, &regs.tr) ||
	    !take_qemu_segment(&c, &gdt) || !take_qemu_segment(&c, &idt) ||
	    !take_words(&c, &regs, control, ARRAY_SIZE(control)))
		return false;
	regs.gdtr = table_of_segment(&gdt);
	regs.idtr = table_of_segment(&idt);
	regs.known |= REGS_GENERAL | REGS_SELECTORS | REGS_SEGMENTS | REGS_GS_BASE | REGS_CONTROL |
		      REGS_CR3 | REGS_TABLES | REGS_TASK;
	/* QEMU before 3.0 ends here, with the same version. */
	if (cur_u64(&c, &regs.kernel_gs_base))
		regs.known |= REGS_KERNEL_GS;
	*ret = regs;
	return true;
}

static bool take_vbox_segment(struct cursor *c, struct segment_register *ret)
{
	uint32_t limit, attributes;
	uint16_t selector;
	uint64_t base;

	if (!cur_u64(c, &base) || !cur_u32(c, &limit) || !cur_u32(c, &attributes) ||
	    !cur_u16(c, &selector) || !cur_skip(c, 6))
		return false;
	*ret = (struct segment_register){ .selector = selector,
					  .access = access_of_descriptor(attributes << 8),
					  .limit = limit,
					  .base = base };
	return true;
}

static bool take_vbox_table(struct cursor *c, struct table_register *ret)
{
	uint64_t base;
	uint32_t limit;

	if (!cur_u64(c, &base) || !cur_u32(c, &limit) || !cur_skip(c, 4))
		return false;
	*ret = (struct table_register){ .base = base, .limit = (uint16_t)limit };
	return true;
}

bool elf_registers_vbox(struct cursor c, struct registers *ret)
{
	static const uint16_t general[] = {
		REG(rax), REG(rbx), REG(rcx), REG(rdx), REG(rsi), REG(rdi),
		REG(r8),  REG(r9),  REG(r10), REG(r11), REG(r12), REG(r13),
		REG(r14), REG(r15), REG(rip), REG(rsp), REG(rbp), REG(rflags),
	};
	static const uint16_t control[] = {
		REG(cr0), REG(cr2), REG(cr3), REG(cr4), REG(dr0), REG(dr1),
		REG(dr2), REG(dr3), SKIP,     SKIP,	REG(dr6), REG(dr7),
	};
	static const uint16_t model_specific[] = {
		SKIP, SKIP,	  SKIP,	      REG(efer),   REG(star), /* sysenter first */
		SKIP, REG(lstar), REG(cstar), REG(sfmask), REG(kernel_gs_base),
	};
	struct registers regs = *ret;

	if (!take_words(&c, &regs, general, ARRAY_SIZE(general)) ||
	    !take_vbox_segment(&c, &regs.cs) || !take_vbox_segment(&c, &regs.ds) ||
	    !take_vbox_segment(&c, &regs.es) || !take_vbox_segment(&c, &regs.fs) ||
	    !take_vbox_segment(&c, &regs.gs) || !take_vbox_segment(&c, &regs.ss) ||
	    !take_words(&c, &regs, control, ARRAY_SIZE(control)) ||
	    !take_vbox_table(&c, &regs.gdtr) || !take_vbox_table(&c, &regs.idtr) ||
	    !take_vbox_segment(&c, &regs.ldtr) || !take_vbox_segment(&c, &regs.tr) ||
	    !take_words(&c, &regs, model_specific, ARRAY_SIZE(model_specific)))
		return false;
	regs.known |= REGS_GENERAL | REGS_SELECTORS | REGS_SEGMENTS | REGS_GS_BASE | REGS_CONTROL |
		      REGS_CR3 | REGS_DEBUG | REGS_TABLES | REGS_TASK | REGS_EFER | REGS_SYSCALL |
		      REGS_KERNEL_GS;
	*ret = regs;
	return true;
}

bool elf_registers_xen(struct cursor c, struct registers *ret)
{
	/* Bytes passed over: FPU state and flags; trap table up to kernel_sp; callbacks. */
	enum { TO_USER_REGS = 520, TO_CONTROL = 4984 - 720, TO_FS_BASE = 5144 - 5112 };
	static const uint16_t general[] = {
		REG(r15), REG(r14), REG(r13), REG(r12), REG(rbp), REG(rbx),
		REG(r11), REG(r10), REG(r9),  REG(r8),	REG(rax), REG(rcx),
		REG(rdx), REG(rsi), REG(rdi), SKIP,	REG(rip), /* the word before it is the
								     vector */
	};
	static const uint16_t stack[] = { REG(rflags), REG(rsp) };
	static const uint16_t control[] = {
		REG(cr0), SKIP,	    REG(cr2), REG(cr3), REG(cr4), SKIP, SKIP,	  SKIP,
		REG(dr0), REG(dr1), REG(dr2), REG(dr3), SKIP,	  SKIP, REG(dr6), REG(dr7),
	};
	struct registers regs = *ret;
	uint64_t kernel_base, user_base;

	if (!cur_skip(&c, TO_USER_REGS) || !take_words(&c, &regs, general, ARRAY_SIZE(general)) ||
	    !take_selector(&c, &regs.cs) || !take_words(&c, &regs, stack, ARRAY_SIZE(stack)) ||
	    !take_selector(&c, &regs.ss) || !take_selector(&c, &regs.es) ||
	    !take_selector(&c, &regs.ds) || !take_selector(&c, &regs.fs) ||
	    !take_selector(&c, &regs.gs) || !cur_skip(&c, TO_CONTROL) ||
	    !take_words(&c, &regs, control, ARRAY_SIZE(control)) || !cur_skip(&c, TO_FS_BASE) ||
	    !cur_skip(&c, 8) || !cur_u64(&c, &kernel_base) || !cur_u64(&c, &user_base))
		return false;
	/* Xen names the two GS bases by their user, the processor by which one is active. */
	if (regs.cs.selector & 3) {
		regs.gs.base = user_base;
		regs.kernel_gs_base = kernel_base;
	} else {
		regs.gs.base = kernel_base;
		regs.kernel_gs_base = user_base;
	}
	regs.known |= REGS_GENERAL | REGS_SELECTORS | REGS_CONTROL | REGS_CR3 | REGS_DEBUG |
		      REGS_GS_BASE | REGS_KERNEL_GS;
	*ret = regs;
	return true;
}
