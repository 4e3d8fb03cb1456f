/* SPDX-License-Identifier: MIT */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include "arch/amd64/descriptors.h"
#include "arch/amd64/interrupts.h"
#include "arch/amd64/paging.h"
#include "arch/amd64/registers.h"

/*
 * The processor architecture, as far as a snapshot of its memory asks for it. There is one,
 * AMD64. Its constants are in the object below, and around it:
 *
 *	arch/amd64/paging.h		levels, address arithmetic per level, translation
 *	arch/amd64/registers.h		registers and their bits by name, paging mode, widths
 *	arch/amd64/descriptors.h	interrupt and global descriptor tables
 *	arch/amd64/interrupts.h		vectors, error codes
 *	arch/amd64/context.h		saved processor state
 *
 * A guest frame number (gfn) is a physical address without the offset in its page.
 */
struct architecture {
	const char *name;
	unsigned page_shift;
	uint64_t page_size;
	uint64_t page_mask;	   /* what is left of an address without its offset */
	const uint8_t *breakpoint; /* the instruction that debuggers write over code */
	size_t breakpoint_size;
	enum page_level top_level; /* levels go from LEVEL_PT to here */
	const struct level_row *levels;
	unsigned address_width; /* bytes, of the widest mode */
};
extern const struct architecture arch_amd64;

static inline uint64_t gfn_from_pa(uint64_t pa)
{
	return pa >> PAGE_SHIFT;
}

static inline uint64_t pa_from_gfn(uint64_t gfn)
{
	return gfn << PAGE_SHIFT;
}

static inline uint64_t pa_offset(uint64_t pa)
{
	return pa & PAGE_MASK;
}

/* Is there a breakpoint instruction at va? False as well where its bytes are absent: then *fault
 * (may be NULL) says so, else fault->va is 0. */
MUST_CHECK bool arch_breakpoint_at(const struct architecture *arch, struct space *s, uint64_t va,
				   struct fault *fault);

#endif
