/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_MIGRATION_RAM_H
#define FORMATS_MIGRATION_RAM_H

#include "base/block_cache.h"
#include "base/file.h"
#include "memory/physmem.h"

/*
 * RAM blocks of a virtual machine and where each of their pages is in the stream. A page may be
 * set again and again: the last time counts. Zero pages, of which a machine has millions, take
 * no memory as long as they fill a stretch from its start.
 */
enum {
	RAM_MAX_BLOCKS = 256,
	RAM_NAME_SIZE = 256,
	RAM_MAX_SEGMENTS = 4096,
};
#define RAM_MAX_BLOCK_BYTES (UINT64_C(1) << 46)

enum ram_page_kind {
	RAM_ABSENT,
	RAM_STORED, /* value: file offset of the 4096 bytes */
	RAM_FILLED, /* value: the byte that the page is full of */
	RAM_ZLIB,   /* value: file offset of a big-endian 32-bit length and that many bytes */
	RAM_DELTA,  /* value: file offset of an XBZRLE record, which cannot be read */
};

struct ram_group;

struct ram_block {
	char name[RAM_NAME_SIZE];
	uint64_t length; /* bytes, a multiple of the page size */
	bool is_wanted;	 /* its pages are remembered */
	struct ram_group **groups;
};

struct ram;

/* file and cache are borrowed; both outlive ram. */
MUST_CHECK struct error *ram_create(const struct file *file, struct block_cache *cache,
				    struct ram **ret);
void ram_destroy(struct ram *ram); /* NULL ok; unless it was added to a physmem */

/* *ret is borrowed from ram. Errors: CORRUPT (bad length, named twice), LIMIT, NO_MEMORY. */
MUST_CHECK struct error *ram_add_block(struct ram *ram, const char *name, uint64_t length,
				       bool is_wanted, struct ram_block **ret);
size_t ram_num_blocks(const struct ram *ram);
struct ram_block *ram_block(struct ram *ram, size_t index);
struct ram_block *ram_find_block(struct ram *ram, const char *name); /* NULL: none */
/* offset: in the block, of a page. Errors: CORRUPT past the block's end, LIMIT, NO_MEMORY. */
MUST_CHECK struct error *ram_set_page(struct ram *ram, struct ram_block *block, uint64_t offset,
				      enum ram_page_kind kind, uint64_t value);

/* Bytes [offset, offset + length) of a wanted block are at pa; all are multiples of the page size.
 * Errors: CORRUPT, LIMIT. */
MUST_CHECK struct error *ram_place(struct ram *ram, uint64_t pa, const struct ram_block *block,
				   uint64_t offset, uint64_t length);
/* Takes ram, also on failure: what was placed becomes physical memory. Errors: CORRUPT where two
 * parts have one address, LIMIT, NO_MEMORY. */
MUST_CHECK struct error *ram_add_to(struct ram *ram, struct physmem *mem);

#endif
