/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_ELF_HEADER_H
#define FORMATS_WRITERS_ELF_HEADER_H

#include "formats/writers/output.h"

/* The parts of an ELF64 core (the System V ABI, elf.h): header, program headers, where these are
 * too many for the header section 0 with their number, notes, data from a whole page on. */
enum {
	ELF_HEADER_SIZE = 64,
	ELF_PROGRAM_OFFSET = ELF_HEADER_SIZE,
	ELF_PROGRAM_SIZE = 56,
	ELF_SECTION_SIZE = 64,
};
enum elf_access { ELF_EXECUTE = 1, ELF_WRITE = 2, ELF_READ = 4 };

struct elf_parts {
	uint64_t num_programs;
	uint64_t section_offset; /* 0: none */
	uint64_t notes_offset, data_offset;
};

/* Errors: LIMIT for more program headers than 32 bits count. */
MUST_CHECK struct error *elf_lay_out(uint64_t num_programs, uint64_t notes_size,
				     struct elf_parts *ret);
void elf_put_header(uint8_t ret[ELF_HEADER_SIZE], const struct elf_parts *parts);
MUST_CHECK struct error *elf_put_sections(struct output *out, const struct elf_parts *parts);

struct elf_load {
	uint64_t offset, vaddr, paddr, size;
	uint32_t flags; /* enum elf_access */
};
/* Into zeroed rows of ELF_PROGRAM_SIZE. */
void elf_put_load_program(uint8_t *row, const struct elf_load *load);
void elf_put_note_program(uint8_t *row, uint64_t offset, uint64_t size);

#endif
