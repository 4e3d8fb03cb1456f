/* SPDX-License-Identifier: MIT */
#ifndef ELF_BUILDER_H
#define ELF_BUILDER_H

#include <string.h>

#include "base/cursor.h"

/*
 * Builds small ELF64 cores: a fixed buffer with the header at 0, program headers at
 * ELF_PROGRAMS, section headers at ELF_SECTIONS, and room for data from ELF_DATA on.
 */
enum {
	ELF_PROGRAMS = 64,
	ELF_SECTIONS = 0x400,
	ELF_DATA = 0x1000,
	ELF_MAX_SIZE = 0x10000,
	ELF_PHNUM = 0x38, /* header fields that tests change */
	ELF_SHOFF = 0x28,
};

struct elf_builder {
	uint8_t bytes[ELF_MAX_SIZE];
	size_t size; /* of the file */
	unsigned programs, sections;
	size_t names_used; /* of the section names, at ELF_SECTIONS + 0x400 */
};

static inline void elf_begin(struct elf_builder *b)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->bytes,
	       "\x7f"
	       "ELF\x02\x01\x01",
	       7);
	store_u16(b->bytes + 0x10, 4);	/* ET_CORE */
	store_u16(b->bytes + 0x12, 62); /* EM_X86_64 */
	store_u32(b->bytes + 0x14, 1);
	store_u64(b->bytes + 0x20, ELF_PROGRAMS);
	store_u16(b->bytes + 0x34, 64);
	store_u16(b->bytes + 0x36, 56);
	store_u16(b->bytes + 0x3a, 64);
	b->size = ELF_DATA;
}

static inline void elf_add_program(struct elf_builder *b, uint32_t type, uint64_t offset,
				   uint64_t paddr, uint64_t file_size, uint64_t memory_size)
{
	uint8_t *p = b->bytes + ELF_PROGRAMS + b->programs * 56;

	store_u32(p, type);
	store_u64(p + 8, offset);
	store_u64(p + 24, paddr);
	store_u64(p + 32, file_size);
	store_u64(p + 40, memory_size);
	store_u16(b->bytes + ELF_PHNUM, (uint16_t)++b->programs);
}

/* Puts bytes at the end of the file; the offset at which they are. */
static inline size_t elf_put(struct elf_builder *b, const void *bytes, size_t size)
{
	size_t offset = b->size;

	memcpy(b->bytes + offset, bytes, size);
	b->size += size;
	return offset;
}

static inline size_t elf_put_u64(struct elf_builder *b, uint64_t value)
{
	uint8_t bytes[8];

	store_u64(bytes, value);
	return elf_put(b, bytes, sizeof(bytes));
}

/* Whole pages, each filled with its byte. */
static inline size_t elf_put_pages(struct elf_builder *b, uint8_t first, unsigned count)
{
	size_t offset = b->size;

	for (unsigned i = 0; i < count; i++)
		memset(b->bytes + offset + i * 0x1000, first + (int)i, 0x1000);
	b->size += count * 0x1000;
	return offset;
}

static inline size_t elf_put_note(struct elf_builder *b, const char *name, uint32_t type,
				  const void *desc, size_t size)
{
	uint8_t head[12];
	size_t offset, name_size = strlen(name) + 1;

	store_u32(head, (uint32_t)name_size);
	store_u32(head + 4, (uint32_t)size);
	store_u32(head + 8, type);
	offset = elf_put(b, head, sizeof(head));
	elf_put(b, name, name_size);
	b->size = (b->size + 3) & ~(size_t)3;
	elf_put(b, desc, size);
	b->size = (b->size + 3) & ~(size_t)3;
	return offset;
}

/* The first call makes sections 0 and 1 (their names) as well. */
static inline uint8_t *elf_add_section(struct elf_builder *b, const char *name, uint32_t type,
				       uint64_t offset, uint64_t size, uint64_t entry_size)
{
	enum { NAMES = ELF_SECTIONS + 0x400 };
	uint8_t *p;

	if (!b->sections) {
		b->sections = 2;
		b->names_used = 1;
		store_u64(b->bytes + ELF_SHOFF, ELF_SECTIONS);
		store_u16(b->bytes + 0x3e, 1);
		store_u64(b->bytes + ELF_SECTIONS + 64 + 24, NAMES);
		store_u64(b->bytes + ELF_SECTIONS + 64 + 32, 0x200);
	}
	p = b->bytes + ELF_SECTIONS + b->sections++ * 64;
	store_u32(p, (uint32_t)b->names_used);
	store_u32(p + 4, type);
	store_u64(p + 24, offset);
	store_u64(p + 32, size);
	store_u64(p + 56, entry_size);
	memcpy(b->bytes + NAMES + b->names_used, name, strlen(name) + 1);
	b->names_used += strlen(name) + 1;
	store_u16(b->bytes + 0x3c, (uint16_t)b->sections);
	return p;
}

#endif
