/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/cursor.h"
#include "formats/hiberfil/parts.h"

/*
 * _KPROCESSOR_STATE: _KSPECIAL_REGISTERS, then a CONTEXT that is aligned to 16. The former grew at
 * its end, so that the latter is where one of both places looks like one. (Public symbols of
 * Windows 7 to 11.)
 */
enum special_registers {
	SPECIAL_CR = 0x00, /* cr0, cr2, cr3, cr4 */
	SPECIAL_DR = 0x20, /* dr0-dr3, dr6, dr7 */
	SPECIAL_GDTR = 0x50,
	SPECIAL_IDTR = 0x60,
	SPECIAL_TR = 0x70,
	SPECIAL_LDTR = 0x72,
	SPECIAL_MXCSR = 0x74,
	SPECIAL_CR8 = 0xa0,
	SPECIAL_MSRS = 0xa8, /* GS base, GS swap, STAR, LSTAR, CSTAR, SFMASK */

	DESCRIPTOR_LIMIT = 6,
	DESCRIPTOR_BASE = 8,
};
static const uint16_t context_offsets[] = { 0xf0, 0xe0 };

/* CONTEXT of AMD64 (winnt.h). */
enum context_offset {
	CONTEXT_AT_FLAGS = 0x30,
	CONTEXT_AT_SELECTORS = 0x38, /* cs ds es fs gs ss */
	CONTEXT_AT_EFLAGS = 0x44,
	CONTEXT_AT_GENERAL = 0x78, /* rax rcx rdx rbx rsp rbp rsi rdi r8-r15 rip */
};
enum {
	CONTEXT_IS_AMD64 = 0x100000,
	CONTEXT_HAS_ALL = 0x7, /* control, integer, segments */
	KERNEL_CS = 0x10,
};

enum {
	MAX_STATE_PAGES = 64,
	CR0_PE = 1 << 0,
	CR4_PAE = 1 << 5,
};
#define CR0_PG UINT64_C(0x80000000)

static bool is_kernel(uint64_t va)
{
	return va >= UINT64_C(0xffff800000000000);
}

static struct table_register take_table(const uint8_t *p)
{
	return (struct table_register){ .base = load_u64(p + DESCRIPTOR_BASE),
					.limit = load_u16(p + DESCRIPTOR_LIMIT) };
}

static void take_words(const uint8_t *p, uint64_t *const *order, size_t count)
{
	for (size_t i = 0; i < count; i++)
		*order[i] = load_u64(p + i * 8);
}

/* False unless this is a processor in long mode under a kernel. */
static bool take_special(const uint8_t *p, struct registers *r)
{
	uint64_t *const cr[] = { &r->cr0, &r->cr2, &r->cr3, &r->cr4 };
	uint64_t *const dr[] = { &r->dr0, &r->dr1, &r->dr2, &r->dr3, &r->dr6, &r->dr7 };
	uint64_t *const msrs[] = { &r->gs.base, &r->kernel_gs_base, &r->star,
				   &r->lstar,	&r->cstar,	    &r->sfmask };

	take_words(p + SPECIAL_CR, cr, ARRAY_SIZE(cr));
	take_words(p + SPECIAL_DR, dr, ARRAY_SIZE(dr));
	take_words(p + SPECIAL_MSRS, msrs, ARRAY_SIZE(msrs));
	r->gdtr = take_table(p + SPECIAL_GDTR);
	r->idtr = take_table(p + SPECIAL_IDTR);
	r->tr.selector = load_u16(p + SPECIAL_TR);
	r->ldtr.selector = load_u16(p + SPECIAL_LDTR);
	r->mxcsr = load_u32(p + SPECIAL_MXCSR);
	r->cr8 = load_u64(p + SPECIAL_CR8);
	r->known = REGS_CONTROL | REGS_CR3 | REGS_CR8 | REGS_DEBUG | REGS_TABLES | REGS_TASK |
		   REGS_GS_BASE | REGS_KERNEL_GS | REGS_SYSCALL | REGS_MXCSR;
	return (r->cr0 & CR0_PG) && (r->cr0 & CR0_PE) && (r->cr4 & CR4_PAE) && r->cr3 &&
	       r->cr3 < PHYSMEM_MAX_END && is_kernel(r->gdtr.base) && is_kernel(r->idtr.base) &&
	       r->gdtr.limit && r->idtr.limit;
}

static bool take_context(const uint8_t *p, struct registers *r)
{
	struct segment_register *const segments[] = {
		&r->cs, &r->ds, &r->es, &r->fs, &r->gs, &r->ss
	};
	uint64_t *const general[] = { &r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
				      &r->rsi, &r->rdi, &r->r8,	 &r->r9,  &r->r10, &r->r11,
				      &r->r12, &r->r13, &r->r14, &r->r15, &r->rip };
	uint32_t flags = load_u32(p + CONTEXT_AT_FLAGS);

	if (!(flags & CONTEXT_IS_AMD64) || (flags & CONTEXT_HAS_ALL) != CONTEXT_HAS_ALL ||
	    load_u16(p + CONTEXT_AT_SELECTORS) != KERNEL_CS)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(segments); i++)
		segments[i]->selector = load_u16(p + CONTEXT_AT_SELECTORS + i * 2);
	take_words(p + CONTEXT_AT_GENERAL, general, ARRAY_SIZE(general));
	r->rflags = load_u32(p + CONTEXT_AT_EFLAGS);
	r->known |= REGS_GENERAL | REGS_SELECTORS;
	return true;
}

/* The one processor that wrote the file, the first. How many there were, the file does not say. */
struct error *hiber_read_state(const struct format_input *in, uint64_t end_page)
{
	uint64_t pages = in->file->size >> PAGE_SHIFT;
	uint8_t page[PAGE_SIZE];
	struct error *err;

	if (end_page > MAX_STATE_PAGES)
		end_page = MAX_STATE_PAGES;
	for (uint64_t n = 1; n < pages && n < end_page; n++) {
		struct registers r = { 0 };

		if ((err = file_read(in->file, n << PAGE_SHIFT, page, sizeof(page))))
			return err;
		if (!take_special(page, &r))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(context_offsets); i++) {
			if (take_context(page + context_offsets[i], &r))
				break;
		}
		if ((err = dump_info_alloc_registers(in->info, 1)))
			return err;
		in->info->registers[0] = r;
		return NULL;
	}
	diag_note(in->diag, "no processor state in the first pages of the file");
	return NULL;
}
