/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "arch/arch.h"

static const uint8_t int3[] = { 0xcc };

const struct architecture arch_amd64 = {
	.name = "amd64",
	.page_shift = PAGE_SHIFT,
	.page_size = PAGE_SIZE,
	.page_mask = ~UINT64_C(0xfff),
	.breakpoint = int3,
	.breakpoint_size = sizeof(int3),
	.top_level = LEVEL_PML5,
	.levels = level_rows,
	.address_width = 8,
};

bool arch_breakpoint_at(const struct architecture *arch, struct space *s, uint64_t va,
			struct fault *fault)
{
	uint8_t bytes[16];

	if (fault)
		*fault = (struct fault){ 0 };
	return arch->breakpoint_size <= sizeof(bytes) &&
	       space_try_read(s, va, bytes, arch->breakpoint_size, fault) &&
	       memcmp(bytes, arch->breakpoint, arch->breakpoint_size) == 0;
}
