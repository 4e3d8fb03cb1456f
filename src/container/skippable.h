/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_SKIPPABLE_H
#define CONTAINER_SKIPPABLE_H

#include "base/cursor.h"

/* Frames that zstd and LZ4 files may have anywhere and that hold no content (RFC 8878, 3.1.2;
 * lz4, doc/lz4_Frame_format.md): a magic number of 16, and a length. */
#define SKIPPABLE_MAGIC UINT32_C(0x184d2a50)
enum { SKIPPABLE_HEADER_SIZE = 8 };

/* Bytes of the skippable frame, with its header, that begins at p; 0: none does. */
static inline uint64_t skippable_size(const uint8_t *p, size_t left)
{
	if (left < SKIPPABLE_HEADER_SIZE || (load_u32(p) & ~UINT32_C(15)) != SKIPPABLE_MAGIC)
		return 0;
	return SKIPPABLE_HEADER_SIZE + (uint64_t)load_u32(p + 4);
}

#endif
