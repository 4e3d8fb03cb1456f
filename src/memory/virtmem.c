/* SPDX-License-Identifier: MIT */
#include "memory/virtmem.h"

#include <inttypes.h>
#include <stdlib.h>

#include "memory/extent.h"

struct virtmem {
	struct extent_list blocks;
	uint64_t captured;
};

struct error *virtmem_create(struct virtmem **ret)
{
	struct virtmem *mem = calloc(1, sizeof(*mem));

	if (!mem)
		return &error_no_memory;
	*ret = mem;
	return NULL;
}

void virtmem_destroy(struct virtmem *mem)
{
	if (!mem)
		return;
	extent_list_deinit(&mem->blocks);
	free(mem);
}

struct error *virtmem_add(struct virtmem *mem, uint64_t va, uint64_t length,
			  const struct file *file, uint64_t file_offset)
{
	struct extent block = { .start = va, .file = file, .offset = file_offset };
	struct error *err = extent_check_file(file, file_offset, length);
	const uint8_t *whole;

	if (err || !length)
		return err;
	/* Blocks are handed out without pins: what is decoded is kept, all of it. */
	if ((err = file_bytes(file, 0, file->size, &whole)))
		return err;
	if (__builtin_add_overflow(va, length - 1, &block.last))
		return error_new(ERROR_CORRUPT,
				 "block of 0x%" PRIx64 " bytes at 0x%" PRIx64
				 ": expected it to end inside the address space",
				 length, va);
	return extent_list_add(&mem->blocks, &block);
}

struct error *virtmem_seal(struct virtmem *mem)
{
	struct error *err = extent_list_seal(&mem->blocks);

	if (err)
		return err;
	mem->captured = 0;
	for (size_t i = 0; i < mem->blocks.count; i++)
		mem->captured += mem->blocks.items[i].last - mem->blocks.items[i].start + 1;
	return NULL;
}

bool virtmem_view(const struct virtmem *mem, uint64_t va, const uint8_t **bytes, size_t *len)
{
	const struct extent *block = extent_list_at(&mem->blocks, va);
	struct error *err;

	if (!block)
		return false;
	*len = block->last - va + 1;
	err = file_bytes(block->file, block->offset + (va - block->start), *len, bytes);
	error_destroy(err); /* none: virtmem_add() had them all */
	return !err;
}

bool virtmem_next(const struct virtmem *mem, uint64_t va, struct mem_range *ret)
{
	size_t i = extent_list_find(&mem->blocks, va);
	const struct extent *items = mem->blocks.items;
	uint64_t last;

	if (i == mem->blocks.count)
		return false;
	ret->start = items[i].start > va ? items[i].start : va;
	last = items[i].last;
	while (++i < mem->blocks.count && last != UINT64_MAX && items[i].start == last + 1)
		last = items[i].last;
	/* A mem_range cannot end past the last address: the top byte is then left out. */
	ret->end = last == UINT64_MAX ? last : last + 1;
	return ret->start < ret->end;
}

bool virtmem_file_offset(const struct virtmem *mem, uint64_t va, uint64_t *ret)
{
	const struct extent *block = extent_list_at(&mem->blocks, va);

	if (!block)
		return false;
	*ret = block->offset + (va - block->start);
	return true;
}

uint64_t virtmem_captured_bytes(const struct virtmem *mem)
{
	return mem->captured;
}

size_t virtmem_num_blocks(const struct virtmem *mem)
{
	return mem->blocks.count;
}
