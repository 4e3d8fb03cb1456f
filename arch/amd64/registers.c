/* SPDX-License-Identifier: MIT */
#include "arch/amd64/registers.h"

#include <inttypes.h>
#include <string.h>

#include "arch/amd64/descriptors.h"

#define ROW(name, member, any, all, bits)                                                          \
	{                                                                                          \
		name, offsetof(struct registers, member), sizeof(((struct registers *)0)->member), \
			any, all, bits                                                             \
	}
#define PLAIN(id, member, group)       [AMD64_##id] = ROW(#member, member, group, 0, NULL)
#define FLAGS(id, member, group, bits) [AMD64_##id] = ROW(#member, member, group, 0, bits)
/* A segment's selector may be known without the rest, and GS' base without that. */
#define SEGMENT(id, member, selector_group, base_groups, all)                                 \
	[AMD64_##id] = ROW(#member, member.selector, selector_group, 0, &selector_bits),      \
	[AMD64_##id##_BASE] = ROW(#member "_base", member.base, base_groups, all, NULL),      \
	[AMD64_##id##_LIMIT] = ROW(#member "_limit", member.limit, REGS_SEGMENTS, all, NULL), \
	[AMD64_##id##_ACCESS] =                                                               \
		ROW(#member "_access", member.access, REGS_SEGMENTS, all, &segment_access_bits)
#define TABLE_REGISTER(id, member)                                                     \
	[AMD64_##id##_BASE] = ROW(#member "_base", member.base, REGS_TABLES, 0, NULL), \
	[AMD64_##id##_LIMIT] = ROW(#member "_limit", member.limit, REGS_TABLES, 0, NULL)

const struct register_row register_rows[NUM_REGISTERS] = {
	PLAIN(RAX, rax, REGS_GENERAL),
	PLAIN(RBX, rbx, REGS_GENERAL),
	PLAIN(RCX, rcx, REGS_GENERAL),
	PLAIN(RDX, rdx, REGS_GENERAL),
	PLAIN(RSI, rsi, REGS_GENERAL),
	PLAIN(RDI, rdi, REGS_GENERAL),
	PLAIN(RSP, rsp, REGS_GENERAL),
	PLAIN(RBP, rbp, REGS_GENERAL),
	PLAIN(R8, r8, REGS_GENERAL),
	PLAIN(R9, r9, REGS_GENERAL),
	PLAIN(R10, r10, REGS_GENERAL),
	PLAIN(R11, r11, REGS_GENERAL),
	PLAIN(R12, r12, REGS_GENERAL),
	PLAIN(R13, r13, REGS_GENERAL),
	PLAIN(R14, r14, REGS_GENERAL),
	PLAIN(R15, r15, REGS_GENERAL),
	PLAIN(RIP, rip, REGS_GENERAL),
	FLAGS(RFLAGS, rflags, REGS_GENERAL, &rflags_bits),
	FLAGS(CR0, cr0, REGS_CONTROL, &cr0_bits),
	PLAIN(CR2, cr2, REGS_CONTROL),
	PLAIN(CR3, cr3, REGS_CONTROL | REGS_CR3),
	FLAGS(CR4, cr4, REGS_CONTROL, &cr4_bits),
	FLAGS(CR8, cr8, REGS_CR8, &cr8_bits),
	PLAIN(DR0, dr0, REGS_DEBUG),
	PLAIN(DR1, dr1, REGS_DEBUG),
	PLAIN(DR2, dr2, REGS_DEBUG),
	PLAIN(DR3, dr3, REGS_DEBUG),
	FLAGS(DR6, dr6, REGS_DEBUG, &dr6_bits),
	FLAGS(DR7, dr7, REGS_DEBUG, &dr7_bits),
	SEGMENT(CS, cs, REGS_SELECTORS, REGS_SEGMENTS, 0),
	SEGMENT(DS, ds, REGS_SELECTORS, REGS_SEGMENTS, 0),
	SEGMENT(ES, es, REGS_SELECTORS, REGS_SEGMENTS, 0),
	SEGMENT(FS, fs, REGS_SELECTORS, REGS_SEGMENTS, 0),
	SEGMENT(GS, gs, REGS_SELECTORS, REGS_SEGMENTS | REGS_GS_BASE, 0),
	SEGMENT(SS, ss, REGS_SELECTORS, REGS_SEGMENTS, 0),
	SEGMENT(TR, tr, REGS_TASK, REGS_SEGMENTS, REGS_TASK),
	SEGMENT(LDTR, ldtr, REGS_TASK, REGS_SEGMENTS, REGS_TASK),
	TABLE_REGISTER(GDTR, gdtr),
	TABLE_REGISTER(IDTR, idtr),
	FLAGS(EFER, efer, REGS_EFER, &efer_bits),
	PLAIN(STAR, star, REGS_SYSCALL),
	PLAIN(LSTAR, lstar, REGS_SYSCALL),
	PLAIN(CSTAR, cstar, REGS_SYSCALL),
	FLAGS(SFMASK, sfmask, REGS_SYSCALL, &rflags_bits),
	PLAIN(KERNEL_GS_BASE, kernel_gs_base, REGS_KERNEL_GS),
	FLAGS(MXCSR, mxcsr, REGS_MXCSR, &mxcsr_bits),
};

const struct register_row *register_find(const char *name)
{
	for (size_t i = 0; i < NUM_REGISTERS; i++)
		if (strcmp(register_rows[i].name, name) == 0)
			return &register_rows[i];
	return NULL;
}

static bool row_known(const struct register_row *row, uint32_t known)
{
	return known & row->any && (known & row->all) == row->all;
}

bool register_known(const struct registers *r, enum register_id id)
{
	return row_known(&register_rows[id], r->known);
}

bool register_get(const struct registers *r, enum register_id id, uint64_t *ret)
{
	const struct register_row *row = &register_rows[id];
	uint64_t value = 0;

	if (!row_known(row, r->known))
		return false;
	memcpy(&value, (const uint8_t *)r + row->offset, row->size);
	*ret = value;
	return true;
}

bool register_set(struct registers *copy, enum register_id id, uint64_t value)
{
	const struct register_row *row = &register_rows[id];

	if (!row_known(row, copy->known) || (row->size < 8 && value >> (row->size * 8)))
		return false;
	memcpy((uint8_t *)copy + row->offset, &value, row->size);
	return true;
}

bool registers_get_general(const struct registers *r, uint64_t ret[NUM_GP_REGISTERS])
{
	if (!(r->known & REGS_GENERAL))
		return false;
	for (unsigned i = 0; i < NUM_GP_REGISTERS; i++)
		memcpy(&ret[i], (const uint8_t *)r + register_rows[i].offset, sizeof(ret[i]));
	return true;
}

void registers_set_general(struct registers *copy, const uint64_t values[NUM_GP_REGISTERS])
{
	for (unsigned i = 0; i < NUM_GP_REGISTERS; i++)
		memcpy((uint8_t *)copy + register_rows[i].offset, &values[i], sizeof(values[i]));
	copy->known |= REGS_GENERAL;
}

uint32_t registers_merge(struct registers *into, const struct registers *from, uint32_t groups)
{
	uint32_t taken = from->known & groups & ~into->known;

	/* together these two say where TR and LDTR point: not with one half from either side */
	if (into->known & REGS_SEGMENTS)
		taken &= ~(uint32_t)REGS_TASK;
	if (into->known & REGS_TASK)
		taken &= ~(uint32_t)REGS_SEGMENTS;
	for (unsigned i = 0; i < NUM_REGISTERS; i++) {
		const struct register_row *row = &register_rows[i];

		if (row_known(row, taken) && !row_known(row, into->known))
			memcpy((uint8_t *)into + row->offset, (const uint8_t *)from + row->offset,
			       row->size);
	}
	into->known |= taken;
	return taken;
}

const char *paging_mode_name(enum paging_mode mode)
{
	static const char *const names[NUM_PAGING_MODES] = {
		[PAGING_NONE] = "none", [PAGING_LEGACY] = "legacy",	  [PAGING_PAE] = "pae",
		[PAGING_LONG] = "long", [PAGING_LONG_LA57] = "long_la57",
	};

	return (size_t)mode < NUM_PAGING_MODES ? names[mode] : NULL;
}

/* Does this register hold more than 32 bits? Only long mode has room for that. */
static bool is_wide(const struct registers *r, enum register_id id)
{
	uint64_t value;

	return register_get(r, id, &value) && value >> 32;
}

static bool has_long_code_segment(const struct registers *r)
{
	return r->known & REGS_SEGMENTS && r->cs.access & SEGMENT_PRESENT &&
	       r->cs.access & SEGMENT_LONG;
}

/* Long mode by EFER, else by what only it has. *ret is untouched where nothing tells. */
static bool in_long_mode(const struct registers *r, bool *ret)
{
	static const enum register_id wide[] = { AMD64_RIP,	  AMD64_RSP,	 AMD64_IDTR_BASE,
						 AMD64_GDTR_BASE, AMD64_GS_BASE, AMD64_TR_BASE,
						 AMD64_LSTAR };
	bool found = has_long_code_segment(r);

	if (r->known & REGS_EFER) {
		*ret = r->efer & EFER_LME;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(wide) && !found; i++)
		found = is_wide(r, wide[i]);
	if (found)
		*ret = true;
	return found;
}

bool registers_paging_mode(const struct registers *r, enum paging_mode *ret)
{
	bool is_long;

	if (!(r->known & REGS_CONTROL))
		return false;
	if (!(r->cr0 & CR0_PG)) {
		*ret = PAGING_NONE;
	} else if (!(r->cr4 & CR4_PAE)) {
		*ret = PAGING_LEGACY;
	} else {
		if (!in_long_mode(r, &is_long))
			return false;
		*ret = !is_long ? PAGING_PAE : r->cr4 & CR4_LA57 ? PAGING_LONG_LA57 : PAGING_LONG;
	}
	return true;
}

bool registers_address_width(const struct registers *r, unsigned *ret)
{
	static const uint8_t widths[NUM_PAGING_MODES] = {
		[PAGING_LEGACY] = 4, [PAGING_PAE] = 4, [PAGING_LONG] = 8, [PAGING_LONG_LA57] = 8
	};
	enum paging_mode mode;
	bool is_long;

	if (registers_paging_mode(r, &mode)) {
		*ret = widths[mode];
		return true;
	}
	/* without the control registers: long mode has no other width */
	if (r->known & REGS_CONTROL || !in_long_mode(r, &is_long) || !is_long)
		return false;
	*ret = 8;
	return true;
}

bool registers_effective_address_width(const struct registers *r, struct space *s, unsigned *ret)
{
	struct descriptor cs;
	unsigned width;

	if (!registers_address_width(r, &width))
		return false;
	if (width != 8) {
		*ret = width;
	} else if (r->known & REGS_SEGMENTS && r->cs.access & SEGMENT_PRESENT) {
		*ret = r->cs.access & SEGMENT_LONG ? 8 : 4;
	} else if (is_wide(r, AMD64_RIP)) {
		*ret = 8;
	} else if (s && r->known & REGS_SELECTORS && r->known & REGS_TABLES &&
		   gdt_find(s, r->gdtr, r->cs.selector, &cs)) {
		*ret = cs.segment.access & SEGMENT_LONG ? 8 : 4;
	} else {
		return false;
	}
	return true;
}

bool registers_pcid(const struct registers *r, uint16_t *ret)
{
	if (!(r->known & REGS_CONTROL) || !(r->cr4 & CR4_PCIDE))
		return false;
	*ret = (uint16_t)(r->cr3 & CR3_PCID);
	return true;
}

bool registers_translation_root(const struct registers *r, uint64_t *ret)
{
	if (!register_known(r, AMD64_CR3))
		return false;
	*ret = dtb_to_root(r->cr3);
	return true;
}

bool registers_address_context(const struct registers *r, uint64_t va, struct address_context *ret)
{
	uint64_t root;

	if (!registers_translation_root(r, &root))
		return false;
	*ret = (struct address_context){ .va = va, .root = root };
	return true;
}

struct error *registers_open_space(const struct registers *r, struct physmem *mem,
				   const struct soft_pte_ops *soft, const void *soft_arg,
				   struct space **ret)
{
	enum paging_mode mode;
	uint64_t root;

	if (!registers_translation_root(r, &root) || !registers_paging_mode(r, &mode))
		return error_new(ERROR_NOT_FOUND, "the control registers are not known");
	if (mode != PAGING_LONG && mode != PAGING_LONG_LA57)
		return error_new(ERROR_UNSUPPORTED, "the processor was in paging mode '%s'",
				 paging_mode_name(mode));
	return space_create_amd64(mem, root, mode == PAGING_LONG_LA57 ? 5 : 4, soft, soft_arg, ret);
}

bool registers_return_address(const struct registers *r, struct space *s, uint64_t *ret,
			      struct fault *fault)
{
	uint64_t value = 0;
	unsigned width;

	if (fault)
		*fault = (struct fault){ 0 };
	if (!(r->known & REGS_GENERAL) || !registers_effective_address_width(r, s, &width) ||
	    !width || !space_try_read(s, r->rsp, &value, width, fault))
		return false;
	*ret = value;
	return true;
}

bool registers_return(struct registers *copy, struct space *s, uint64_t value, struct fault *fault)
{
	uint64_t rip;
	unsigned width;

	if (!registers_return_address(copy, s, &rip, fault) ||
	    !registers_effective_address_width(copy, s, &width))
		return false;
	copy->rax = value;
	copy->rip = rip;
	copy->rsp += width;
	return true;
}
