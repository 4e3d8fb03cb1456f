/* SPDX-License-Identifier: MIT */
#include "windows/pe.h"

#include <string.h>

#include "base/cursor.h"

/* Offsets of IMAGE_DOS_HEADER, IMAGE_NT_HEADERS and IMAGE_SECTION_HEADER: Microsoft PE/COFF
 * specification. */
enum {
	DOS_MAGIC = 0x5a4d,    /* "MZ" */
	PE_MAGIC = 0x00004550, /* "PE\0\0" */
	DOS_HEADER_SIZE = 64,
	DOS_LFANEW = 0x3c,
	MAX_LFANEW = 4096 - 264, /* the fixed part of the headers ends within the first page */
	FILE_HEADER_SIZE = 24,	 /* with the signature */
	OPTIONAL_PE32 = 0x10b,
	OPTIONAL_PE32_PLUS = 0x20b,
	OPTIONAL_FIXED_SIZE = 112, /* PE32+: up to the data directories */
	OPTIONAL_FIXED_SIZE_32 = 96,
	MACHINE_I386 = 0x14c,
	MACHINE_AMD64 = 0x8664,
	SECTION_HEADER_SIZE = 40,
};

static struct error *read_dos_header(struct space *s, uint64_t base, uint32_t *lfanew_ret)
{
	uint8_t dos[DOS_HEADER_SIZE];
	struct error *err = space_read(s, base, dos, sizeof(dos));

	if (err)
		return error_wrap(err, "image 0x%llx: DOS header", (unsigned long long)base);
	if (load_u16(dos) != DOS_MAGIC)
		return error_new(ERROR_CORRUPT, "image 0x%llx: expected 'MZ', found 0x%04x",
				 (unsigned long long)base, load_u16(dos));
	uint32_t lfanew = load_u32(dos + DOS_LFANEW);

	if (lfanew < 4 || lfanew > MAX_LFANEW)
		return error_new(ERROR_CORRUPT, "image 0x%llx: e_lfanew 0x%x is not in 4..0x%x",
				 (unsigned long long)base, lfanew, MAX_LFANEW);
	*lfanew_ret = lfanew;
	return NULL;
}

static uint32_t fixed_size(const struct pe_image *pe)
{
	return pe->is_32bit ? OPTIONAL_FIXED_SIZE_32 : OPTIONAL_FIXED_SIZE;
}

static bool parse_base(struct cursor *c, struct pe_image *ret)
{
	uint32_t base;

	if (!ret->is_32bit)
		return cur_u64(c, &ret->image_base);
	if (!cur_skip(c, 4) || !cur_u32(c, &base)) /* BaseOfData */
		return false;
	ret->image_base = base;
	return true;
}

/* The optional header's part that has a fixed place; c is at its magic. */
static bool parse_optional(struct cursor *c, struct pe_image *ret, uint32_t *num_directories_ret)
{
	return cur_skip(c, 16) && cur_u32(c, &ret->entry_rva) && cur_skip(c, 4) &&
	       parse_base(c, ret) && cur_skip(c, 8) && cur_u16(c, &ret->os_major) &&
	       cur_u16(c, &ret->os_minor) && cur_skip(c, 12) && cur_u32(c, &ret->size_of_image) &&
	       cur_u32(c, &ret->size_of_headers) && cur_u32(c, &ret->checksum) &&
	       cur_u16(c, &ret->subsystem) && cur_u16(c, &ret->dll_characteristics) &&
	       /* the sizes of stack and heap, which are pointers, and LoaderFlags */
	       cur_skip(c, ret->is_32bit ? 20 : 36) && cur_u32(c, num_directories_ret);
}

static struct error *check_kind(struct pe_image *pe, uint32_t signature, uint16_t magic, bool any)
{
	unsigned long long base = pe->base;

	pe->is_32bit = magic == OPTIONAL_PE32;
	if (signature != PE_MAGIC)
		return error_new(ERROR_CORRUPT, "image 0x%llx: expected 'PE', found 0x%08x", base,
				 signature);
	if (pe->is_32bit && !any)
		return error_new(ERROR_UNSUPPORTED, "image 0x%llx: PE32 (32-bit) image", base);
	if (magic != OPTIONAL_PE32 && magic != OPTIONAL_PE32_PLUS)
		return error_new(ERROR_CORRUPT,
				 "image 0x%llx: optional header magic: expected 0x20b, found 0x%x",
				 base, magic);
	if (pe->machine != (pe->is_32bit ? MACHINE_I386 : MACHINE_AMD64))
		return error_new(ERROR_UNSUPPORTED, "image 0x%llx: machine 0x%04x is not AMD64",
				 base, pe->machine);
	return NULL;
}

static void read_directories(struct space *s, uint64_t va, uint32_t claimed, uint16_t optional_size,
			     struct pe_image *pe)
{
	uint32_t fixed = fixed_size(pe);
	uint32_t room = optional_size < fixed ? 0 : (optional_size - fixed) / 8;
	uint32_t count = claimed < room ? claimed : room;
	uint8_t entry[8];

	for (uint32_t i = 0; i < count && i < PE_NUM_DIRECTORIES; i++) {
		if (!space_try_read(s, va + 8 * i, entry, sizeof(entry), NULL))
			break;
		pe->directories[i].rva = load_u32(entry);
		pe->directories[i].size = load_u32(entry + 4);
		pe->num_directories = i + 1;
	}
}

static void read_sections(struct space *s, uint64_t va, uint32_t claimed, struct pe_image *pe)
{
	uint8_t header[SECTION_HEADER_SIZE];

	for (uint32_t i = 0; i < claimed && i < PE_MAX_SECTIONS; i++) {
		if (!space_try_read(s, va + (uint64_t)SECTION_HEADER_SIZE * i, header,
				    sizeof(header), NULL))
			continue;
		struct pe_section *section = &pe->sections[pe->num_sections++];

		memcpy(section->name, header, 8);
		section->name[8] = '\0';
		section->virtual_size = load_u32(header + 8);
		section->rva = load_u32(header + 12);
		section->raw_size = load_u32(header + 16);
		section->raw_offset = load_u32(header + 20);
		section->characteristics = load_u32(header + 36);
	}
}

static struct error *read_headers(struct space *s, uint64_t base, bool any, struct pe_image *ret)
{
	uint8_t head[FILE_HEADER_SIZE + OPTIONAL_FIXED_SIZE];
	struct pe_image pe = { .base = base };
	uint32_t lfanew = 0, signature, num_directories;
	uint16_t num_sections, optional_size, magic;
	struct error *err = read_dos_header(s, base, &lfanew);
	struct cursor c;

	if (err)
		return err;
	if ((err = space_read(s, base + lfanew, head, sizeof(head))))
		return error_wrap(err, "image 0x%llx: NT headers", (unsigned long long)base);
	cur_init(&c, head, sizeof(head), base + lfanew);
	if (!cur_u32(&c, &signature) || !cur_u16(&c, &pe.machine) || !cur_u16(&c, &num_sections) ||
	    !cur_u32(&c, &pe.time_date_stamp) || !cur_skip(&c, 8) || !cur_u16(&c, &optional_size) ||
	    !cur_u16(&c, &pe.characteristics))
		return cur_error(&c, "NT headers");
	magic = load_u16(head + FILE_HEADER_SIZE);
	if ((err = check_kind(&pe, signature, magic, any)))
		return err;
	if (!parse_optional(&c, &pe, &num_directories))
		return cur_error(&c, "optional header");
	if (pe.size_of_image == 0 || base + pe.size_of_image < base)
		return error_new(ERROR_CORRUPT, "image 0x%llx: SizeOfImage 0x%x",
				 (unsigned long long)base, pe.size_of_image);
	uint64_t va = base + lfanew + FILE_HEADER_SIZE;

	read_directories(s, va + fixed_size(&pe), num_directories, optional_size, &pe);
	pe.num_sections_claimed = num_sections;
	read_sections(s, va + optional_size, num_sections, &pe);
	*ret = pe;
	return NULL;
}

struct error *pe_read(struct space *s, uint64_t base, struct pe_image *ret)
{
	return read_headers(s, base, false, ret);
}

struct error *pe_read_any(struct space *s, uint64_t base, struct pe_image *ret)
{
	return read_headers(s, base, true, ret);
}

const struct pe_section *pe_find_section(const struct pe_image *pe, const char *name)
{
	for (unsigned i = 0; i < pe->num_sections; i++)
		if (strcmp(pe->sections[i].name, name) == 0)
			return &pe->sections[i];
	return NULL;
}

bool pe_is_code(const struct pe_image *pe, uint32_t rva)
{
	for (unsigned i = 0; i < pe->num_sections; i++) {
		const struct pe_section *section = &pe->sections[i];
		/* some linkers leave it to the size in the file */
		uint32_t size = section->virtual_size ? section->virtual_size : section->raw_size;

		if (rva >= section->rva && rva - section->rva < size)
			return section->characteristics & PE_SECTION_EXECUTE;
	}
	/* a section whose header is absent may be anything */
	return pe->num_sections < pe->num_sections_claimed;
}
