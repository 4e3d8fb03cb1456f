/* SPDX-License-Identifier: MIT */
#ifndef MEMORY_VIRTMEM_H
#define MEMORY_VIRTMEM_H

#include "base/error.h"
#include "base/file.h"
#include "memory/physmem.h"

/* Blocks of virtual memory for formats without page tables (triage dumps). Same life as
 * physmem: add, seal, then read-only. The block added first wins where blocks overlap. */
struct virtmem;

MUST_CHECK struct error *virtmem_create(struct virtmem **ret);
void virtmem_destroy(struct virtmem *mem); /* NULL ok */
MUST_CHECK struct error *virtmem_add(struct virtmem *mem, uint64_t va, uint64_t length,
				     const struct file *file, uint64_t file_offset);
MUST_CHECK struct error *virtmem_seal(struct virtmem *mem);
/* The captured bytes from va to the end of their block (or the next one's start). */
bool virtmem_view(const struct virtmem *mem, uint64_t va, const uint8_t **bytes, size_t *len);
bool virtmem_next(const struct virtmem *mem, uint64_t va, struct mem_range *ret);
bool virtmem_file_offset(const struct virtmem *mem, uint64_t va, uint64_t *ret);
uint64_t virtmem_captured_bytes(const struct virtmem *mem);
size_t virtmem_num_blocks(const struct virtmem *mem);

#endif
