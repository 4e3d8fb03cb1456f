/* SPDX-License-Identifier: MIT */
#ifndef MEMORY_BLOCK_FILE_H
#define MEMORY_BLOCK_FILE_H

#include "base/file.h"

/*
 * A file that is decoded block by block and can be read at any offset: block 0 first, then
 * block 1, and so on. Its bytes come from the cache; physmem_add_file() takes it as any other.
 */
struct block_file_ops {
	/* Decodes block `index` into buf: all `len` bytes of it, or an error that says where. On
	 * any thread. */
	struct error *(*decode)(void *arg, uint64_t index, uint8_t *buf, size_t len);
	/* Is it known, without decoding, to be all zeros? Such a block is not decoded. NULL: no. */
	bool (*is_zero)(void *arg, uint64_t index);
	void (*destroy)(void *arg); /* may be NULL */
};
enum { BLOCK_FILE_MAX_BLOCK = 1 << 30 };

struct block_file;

/* Takes arg (destroyed also on failure). cache is borrowed and outlives the file. */
MUST_CHECK struct error *block_file_create(struct block_cache *cache,
					   const struct block_file_ops *ops, void *arg,
					   struct block_file **ret);
void block_file_destroy(struct block_file *b); /* NULL ok; unless it was opened */
/* Appends `count` blocks that decode to `len` bytes each, 1..BLOCK_FILE_MAX_BLOCK. Blocks of one
 * length in a row cost nothing; else 24 bytes of the cache's memory. Errors: LIMIT, NO_MEMORY. */
MUST_CHECK struct error *block_file_add(struct block_file *b, uint64_t count, uint64_t len);
uint64_t block_file_size(const struct block_file *b); /* so far, in bytes */
uint64_t block_file_count(const struct block_file *b);
/* No more blocks: takes b (destroyed by file_close(), also on failure). `path` names the file in
 * messages. */
MUST_CHECK struct error *block_file_open(struct block_file *b, const char *path, struct file *ret);

#endif
