/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_CONVENTION_H
#define WINDOWS_CONVENTION_H

#include "arch/amd64/registers.h"
#include "windows/kernel/kernel.h"

/*
 * How Windows uses an AMD64 processor: where arguments are, which selectors mean what, where the
 * control region is. Sources: "x64 calling convention" and "__stdcall" of Microsoft's C++
 * documentation, ntamd64_x.h (KGDT64_*). On false *fault (may be NULL) says where bytes are absent;
 * fault->va 0: a register is not known.
 */
enum windows_selector {
	SELECTOR_KERNEL_CODE = 0x10,
	SELECTOR_KERNEL_DATA = 0x18,
	SELECTOR_USER_CODE32 = 0x20, /* with RPL 3: 0x23, and so on */
	SELECTOR_USER_DATA = 0x28,
	SELECTOR_USER_CODE64 = 0x30,
	SELECTOR_TASK = 0x40,
	SELECTOR_USER_TEB32 = 0x50,
};
/* What Windows has at a selector (its RPL does not matter); NULL: nothing that is fixed. */
const char *windows_selector_name(uint16_t selector);

enum windows_vector {
	WINDOWS_VECTOR_APC = 0x1f,
	WINDOWS_VECTOR_FAST_FAIL = 0x29,
	WINDOWS_VECTOR_ASSERT = 0x2c,
	WINDOWS_VECTOR_DEBUG_SERVICE = 0x2d,
	WINDOWS_VECTOR_DPC = 0x2f,
	WINDOWS_VECTOR_IPI = 0xe1,
};
/* The name of a vector, the processor's exceptions included; NULL: given out as devices come. */
const char *windows_vector_name(unsigned vector);

/* Bytes of an address in the running code, 4 or 8; as registers_effective_address_width(), and by
 * Windows' fixed selectors where that cannot tell. */
MUST_CHECK bool windows_code_width(const struct registers *r, struct space *s, unsigned *ret);
/* Argument `index` (from 0) of a system call that has just been entered: R10, RDX, R8, R9, then the
 * caller's stack. */
MUST_CHECK bool syscall_argument(const struct registers *r, struct space *s, unsigned index,
				 uint64_t *ret, struct fault *fault);
/* The same of a function: RCX, RDX, R8, R9, then the stack; in 32-bit code the stack alone. */
MUST_CHECK bool function_argument(const struct registers *r, struct space *s, unsigned index,
				  uint64_t *ret, struct fault *fault);
/* RAX of a function that has just returned. */
MUST_CHECK bool function_return_value(const struct registers *r, uint64_t *ret);

/* The processor's KPCR: the GS base in kernel mode, the one that SWAPGS would bring in user mode.
 * False where the base is not known or is no kernel address. */
MUST_CHECK bool current_kpcr(const struct registers *r, uint64_t *ret);
/* Is there a page that the hardware maps (of any size, captured or not) or that is in transition?
 * s is a space over page tables with windows_soft_pte. */
bool is_page_present_or_transition(struct space *s, uint64_t va);

/* The kernel's base as LSTAR tells it: LSTAR - KiSystemCall64, or KiSystemCall64Shadow; the one
 * that agrees, else the last. Where neither agrees system calls do not enter the kernel at its own
 * entry. */
struct entry_check {
	uint64_t base;
	const char *symbol;
	bool agrees; /* with k->loc.base, which the search for the kernel found */
};
/* False: LSTAR is not known, or there are no symbols of exactly this kernel. */
MUST_CHECK bool kernel_image_base(const struct kernel *k, const struct registers *r,
				  struct entry_check *ret);

#endif
