/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"
#include "windows/locate/private.h"

/*
 * PROCESSOR_START_BLOCK: the page below 1 MiB through which the other processors start. It
 * begins with a far jump and keeps the kernel's CR3 and an address in the kernel. Layout and
 * masks: MemProcFS, vmm/vmmwininit.c, VmmWinInit_DTB_FindValidate_X64_LowStub.
 */
enum {
	LOW_START = 0x1000,
	LOW_END = 0xa0000,
	STUB_KERNEL_ENTRY = 0x70,
	STUB_CR3 = 0xa0,
	STUB_SIZE = 0xa8,
};
#define STUB_JUMP      UINT64_C(0x00000001000600e9)
#define STUB_JUMP_MASK UINT64_C(0xffffffffffff00ff)
#define CR3_ZERO_BITS  UINT64_C(0xfff0000000000fff)

bool low_stub_find(struct physmem *mem, uint64_t *pa_ret, uint64_t *cr3_ret, uint64_t *entry_ret)
{
	uint8_t stub[STUB_SIZE];

	for (uint64_t pa = LOW_START; pa < LOW_END; pa += PAGE_SIZE) {
		if (physmem_read(mem, pa, stub, 8) != 8 ||
		    (load_u64(stub) & STUB_JUMP_MASK) != STUB_JUMP ||
		    physmem_read(mem, pa, stub, sizeof(stub)) != sizeof(stub))
			continue;
		uint64_t cr3 = load_u64(stub + STUB_CR3);
		uint64_t entry = load_u64(stub + STUB_KERNEL_ENTRY);

		if (cr3 == 0 || (cr3 & CR3_ZERO_BITS) || !is_kernel_address(entry))
			continue;
		*pa_ret = pa;
		*cr3_ret = cr3;
		*entry_ret = entry;
		return true;
	}
	return false;
}

struct error *locate_by_low_stub(struct locator *l)
{
	struct root root = { .what = "start block cr3", .levels = locator_levels(l) };
	struct hints hints = { .count = 0 };
	uint64_t pa, entry;

	if (!low_stub_find(l->mem, &pa, &root.pa, &entry))
		return locator_note(l, GOT_NOTHING, "no processor start block in 0x%x..0x%x",
				    LOW_START, LOW_END - 1);
	hints_add(&hints, "start block entry", entry);
	return locator_try(l, &root, &hints, true);
}
