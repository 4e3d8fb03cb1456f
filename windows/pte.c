/* SPDX-License-Identifier: MIT */
#include "windows/pte.h"

/*
 * Fields by the public PDBs of 7601 to 26100: MMPTE_TRANSITION.PageFrameNumber is bits 47:12 or
 * 51:12 by build, what is above 47 is zero in the older ones; MMPTE_SOFTWARE.PageFileHigh is
 * bits 63:32. Older builds have no bit SwizzleBit and no mask: bit 45 of a frame number is
 * never set on machines that they run on.
 */
#define DEFAULT_INVALID_PTE_MASK (UINT64_C(1) << 45)
#define PAGEFILE_HIGH_MASK	 UINT64_C(0xffffffff00000000)

static uint64_t unswizzle(const struct windows_pte_config *config, uint64_t entry)
{
	if (entry & WINDOWS_PTE_SWIZZLE)
		return entry;
	return entry &
	       ~(config && config->known ? config->invalid_pte_mask : DEFAULT_INVALID_PTE_MASK);
}

/*
 * Above the PT an entry speaks of a table, not of the page asked for: only that the table is in
 * a page file is worth telling. A zero entry of the PT leaves the question to the VAD tree.
 */
static enum va_state classify(const void *arg, uint64_t entry, enum page_level level,
			      uint64_t *pa_ret)
{
	uint64_t plain = unswizzle(arg, entry);

	if (!entry)
		return VA_NOT_PRESENT;
	if (entry & WINDOWS_PTE_PROTOTYPE)
		return level == LEVEL_PT ? VA_PROTOTYPE : VA_NOT_PRESENT;
	if (entry & WINDOWS_PTE_TRANSITION) {
		*pa_ret = plain & PTE_PFN_MASK;
		return VA_TRANSITION;
	}
	if (plain & PAGEFILE_HIGH_MASK)
		return VA_PAGEFILE;
	return level == LEVEL_PT ? VA_DEMAND_ZERO : VA_NOT_PRESENT;
}

const struct soft_pte_ops windows_soft_pte = { .classify = classify };
