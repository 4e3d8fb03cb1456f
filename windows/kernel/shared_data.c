/* SPDX-License-Identifier: MIT */
#include "windows/kernel/shared_data.h"

#include "base/cursor.h"

enum {
	OFFSET_INTERRUPT_TIME = 0x08,
	OFFSET_SYSTEM_TIME = 0x14,
	OFFSET_BUILD = 0x260,
	OFFSET_PRODUCT_TYPE = 0x264,
	OFFSET_PRODUCT_TYPE_IS_VALID = 0x268,
	OFFSET_MAJOR = 0x26c,
	OFFSET_MINOR = 0x270,
	OFFSET_SUITE_MASK = 0x2d0,
	SHARED_DATA_READ = 0x2d4,
};

/* KSYSTEM_TIME {LowPart, High1Time, High2Time}: both high parts differ while it is written. */
static uint64_t system_time(const uint8_t *p)
{
	uint32_t high = load_u32(p + 4);

	if (high != load_u32(p + 8))
		return 0;
	return (uint64_t)high << 32 | load_u32(p);
}

bool shared_data_read(struct space *s, struct shared_data *ret)
{
	uint8_t bytes[SHARED_DATA_READ];
	uint32_t build;

	if (!space_try_read(s, KUSER_SHARED_DATA_VA, bytes, sizeof(bytes), NULL))
		return false;
	ret->major = load_u32(bytes + OFFSET_MAJOR);
	ret->minor = load_u32(bytes + OFFSET_MINOR);
	if (ret->major != 6 && ret->major != 10)
		return false;
	build = load_u32(bytes + OFFSET_BUILD);
	ret->build = ret->major >= 10 && build < 1u << 16 ? build : 0;
	ret->system_time = system_time(bytes + OFFSET_SYSTEM_TIME);
	ret->interrupt_time = system_time(bytes + OFFSET_INTERRUPT_TIME);
	ret->product_type =
		bytes[OFFSET_PRODUCT_TYPE_IS_VALID] ? load_u32(bytes + OFFSET_PRODUCT_TYPE) : 0;
	ret->suite_mask = load_u32(bytes + OFFSET_SUITE_MASK);
	return true;
}
