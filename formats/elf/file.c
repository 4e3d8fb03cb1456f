/* SPDX-License-Identifier: MIT */
#include "formats/elf/file.h"

#include <inttypes.h>
#include <string.h>

enum {
	HEADER_SIZE = 64,
	PROGRAM_SIZE = 56,
	SECTION_SIZE = 64,
	/* Values of e_phnum and e_shstrndx that say "see section 0". */
	PROGRAMS_IN_SECTION_0 = 0xffff,
	NAMES_IN_SECTION_0 = 0xffff,
};

uint64_t elf_bytes_in_file(const struct file *file, uint64_t offset, uint64_t size)
{
	uint64_t left = offset < file->size ? file->size - offset : 0;

	return size < left ? size : left;
}

void elf_cursor(const struct file *file, uint64_t offset, uint64_t size, struct cursor *ret)
{
	uint64_t length = elf_bytes_in_file(file, offset, size);
	const uint8_t *bytes = NULL;
	struct error *err = length ? file_bytes(file, offset, length, &bytes) : NULL;

	cur_init(ret, bytes, err ? 0 : (size_t)length, offset);
	error_destroy(err);
}

static struct error *check_ident(const uint8_t *ident)
{
	if (memcmp(ident,
		   "\x7f"
		   "ELF",
		   4))
		return error_new(ERROR_CORRUPT, "file offset 0: expected the ELF magic");
	if (ident[4] == 1)
		return error_new(ERROR_UNSUPPORTED, "32-bit ELF file: expected a 64-bit core");
	if (ident[5] == 2)
		return error_new(ERROR_UNSUPPORTED,
				 "big-endian ELF file: expected a little-endian core");
	if (ident[4] != 2 || ident[5] != 1)
		return error_new(ERROR_CORRUPT,
				 "file offset 4: expected ELF class 2 and data 1, found %u and %u",
				 ident[4], ident[5]);
	return NULL;
}

/* Finds a header table; its count is clipped to what is in the file. */
static struct error *find_table(const struct file *file, uint64_t offset, uint64_t *count,
				uint32_t size, const char *what, const uint8_t **ret,
				struct diag *diag)
{
	uint64_t room;

	if (!*count)
		return NULL;
	room = elf_bytes_in_file(file, offset, UINT64_MAX) / size;
	if (*count > room) {
		diag_partial(diag,
			     "%s headers at file offset 0x%" PRIx64 ": expected %" PRIu64
			     ", the file ends after %" PRIu64,
			     what, offset, *count, room);
		*count = room;
	}
	return error_wrap(*count ? file_bytes(file, offset, *count * size, ret) : NULL,
			  "%s headers", what);
}

/* Counts that do not fit the header's 16 bits are in section 0. */
static void resolve_counts(const struct file *file, struct elf_header *h)
{
	struct elf_section first;
	struct error *err;

	if (!h->section_offset ||
	    elf_bytes_in_file(file, h->section_offset, SECTION_SIZE) < SECTION_SIZE)
		return;
	if ((err = file_bytes(file, h->section_offset, SECTION_SIZE, &h->sections))) {
		error_destroy(err);
		return;
	}
	elf_read_section(h, 0, &first);
	if (h->num_programs == PROGRAMS_IN_SECTION_0 && first.info)
		h->num_programs = first.info;
	if (!h->num_sections)
		h->num_sections = first.size;
	if (h->name_section == NAMES_IN_SECTION_0)
		h->name_section = first.link;
}

struct error *elf_read_header(const struct file *file, struct elf_header *ret, struct diag *diag)
{
	struct elf_header h = { 0 };
	struct error *err;
	const uint8_t *ident;
	uint16_t phentsize, phnum, shentsize, shnum, shstrndx;
	struct cursor c;

	elf_cursor(file, 0, HEADER_SIZE, &c);
	if (!cur_take(&c, 16, &ident))
		return cur_error(&c, "ELF header");
	if ((err = check_ident(ident)))
		return err;
	/* e_version and e_entry; then e_flags and e_ehsize, which QEMU gets wrong */
	if (!cur_u16(&c, &h.type) || !cur_u16(&c, &h.machine) || !cur_skip(&c, 12) ||
	    !cur_u64(&c, &h.program_offset) || !cur_u64(&c, &h.section_offset) ||
	    !cur_skip(&c, 6) || !cur_u16(&c, &phentsize) || !cur_u16(&c, &phnum) ||
	    !cur_u16(&c, &shentsize) || !cur_u16(&c, &shnum) || !cur_u16(&c, &shstrndx))
		return cur_error(&c, "ELF header");
	if (phnum && phentsize < PROGRAM_SIZE)
		return error_new(ERROR_CORRUPT,
				 "file offset 0x36: expected program headers of %d bytes, found %u",
				 PROGRAM_SIZE, phentsize);
	h.program_size = phentsize;
	h.num_programs = phnum;
	h.num_sections = shnum;
	h.name_section = shstrndx;
	/* Memory does not depend on sections, unless it is a Xen core: then their lack shows. */
	h.section_size = shentsize;
	if (shentsize < SECTION_SIZE)
		h.section_offset = h.num_sections = 0;
	else
		resolve_counts(file, &h);
	if ((err = find_table(file, h.program_offset, &h.num_programs, phentsize, "program",
			      &h.programs, diag)) ||
	    (err = find_table(file, h.section_offset, &h.num_sections, shentsize, "section",
			      &h.sections, diag)))
		return err;
	*ret = h;
	return NULL;
}

void elf_read_program(const struct elf_header *header, uint64_t index, struct elf_program *ret)
{
	const uint8_t *p = header->programs + index * header->program_size;

	*ret = (struct elf_program){
		.type = load_u32(p),
		.offset = load_u64(p + 8),
		.vaddr = load_u64(p + 16),
		.paddr = load_u64(p + 24),
		.file_size = load_u64(p + 32),
		.memory_size = load_u64(p + 40),
	};
}

void elf_read_section(const struct elf_header *header, uint64_t index, struct elf_section *ret)
{
	const uint8_t *p = header->sections + index * header->section_size;

	*ret = (struct elf_section){
		.name = load_u32(p),
		.type = load_u32(p + 4),
		.offset = load_u64(p + 24),
		.size = load_u64(p + 32),
		.link = load_u32(p + 40),
		.info = load_u32(p + 44),
		.entry_size = load_u64(p + 56),
	};
}

bool elf_find_section(const struct file *file, const struct elf_header *header, const char *name,
		      struct elf_section *ret)
{
	size_t length = strlen(name) + 1;
	struct elf_section names, section;
	const uint8_t *text;
	struct cursor c;

	if (header->name_section >= header->num_sections)
		return false;
	elf_read_section(header, header->name_section, &names);
	elf_cursor(file, names.offset, names.size, &c);
	for (uint64_t i = 0; i < header->num_sections; i++) {
		elf_read_section(header, i, &section);
		if (!cur_seek(&c, section.name) || !cur_take(&c, length, &text) ||
		    memcmp(text, name, length))
			continue;
		*ret = section;
		return true;
	}
	return false;
}

static bool take_padded(struct cursor *c, size_t length, struct cursor *ret)
{
	size_t padding = (4 - length % 4) % 4;

	if (!cur_sub(c, length, ret))
		return false;
	/* The last one may lack its padding. */
	return cur_skip(c, padding < cur_left(c) ? padding : cur_left(c));
}

struct error *elf_next_note(struct cursor *notes, struct elf_note *ret, bool *found_ret)
{
	struct cursor c = *notes, name;
	struct elf_note note;
	uint32_t name_size, desc_size;

	*found_ret = false;
	if (!cur_left(&c))
		return NULL;
	if (!cur_u32(&c, &name_size) || !cur_u32(&c, &desc_size) || !cur_u32(&c, &note.type) ||
	    !take_padded(&c, name_size, &name) || !take_padded(&c, desc_size, &note.desc))
		return cur_error(&c, "ELF note");
	note.name = (const char *)name.base;
	note.name_length = strnlen(note.name, name_size);
	*notes = c;
	*ret = note;
	*found_ret = true;
	return NULL;
}

bool elf_note_is(const struct elf_note *note, const char *name, uint32_t type)
{
	return note->type == type && note->name_length == strlen(name) &&
	       !memcmp(note->name, name, note->name_length);
}
