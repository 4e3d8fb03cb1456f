/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_WRITES_H
#define FUZZ_WRITES_H

#include "base/cursor.h"

enum { FUZZ_MAX_WRITES = 128 };

/* Changes bytes by a list of writes: {where u16, width u8, value u64}. size is more than 8. */
static inline void fuzz_write_bytes(struct cursor *c, uint8_t *bytes, size_t size)
{
	uint16_t at;
	uint8_t width;
	uint64_t value;

	for (int i = 0; i < FUZZ_MAX_WRITES; i++) {
		if (!cur_u16(c, &at) || !cur_u8(c, &width) || !cur_u64(c, &value))
			return;
		memcpy(bytes + at % (size - 8), &value, width % 8 + 1U);
	}
}

#endif
