/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_PAGING_H
#define ARCH_AMD64_PAGING_H

#include "memory/space.h"

/*
 * AMD64 page tables, 4 and 5 levels. Layouts: AMD64 Architecture Programmer's Manual vol. 2,
 * 5.3; Intel SDM vol. 3A, 4.5. Only hardware bits are decoded here; what an operating system
 * keeps in not-present entries is decoded by a soft_pte_ops.
 */
enum {
	PTE_PRESENT = 1 << 0,
	PTE_WRITE = 1 << 1,
	PTE_USER = 1 << 2,
	PTE_PWT = 1 << 3,
	PTE_PCD = 1 << 4,
	PTE_ACCESSED = 1 << 5,
	PTE_DIRTY = 1 << 6,
	PTE_LARGE = 1 << 7,
	PTE_GLOBAL = 1 << 8,
};
#define PTE_NX	     UINT64_C(0x8000000000000000)
#define PTE_PFN_MASK UINT64_C(0x000ffffffffff000)

enum page_level { LEVEL_PT = 1, LEVEL_PD, LEVEL_PDPT, LEVEL_PML4, LEVEL_PML5 };

/* One row a level. */
struct level_row {
	const char *name; /* "PTE", "PDE", "PDPTE", "PML4E", "PML5E" */
	unsigned shift;	  /* index = (va >> shift) & 0x1ff */
	bool large;	  /* bit 7 makes it a leaf */
	uint64_t pa_mask; /* address bits of a leaf at this level; 0 if none */
};
extern const struct level_row level_rows[LEVEL_PML5 + 1]; /* [0] is unused */

/* CR3 or DirectoryTableBase to the root's physical address. */
static inline uint64_t dtb_to_root(uint64_t value)
{
	return value & PTE_PFN_MASK;
}

/* Address arithmetic per level. Rounding up the last page wraps to 0, as addresses do. */
uint64_t va_align_down(uint64_t va, enum page_level level);
bool va_align_up(uint64_t va, enum page_level level, uint64_t *ret); /* false: past the end */
uint64_t va_offset(uint64_t va, enum page_level level);
unsigned va_index(uint64_t va, enum page_level level);
uint64_t level_size(enum page_level level); /* bytes that one entry spans */
bool va_is_canonical(uint64_t va, unsigned levels);

/* What an operating system says of an entry without PTE_PRESENT. */
struct soft_pte_ops {
	/*
	 * State of a non-present entry at a level (VA_NOT_PRESENT where it says nothing). For
	 * VA_TRANSITION *pa_ret is the frame of the page. Pure; arg is read-only.
	 */
	enum va_state (*classify)(const void *arg, uint64_t entry, enum page_level level,
				  uint64_t *pa_ret);
	/*
	 * Does space_next() give this entry, which is not present, in the state of classify()?
	 * Neighbours in one state are one stretch, without a pa. What it says of a table's entries
	 * is remembered where it is no for all of them. NULL: gives none.
	 */
	bool (*listed)(const void *arg, uint64_t entry, enum page_level level);
};

/*
 * A space over page tables. root: physical address of the top table (flag bits are stripped);
 * levels 4 or 5 (else ERROR_USAGE). mem is borrowed and must outlive the space; soft may be NULL
 * (then arg too), both borrowed. Each space caches its own tables and translations.
 *
 * An entry that classify() calls VA_TRANSITION is followed where it is a PTE (a page still in
 * memory) or a PDE (a page table still in memory; what it maps is VA_TRANSITION too), and is
 * VA_NOT_PRESENT above. Reserved bits that make hardware fault give VA_BAD_ENTRY, but for
 * those above the processor's address width, which a snapshot does not tell. Of a missing table
 * walk.page_size is what the whole table spans, of a missing entry what the entry does; a
 * non-canonical address has page_size 0.
 *
 * space_next(): of neighbouring equal entries (but for accessed and dirty bits) the first is
 * entered. A page shown over and over is one stretch with pa and repeat = page_size, at any
 * depth of shared tables. Other shared tables give the stretches of the first instance, then one
 * of the aliases: no pa, state of the first thing in them, page_size = repeat = the span of an
 * entry, and the content of the repeat bytes before it. Tables that are shared by entries that
 * are not neighbours are entered for each: who lists a hostile space needs a limit on rows. One
 * call is bounded by the distinct tables whatever they are, as long as the cache holds them.
 */
MUST_CHECK struct error *space_create_amd64(struct physmem *mem, uint64_t root, unsigned levels,
					    const struct soft_pte_ops *soft, const void *soft_arg,
					    struct space **ret);
/* "P W U A D L G NX" style words of an entry, joined by '|'; into a buffer of 64 bytes. */
void pte_flags_text(uint64_t entry, enum page_level level, char ret[64]);

#endif
