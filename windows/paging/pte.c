/* SPDX-License-Identifier: MIT */
#include "windows/paging/pte.h"

DEFINE_FIELDS(soft_pte, SOFT_PTE_FIELDS);

/*
 * Fields by the public PDBs of 7601 to 26100: MMPTE_TRANSITION.PageFrameNumber is bits 47:12 or
 * 51:12 by build, what is above 47 is zero in the older ones; MMPTE_SOFTWARE.PageFileHigh is
 * bits 63:32, PageFileLow bits 4:1 before 17134 (and the updates of 2018), 15:12 since;
 * MMPTE_PROTOTYPE.ProtoAddress is bits 63:16. Where no mask is known but bit 4 is a SwizzleBit,
 * the usual mask is assumed: bit 45 of a frame is never set on machines that those builds run on.
 */
#define PAGEFILE_HIGH_SHIFT 32
#define PAGEFILE_HIGH_MASK  UINT64_C(0xffffffff00000000)
#define DEFAULT_FILE_SHIFT  12
#define PROTO_ADDRESS_SHIFT 16
#define PROTO_ADDRESS_SIGN  UINT64_C(0xffff000000000000)
#define PROTECTION_SHIFT    5 /* MMPTE_SOFTWARE.Protection, bits 9:5 */
#define PROTECTION_MASK	    0x1f
#define MM_DECOMMIT	    0x10 /* ntddk's guard modifier without an access (ReactOS, mm) */

/*
 * From 22621 on, the prototype PTE of a page that is only in its file may be a pointer (MemProcFS,
 * vmm/mm/mm_win.c): the top 17 bits are set, the low four are not.
 */
#define FILE_POINTER_MASK  UINT64_C(0xffff80000000000f)
#define FILE_POINTER_VALUE UINT64_C(0xffff800000000000)

bool windows_pte_is_file_pointer(uint64_t entry)
{
	return (entry & FILE_POINTER_MASK) == FILE_POINTER_VALUE;
}

static uint64_t unswizzle(const struct windows_pte_config *config, uint64_t entry)
{
	if (config && config->as_stored)
		return entry;
	if (entry & WINDOWS_PTE_SWIZZLE)
		return entry;
	return entry &
	       ~(config && config->known ? config->invalid_pte_mask : WINDOWS_PTE_USUAL_MASK);
}

struct windows_pte windows_pte_decode(const struct windows_pte_config *config, uint64_t entry)
{
	unsigned shift = config && config->file_shift ? config->file_shift : DEFAULT_FILE_SHIFT;
	struct windows_pte ret = { .kind = WINDOWS_PTE_ZERO };
	uint64_t plain = unswizzle(config, entry);

	if (!entry)
		return ret;
	if (entry & WINDOWS_PTE_PROTOTYPE) {
		ret.kind = WINDOWS_PTE_AT_PROTO;
		if ((entry & PAGEFILE_HIGH_MASK) == PAGEFILE_HIGH_MASK)
			ret.kind = WINDOWS_PTE_AT_VAD;
		ret.address = entry >> PROTO_ADDRESS_SHIFT | PROTO_ADDRESS_SIGN;
	} else if (entry & WINDOWS_PTE_TRANSITION) {
		ret.kind = WINDOWS_PTE_IN_MEMORY;
		ret.pa = plain & PTE_PFN_MASK;
	} else if (plain & PAGEFILE_HIGH_MASK) {
		ret.kind = WINDOWS_PTE_IN_PAGEFILE;
		ret.file = (unsigned)(entry >> shift) & 0xf;
		ret.offset = plain >> PAGEFILE_HIGH_SHIFT << PAGE_SHIFT;
	} else {
		bool taken = (entry >> PROTECTION_SHIFT & PROTECTION_MASK) == MM_DECOMMIT;

		ret.kind = taken ? WINDOWS_PTE_DECOMMITTED : WINDOWS_PTE_DEMAND_ZERO;
	}
	return ret;
}

/*
 * Above the PT an entry speaks of a table, not of the page asked for: only that the table is in
 * a page file is worth telling. A zero entry of the PT leaves the question to the VAD tree.
 */
static enum va_state classify(const void *arg, uint64_t entry, enum page_level level,
			      uint64_t *pa_ret)
{
	struct windows_pte pte = windows_pte_decode(arg, entry);

	switch (pte.kind) {
	case WINDOWS_PTE_IN_MEMORY:
		*pa_ret = pte.pa;
		return VA_TRANSITION;
	case WINDOWS_PTE_IN_PAGEFILE:
		return VA_PAGEFILE;
	case WINDOWS_PTE_AT_PROTO:
	case WINDOWS_PTE_AT_VAD:
		return level == LEVEL_PT ? VA_PROTOTYPE : VA_NOT_PRESENT;
	case WINDOWS_PTE_DEMAND_ZERO:
		return level == LEVEL_PT ? VA_DEMAND_ZERO : VA_NOT_PRESENT;
	case WINDOWS_PTE_ZERO:
	case WINDOWS_PTE_DECOMMITTED:
		break;
	}
	return VA_NOT_PRESENT;
}

const struct soft_pte_ops windows_soft_pte = { .classify = classify };
