/* SPDX-License-Identifier: MIT */
#include "formats/writers/elf_header.h"

#include <inttypes.h>

#include "base/cursor.h"

enum {
	TYPE_CORE = 4,
	MACHINE_X86_64 = 62,
	PROGRAM_LOAD = 1,
	PROGRAM_NOTE = 4,
	/* e_phnum that says "see sh_info of section 0" */
	COUNT_IN_SECTION_0 = 0xffff,
	DATA_ALIGNMENT = 4096,
};

struct error *elf_lay_out(uint64_t num_programs, uint64_t notes_size, struct elf_parts *ret)
{
	struct elf_parts p = { .num_programs = num_programs };
	uint64_t end = ELF_PROGRAM_OFFSET + num_programs * ELF_PROGRAM_SIZE;

	if (num_programs > UINT32_MAX)
		return error_new(ERROR_LIMIT, "elf: %" PRIu64 " segments are more than 0x%x",
				 num_programs, UINT32_MAX);
	if (num_programs >= COUNT_IN_SECTION_0) {
		p.section_offset = end;
		end += ELF_SECTION_SIZE;
	}
	p.notes_offset = end;
	end += notes_size;
	p.data_offset = (end + DATA_ALIGNMENT - 1) & ~(uint64_t)(DATA_ALIGNMENT - 1);
	*ret = p;
	return NULL;
}

void elf_put_header(uint8_t ret[ELF_HEADER_SIZE], const struct elf_parts *parts)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	bool in_section = parts->section_offset != 0;

	memset(ret, 0, ELF_HEADER_SIZE);
	memcpy(ret, ident, sizeof(ident));
	store_u16(ret + 16, TYPE_CORE);
	store_u16(ret + 18, MACHINE_X86_64);
	store_u32(ret + 20, 1); /* e_version */
	store_u64(ret + 32, ELF_PROGRAM_OFFSET);
	store_u64(ret + 40, parts->section_offset);
	store_u16(ret + 52, ELF_HEADER_SIZE);
	store_u16(ret + 54, ELF_PROGRAM_SIZE);
	store_u16(ret + 56, in_section ? COUNT_IN_SECTION_0 : (uint16_t)parts->num_programs);
	store_u16(ret + 58, in_section ? ELF_SECTION_SIZE : 0);
	store_u16(ret + 60, in_section ? 1 : 0);
}

struct error *elf_put_sections(struct output *out, const struct elf_parts *parts)
{
	uint8_t section[ELF_SECTION_SIZE] = { 0 };

	if (!parts->section_offset)
		return NULL;
	store_u32(section + 44, (uint32_t)parts->num_programs); /* sh_info */
	return output_write(out, parts->section_offset, section, sizeof(section));
}

void elf_put_load_program(uint8_t *row, const struct elf_load *load)
{
	store_u32(row, PROGRAM_LOAD);
	store_u32(row + 4, load->flags);
	store_u64(row + 8, load->offset);
	store_u64(row + 16, load->vaddr);
	store_u64(row + 24, load->paddr);
	store_u64(row + 32, load->size);
	store_u64(row + 40, load->size);
}

void elf_put_note_program(uint8_t *row, uint64_t offset, uint64_t size)
{
	store_u32(row, PROGRAM_NOTE);
	store_u64(row + 8, offset);
	store_u64(row + 32, size);
}
