/* SPDX-License-Identifier: MIT */
#ifndef MEMORY_EXTENT_H
#define MEMORY_EXTENT_H

#include "base/error.h"
#include "base/file.h"

/*
 * Stretches of an address space and where their bytes are: what physmem and virtmem share. A
 * list is filled, sealed, and read-only from then on.
 */
struct extent {
	uint64_t start, last;	 /* addresses, inclusive: the top of the space fits */
	const struct file *file; /* borrowed; NULL: the owner of the list knows the bytes */
	uint64_t offset;	 /* of start in the file, or in whatever the owner numbers */
	size_t tag;		 /* the owner's */
};

struct extent_list {
	struct extent *items; /* owned */
	size_t count, capacity;
	uint64_t overlap; /* bytes given more than once; set by extent_list_seal() */
};

void extent_list_deinit(struct extent_list *list);
/* Appends; an extent that continues the one before it in address and offset lengthens it.
 * Errors: NO_MEMORY, LIMIT. */
MUST_CHECK struct error *extent_list_add(struct extent_list *list, const struct extent *extent);
/* Sorts, cuts overlaps so that the extent added first keeps its bytes, merges neighbours that
 * continue each other. O(n log n) whatever the overlaps. */
MUST_CHECK struct error *extent_list_seal(struct extent_list *list);
/* Index of the first extent that ends at or after addr; list->count when there is none. */
size_t extent_list_find(const struct extent_list *list, uint64_t addr);
/* The extent that contains addr, or NULL. */
const struct extent *extent_list_at(const struct extent_list *list, uint64_t addr);
/* ERROR_CORRUPT unless [offset, offset + length) lies in the file. */
MUST_CHECK struct error *extent_check_file(const struct file *file, uint64_t offset,
					   uint64_t length);

#endif
