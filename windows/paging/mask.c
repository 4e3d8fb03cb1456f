/* SPDX-License-Identifier: MIT */
#include "windows/paging/mask.h"
#include "windows/kernel/kernel_address.h"

enum { MAX_STRETCHES = 4096 };

/* The software entry that a walk ended in. */
static bool soft_entry(struct space *s, uint64_t va, uint64_t *ret)
{
	struct walk w;

	space_walk(s, va, &w);
	if (!w.num_steps || !w.steps[w.num_steps - 1].captured)
		return false;
	*ret = w.steps[w.num_steps - 1].entry;
	return *ret && !(*ret & PTE_PRESENT);
}

void find_invalid_pte_mask(struct space *kernel, struct windows_pte_config *config)
{
	struct va_range range;
	uint64_t va = KERNEL_HALF, entry;

	for (unsigned i = 0; i < MAX_STRETCHES && space_next(kernel, va, &range); i++) {
		if ((range.state == VA_TRANSITION || range.state == VA_DEMAND_ZERO) &&
		    soft_entry(kernel, range.start, &entry) && !(entry & WINDOWS_PTE_SWIZZLE)) {
			config->known = true;
			config->invalid_pte_mask = entry & WINDOWS_PTE_USUAL_MASK;
			return;
		}
		va = range.last + 1;
		if (!va)
			return;
	}
}
