/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_FILE_PART_H
#define CONTAINER_FILE_PART_H

#include "base/file.h"

/* Bytes [offset, offset + size) of a file, which must have them, as a file of its own, without a
 * copy. whole and cache are borrowed and outlive it; path names it in messages. */
MUST_CHECK struct error *file_part_open(const struct file *whole, uint64_t offset, uint64_t size,
					const char *path, struct block_cache *cache,
					struct file *ret);

#endif
