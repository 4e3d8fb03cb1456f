/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_REGISTERS_H
#define ARCH_AMD64_REGISTERS_H

#include "arch/amd64/paging.h"
#include "memory/registers.h"

/*
 * The registers of a processor by name, their bits by name, and what follows from them. A
 * register whose group is not known has no value: every question here can have no answer. What
 * sets a register works on the caller's copy, never on the snapshot.
 */
#define SEGMENT_IDS_(name) \
	AMD64_##name, AMD64_##name##_BASE, AMD64_##name##_LIMIT, AMD64_##name##_ACCESS
enum register_id {
	AMD64_RAX,
	AMD64_RBX,
	AMD64_RCX,
	AMD64_RDX,
	AMD64_RSI,
	AMD64_RDI,
	AMD64_RSP,
	AMD64_RBP,
	AMD64_R8,
	AMD64_R9,
	AMD64_R10,
	AMD64_R11,
	AMD64_R12,
	AMD64_R13,
	AMD64_R14,
	AMD64_R15,
	AMD64_RIP,
	AMD64_RFLAGS,
	AMD64_CR0,
	AMD64_CR2,
	AMD64_CR3,
	AMD64_CR4,
	AMD64_CR8,
	AMD64_DR0,
	AMD64_DR1,
	AMD64_DR2,
	AMD64_DR3,
	AMD64_DR6,
	AMD64_DR7,
	SEGMENT_IDS_(CS),
	SEGMENT_IDS_(DS),
	SEGMENT_IDS_(ES),
	SEGMENT_IDS_(FS),
	SEGMENT_IDS_(GS),
	SEGMENT_IDS_(SS),
	SEGMENT_IDS_(TR),
	SEGMENT_IDS_(LDTR),
	AMD64_GDTR_BASE,
	AMD64_GDTR_LIMIT,
	AMD64_IDTR_BASE,
	AMD64_IDTR_LIMIT,
	AMD64_EFER,
	AMD64_STAR,
	AMD64_LSTAR,
	AMD64_CSTAR,
	AMD64_SFMASK,
	AMD64_KERNEL_GS_BASE,
	AMD64_MXCSR,
	NUM_REGISTERS,

	NUM_GP_REGISTERS = AMD64_RFLAGS + 1, /* rax ... r15, rip, rflags: the first ones */
	/* by what they are for */
	REGISTER_INSTRUCTION_POINTER = AMD64_RIP,
	REGISTER_STACK_POINTER = AMD64_RSP,
	REGISTER_RESULT = AMD64_RAX,
};

/* Bits [shift, shift + width) of a register. */
struct bit_field {
	const char *name; /* as the processor manuals write it: "PG" */
	uint8_t shift, width;
};
struct bit_table {
	const struct bit_field *fields; /* ascending */
	size_t count;
};

struct register_row {
	const char *name;  /* "rax", "cs", "cs_base", "gdtr_limit" */
	uint16_t offset;   /* in struct registers */
	uint8_t size;	   /* bytes there */
	uint32_t any, all; /* known if one of `any` and all of `all` are; enum register_group */
	const struct bit_table *bits; /* NULL: a plain number */
};
extern const struct register_row register_rows[NUM_REGISTERS];

/* NULL: there is no such register. */
const struct register_row *register_find(const char *name);
bool register_known(const struct registers *r, enum register_id id);
MUST_CHECK bool register_get(const struct registers *r, enum register_id id, uint64_t *ret);
/* False, and nothing is changed: the register's group is not known, or value has more bits. */
MUST_CHECK bool register_set(struct registers *copy, enum register_id id, uint64_t value);
/* All of rax ... r15, rip, rflags in the order of the ids. */
MUST_CHECK bool registers_get_general(const struct registers *r, uint64_t ret[NUM_GP_REGISTERS]);
/* They are known afterwards. */
void registers_set_general(struct registers *copy, const uint64_t values[NUM_GP_REGISTERS]);
/* Takes the groups of `from` that `into` lacks, of those in `groups`; returns which. A register
 * that `into` knows already keeps its value. */
uint32_t registers_merge(struct registers *into, const struct registers *from, uint32_t groups);

/* Bits by name: Intel SDM vol. 3A, 2.3, 2.5 and 17.2; vol. 4; AMD64 APM vol. 2, 3.1. */
extern const struct bit_table cr0_bits, cr4_bits, cr8_bits, dr6_bits, dr7_bits, efer_bits,
	rflags_bits, mxcsr_bits, segment_access_bits, selector_bits;
#define CR0_PG	    (UINT64_C(1) << 31)
#define CR3_PCID    UINT64_C(0xfff)
#define CR4_PAE	    (UINT64_C(1) << 5)
#define CR4_LA57    (UINT64_C(1) << 12)
#define CR4_PCIDE   (UINT64_C(1) << 17)
#define EFER_LME    (UINT64_C(1) << 8)
#define EFER_LMA    (UINT64_C(1) << 10)
#define RFLAGS_TRAP (UINT64_C(1) << 8)

/* The value of a field; false: the table has none of this name. */
MUST_CHECK bool bits_get(const struct bit_table *t, const char *name, uint64_t value,
			 uint64_t *ret);
enum { BITS_TEXT_SIZE = 320 };
/* Names of the fields that are not zero, joined by '|', "NAME=value" for those of several bits. */
void bits_text(const struct bit_table *t, uint64_t value, char ret[BITS_TEXT_SIZE]);

/* How the processor translates addresses. */
enum paging_mode {
	PAGING_NONE,
	PAGING_LEGACY, /* 32-bit */
	PAGING_PAE,
	PAGING_LONG,	  /* 4 levels */
	PAGING_LONG_LA57, /* 5 levels */
	NUM_PAGING_MODES
};
/* "none", "legacy", "pae", "long", "long_la57". */
const char *paging_mode_name(enum paging_mode mode);
/* By CR0.PG, CR4.PAE, EFER.LME and CR4.LA57. Where EFER is not known, a base or a pointer above
 * 4 GiB, or 64-bit code, shows long mode as well. */
MUST_CHECK bool registers_paging_mode(const struct registers *r, enum paging_mode *ret);
/* Bytes of an address: 0 without paging, 4, or 8 in long mode. */
MUST_CHECK bool registers_address_width(const struct registers *r, unsigned *ret);
/*
 * Bytes of an address in the code that runs: 4 in compatibility mode, 8 where CS.L is set. Where
 * CS' access word is not known, RIP above 4 GiB or the GDT entry (s may be NULL) answers.
 */
MUST_CHECK bool registers_effective_address_width(const struct registers *r, struct space *s,
						  unsigned *ret);
/* The process-context id in CR3; false where CR4.PCIDE is clear or not known. */
MUST_CHECK bool registers_pcid(const struct registers *r, uint16_t *ret);
/* CR3 without its flags. */
MUST_CHECK bool registers_translation_root(const struct registers *r, uint64_t *ret);

/* An address and what it is to be translated by. */
struct address_context {
	uint64_t va, root;
};
MUST_CHECK bool registers_address_context(const struct registers *r, uint64_t va,
					  struct address_context *ret);
/* The space that the processor was in; owned by the caller; arguments and errors as
 * space_create_amd64(). NOT_FOUND: CR3 or the paging mode is not known, UNSUPPORTED: not in long
 * mode. */
MUST_CHECK struct error *registers_open_space(const struct registers *r, struct physmem *mem,
					      const struct soft_pte_ops *soft, const void *soft_arg,
					      struct space **ret);

/* What RSP points at, of the effective width. On false *fault (may be NULL) says where the bytes
 * are absent; fault->va 0: a register is not known. */
MUST_CHECK bool registers_return_address(const struct registers *r, struct space *s, uint64_t *ret,
					 struct fault *fault);
/* As if the function had returned `value`: RIP and RSP of the caller. */
MUST_CHECK bool registers_return(struct registers *copy, struct space *s, uint64_t value,
				 struct fault *fault);

#endif
