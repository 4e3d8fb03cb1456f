/* SPDX-License-Identifier: MIT */
#ifndef KDUMP_BUILDER_H
#define KDUMP_BUILDER_H

#include <string.h>

#include "base/cursor.h"

/*
 * Builds small kdump-compressed dumps: a fixed buffer with headers, two bitmaps of one block each,
 * descriptors, and room for data from KDUMP_DATA on. Layout: makedumpfile's IMPLEMENTATION.
 */
enum {
	KDUMP_PAGE = 4096,
	/* disk_dump_header */
	KDUMP_VERSION = 8,
	KDUMP_SYSTEM = 12,
	KDUMP_RELEASE = 12 + 2 * 65,
	KDUMP_MACHINE = 12 + 4 * 65,
	KDUMP_STATUS = 424,
	KDUMP_BLOCK = 428,
	KDUMP_SUB_BLOCKS = 432,
	KDUMP_BITMAP_BLOCKS = 436,
	KDUMP_MAX_MAPNR = 440,
	KDUMP_CPUS = 460,
	/* kdump_sub_header */
	KDUMP_SUB = KDUMP_PAGE,
	KDUMP_SPLIT = KDUMP_SUB + 12,
	KDUMP_START = KDUMP_SUB + 16,
	KDUMP_END = KDUMP_SUB + 24,
	KDUMP_NOTES = KDUMP_SUB + 48,
	KDUMP_NOTES_SIZE = KDUMP_SUB + 56,
	KDUMP_START_64 = KDUMP_SUB + 80,
	KDUMP_END_64 = KDUMP_SUB + 88,
	KDUMP_MAX_MAPNR_64 = KDUMP_SUB + 96,

	KDUMP_BITMAP_1 = 2 * KDUMP_PAGE,
	KDUMP_BITMAP_2 = 3 * KDUMP_PAGE,
	KDUMP_DESCRIPTORS = 4 * KDUMP_PAGE,
	KDUMP_DESCRIPTOR_SIZE = 24,
	KDUMP_DATA = KDUMP_DESCRIPTORS + 0x400, /* behind 42 descriptors */
	KDUMP_MAX_SIZE = 0x20000,
};

enum kdump_flags { KDUMP_STORED, KDUMP_ZLIB = 1, KDUMP_LZO = 2, KDUMP_SNAPPY = 4, KDUMP_ZSTD = 32 };

struct kdump_builder {
	uint8_t bytes[KDUMP_MAX_SIZE];
	size_t size; /* of the file */
	unsigned descriptors;
};

/* Version 6, pages [0, num_pages) of which none is there. */
static inline void kdump_begin(struct kdump_builder *b, uint32_t num_pages)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->bytes, "KDUMP   ", 8);
	store_u32(b->bytes + KDUMP_VERSION, 6);
	store_u32(b->bytes + KDUMP_BLOCK, KDUMP_PAGE);
	store_u32(b->bytes + KDUMP_SUB_BLOCKS, 1);
	store_u32(b->bytes + KDUMP_BITMAP_BLOCKS, 2);
	store_u32(b->bytes + KDUMP_MAX_MAPNR, num_pages);
	store_u64(b->bytes + KDUMP_MAX_MAPNR_64, num_pages);
	b->size = KDUMP_DATA;
}

static inline size_t kdump_put(struct kdump_builder *b, const void *data, size_t size)
{
	size_t offset = b->size;

	memcpy(b->bytes + offset, data, size);
	b->size += size;
	return offset;
}

static inline uint8_t *kdump_descriptor(struct kdump_builder *b, unsigned index)
{
	return b->bytes + KDUMP_DESCRIPTORS + index * KDUMP_DESCRIPTOR_SIZE;
}

/* The next page, above those added before, whose data is in the file already. */
static inline void kdump_describe(struct kdump_builder *b, unsigned gfn, uint64_t offset,
				  uint32_t size, uint32_t flags)
{
	uint8_t *descriptor = kdump_descriptor(b, b->descriptors++);

	b->bytes[KDUMP_BITMAP_1 + gfn / 8] |= (uint8_t)(1 << gfn % 8);
	b->bytes[KDUMP_BITMAP_2 + gfn / 8] |= (uint8_t)(1 << gfn % 8);
	store_u64(descriptor, offset);
	store_u32(descriptor + 8, size);
	store_u32(descriptor + 12, flags);
}

static inline void kdump_add(struct kdump_builder *b, unsigned gfn, uint32_t flags,
			     const void *data, size_t size)
{
	kdump_describe(b, gfn, kdump_put(b, data, size), (uint32_t)size, flags);
}

/* A page of one value, stored as it is. */
static inline void kdump_add_page(struct kdump_builder *b, unsigned gfn, uint8_t value)
{
	uint8_t page[KDUMP_PAGE];

	memset(page, value, sizeof(page));
	kdump_add(b, gfn, KDUMP_STORED, page, sizeof(page));
}

#endif
