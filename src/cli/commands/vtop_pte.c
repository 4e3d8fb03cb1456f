/* SPDX-License-Identifier: MIT */
#include "cli/commands/vtop_pte.h"

#include <inttypes.h>
#include <stdio.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "windows/kernel/kernel.h"
#include "windows/regions/vad.h"

enum {
	ENTRY_SIZE = 8,
	TABLE_ENTRIES = PAGE_SIZE / ENTRY_SIZE,
	BITS_PER_LEVEL = 9,
	PTE_COPY_ON_WRITE = 1 << 9, /* MMPTE_HARDWARE.CopyOnWrite of the public PDBs */
	PROTECTION_SHIFT = 5,	    /* MMPTE_SOFTWARE.Protection, 5 bits */
	PROTECTION_MASK = 0x1f,
};

/* Letters of a valid entry in their order; set, and not set. */
static const struct {
	uint64_t bit;
	char set, clear;
} letters[PTE_WORD_SIZE - 1] = {
	{ PTE_COPY_ON_WRITE, 'C', '-' }, { PTE_GLOBAL, 'G', '-' },
	{ PTE_LARGE, 'L', '-' },	 { PTE_DIRTY, 'D', '-' },
	{ PTE_ACCESSED, 'A', '-' },	 { PTE_PCD, 'N', '-' },
	{ PTE_PWT, 'T', '-' },		 { PTE_USER, 'U', 'K' },
	{ PTE_WRITE, 'W', 'R' },	 { PTE_NX, '-', 'E' },
	{ PTE_PRESENT, 'V', '-' },
};

static unsigned address_bits(const struct pte_view *view)
{
	return PAGE_SHIFT + BITS_PER_LEVEL * view->levels;
}

static uint64_t sign_extend(uint64_t va, unsigned bits)
{
	uint64_t sign = UINT64_C(1) << (bits - 1);

	va &= (sign << 1) - 1;
	return (va ^ sign) - sign;
}

/* The entry of the lowest level that maps va. */
static uint64_t entry_of(const struct pte_view *view, uint64_t va)
{
	unsigned bits = address_bits(view);
	uint64_t base = view->self_index.value << (bits - BITS_PER_LEVEL);
	uint64_t page = (va & ((UINT64_C(1) << bits) - 1)) >> PAGE_SHIFT;

	return sign_extend(base + page * ENTRY_SIZE, bits);
}

static bool find_self_index(struct space *s, uint64_t *ret)
{
	uint8_t bytes[ENTRY_SIZE];

	if (!s->mem)
		return false;
	/* the upper half, which is the kernel's */
	for (unsigned i = TABLE_ENTRIES / 2; i < TABLE_ENTRIES; i++) {
		uint64_t entry;

		if (physmem_read(s->mem, s->root + i * ENTRY_SIZE, bytes, ENTRY_SIZE) != ENTRY_SIZE)
			continue;
		entry = load_u64(bytes);
		if (entry & PTE_PRESENT && (entry & PTE_PFN_MASK) == s->root) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* Is an address of the symbol's value that of a whole region of page tables? */
static bool index_of_base(const struct pte_view *view, const struct kernel *k, uint64_t *ret)
{
	unsigned shift = address_bits(view) - BITS_PER_LEVEL;
	uint64_t va, base;

	if (!kernel_symbol(k, "MmPteBase", &va) || !space_try_u64(k->space, va, &base, NULL))
		return false;
	*ret = base >> shift & (TABLE_ENTRIES - 1);
	return sign_extend(*ret << shift, address_bits(view)) == base;
}

void pte_view_init(struct command_run *run, struct space *s, struct pte_view *ret)
{
	uint64_t index;

	*ret = (struct pte_view){ .levels = s->levels, .kernel = run->kernel };
	if (!s->levels)
		return;
	if (find_self_index(s, &index) || (run->kernel && index_of_base(ret, run->kernel, &index)))
		ret->self_index = opt_u64(index);
}

static uint64_t entry_address(const struct pte_view *view, uint64_t va, unsigned level)
{
	for (unsigned i = 0; i < level; i++)
		va = entry_of(view, va);
	return va;
}

static void describe_valid(const struct walk_step *step, struct pte_text *ret)
{
	enum page_level level = step->level ? (enum page_level)step->level : LEVEL_PT;
	bool large = step->entry & PTE_LARGE && level_rows[level].large;
	uint64_t mask = large ? level_rows[level].pa_mask : PTE_PFN_MASK;

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		bool set = step->entry & letters[i].bit;

		/* of a PTE the bit chooses a row of the page attribute table */
		if (letters[i].bit == PTE_LARGE)
			set = large;
		ret->word[i] = set ? letters[i].set : letters[i].clear;
	}
	ret->word[ARRAY_SIZE(letters)] = '\0';
	ret->pfn = opt_u64((step->entry & mask) >> PAGE_SHIFT);
}

static const char *what_prototype(const struct walk_step *step)
{
	/* a prototype PTE that says so itself leads to what backs the page */
	return step->level ? "prototype" : "subsection";
}

static void describe_soft(const struct pte_view *view, const struct walk_step *step,
			  struct pte_text *ret)
{
	struct windows_pte pte = windows_pte_decode(&view->kernel->pte_config, step->entry);
	unsigned protection = step->entry >> PROTECTION_SHIFT & PROTECTION_MASK;
	size_t size = sizeof(ret->detail);
	const char *name;
	int len = 0;

	switch (pte.kind) {
	case WINDOWS_PTE_ZERO:
		return;
	case WINDOWS_PTE_DECOMMITTED:
		snprintf(ret->detail, size, "decommitted");
		return;
	case WINDOWS_PTE_IN_MEMORY:
		ret->pfn = opt_u64(pte.pa >> PAGE_SHIFT);
		len = snprintf(ret->detail, size, "transition");
		break;
	case WINDOWS_PTE_AT_PROTO:
		len = snprintf(ret->detail, size, "%s 0x%" PRIx64, what_prototype(step),
			       pte.address);
		break;
	case WINDOWS_PTE_AT_VAD:
		len = snprintf(ret->detail, size, "prototype of the VAD");
		break;
	case WINDOWS_PTE_IN_PAGEFILE:
		len = snprintf(ret->detail, size, "page file %u, offset 0x%" PRIx64, pte.file,
			       pte.offset);
		break;
	case WINDOWS_PTE_DEMAND_ZERO:
		len = snprintf(ret->detail, size, "demand zero");
		break;
	}
	name = vad_protection_name(protection);
	if (name)
		snprintf(ret->detail + len, size - (size_t)len, "; %s", name);
}

void pte_view_step(const struct pte_view *view, const struct walk *w, unsigned step,
		   struct pte_text *ret)
{
	const struct walk_step *s = &w->steps[step];

	*ret = (struct pte_text){ .word = "" };
	if (s->level == 0)
		ret->entry_va = opt_u64(s->entry_address);
	else if (view->self_index.present)
		ret->entry_va = opt_u64(entry_address(view, w->va, s->level));
	if (!s->captured)
		return;
	if (s->entry & PTE_PRESENT)
		describe_valid(s, ret);
	else if (view->kernel)
		describe_soft(view, s, ret);
}
