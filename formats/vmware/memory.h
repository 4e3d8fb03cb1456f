/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_VMWARE_MEMORY_H
#define FORMATS_VMWARE_MEMORY_H

#include "base/diag.h"
#include "memory/physmem.h"

/*
 * Memory as a state file's group "memory" describes it: regions of pages, each with its first
 * page in the file with memory and its first physical page. Memory is in a file of its own, or
 * in the state file as block "Memory".
 */
enum { VMWARE_MAX_REGIONS = 64 };

struct vmware_region {
	bool has_file_page, has_page, has_size;
	uint32_t file_page, page, num_pages;
};

struct vmware_memory {
	bool is_described;    /* the state file has the group */
	uint64_t num_regions; /* as the file says; 0: memory is in one piece */
	struct vmware_region regions[VMWARE_MAX_REGIONS];
	/* block "Memory"; size 0: not in the state file */
	uint64_t block_offset, block_size;
	uint64_t num_blocks;
};

/* Errors: CORRUPT, UNSUPPORTED (compressed), LIMIT. */
MUST_CHECK struct error *vmware_read_memory(const struct file *state, struct vmware_memory *ret,
					    struct diag *diag);
/* Bytes [start, start + size) of file are the memory: adds the regions. What they claim and the
 * file does not have goes to diag. */
MUST_CHECK struct error *vmware_add_memory(const struct vmware_memory *memory,
					   const struct file *file, uint64_t start, uint64_t size,
					   struct physmem *mem, struct diag *diag);

#endif
