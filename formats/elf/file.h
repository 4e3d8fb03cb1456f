/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_ELF_FILE_H
#define FORMATS_ELF_FILE_H

#include "base/cursor.h"
#include "base/diag.h"
#include "base/file.h"

/*
 * The parts of a little-endian ELF64 file (layouts: the System V ABI, elf.h). Offsets and sizes
 * are as the file gives them: nothing here says that they lie in the file.
 */
enum {
	ELF_CORE = 4,		     /* e_type ET_CORE */
	ELF_LOAD = 1,		     /* p_type PT_LOAD */
	ELF_NOTE = 4,		     /* p_type PT_NOTE */
	ELF_SECTION_NAME_SIZE = 256, /* longest name told apart, with its NUL */
};

struct elf_header {
	uint16_t type, machine;
	uint64_t program_offset; /* of the program headers; likewise section_offset */
	uint64_t section_offset;
	uint32_t program_size, section_size; /* of one header */
	uint64_t num_programs;		     /* extended numbering resolved, clipped to the file */
	uint64_t num_sections;
	uint32_t name_section;		    /* index of the section with the names */
	const uint8_t *programs, *sections; /* their headers, borrowed from the file */
};

struct elf_program {
	uint32_t type;
	uint64_t offset, vaddr, paddr, file_size, memory_size;
};

struct elf_section {
	uint32_t name; /* offset in the section with the names */
	uint32_t type;
	uint64_t offset, size, entry_size;
	uint32_t link, info;
};

struct elf_note {
	const char *name;   /* borrowed from the file, not terminated */
	size_t name_length; /* without trailing NULs */
	uint32_t type;
	struct cursor desc;
};

/* Errors: CORRUPT (not ELF, too short, bad header sizes), UNSUPPORTED (32-bit, big-endian).
 * Header tables that the file cuts short are reported to diag. */
MUST_CHECK struct error *elf_read_header(const struct file *file, struct elf_header *ret,
					 struct diag *diag);
/* index < num_programs, < num_sections. */
void elf_read_program(const struct elf_header *header, uint64_t index, struct elf_program *ret);
void elf_read_section(const struct elf_header *header, uint64_t index, struct elf_section *ret);
/* The first section of that name; false when there is none. */
bool elf_find_section(const struct file *file, const struct elf_header *header, const char *name,
		      struct elf_section *ret);

/* How many of size bytes at offset the file has. */
uint64_t elf_bytes_in_file(const struct file *file, uint64_t offset, uint64_t size);
/* A cursor over what the file has of [offset, offset + size): nothing where that cannot be decoded.
 */
void elf_cursor(const struct file *file, uint64_t offset, uint64_t size, struct cursor *ret);
/* The next note, NULL error and true; false at the end. A note that is cut short is an error and
 * ends the walk. Names and descriptors are padded to four bytes. */
MUST_CHECK struct error *elf_next_note(struct cursor *notes, struct elf_note *ret, bool *found_ret);
bool elf_note_is(const struct elf_note *note, const char *name, uint32_t type);

#endif
