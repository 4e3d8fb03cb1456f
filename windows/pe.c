/* SPDX-License-Identifier: MIT */
#include "windows/pe.h"

#include <stdio.h>
#include <string.h>

#include "base/cursor.h"

/* Offsets of IMAGE_DOS_HEADER, IMAGE_NT_HEADERS64, IMAGE_SECTION_HEADER and
 * IMAGE_DEBUG_DIRECTORY: Microsoft PE/COFF specification. */
enum {
	DOS_MAGIC = 0x5a4d,	 /* "MZ" */
	PE_MAGIC = 0x00004550,	 /* "PE\0\0" */
	RSDS_MAGIC = 0x53445352, /* "RSDS" */
	DOS_HEADER_SIZE = 64,
	DOS_LFANEW = 0x3c,
	MAX_LFANEW = 4096 - 264, /* the fixed part of the headers ends within the first page */
	FILE_HEADER_SIZE = 24,	 /* with the signature */
	OPTIONAL_PE32 = 0x10b,
	OPTIONAL_PE32_PLUS = 0x20b,
	OPTIONAL_FIXED_SIZE = 112, /* PE32+: up to the data directories */
	MACHINE_AMD64 = 0x8664,
	SECTION_HEADER_SIZE = 40,
	DEBUG_ENTRY_SIZE = 28,
	DEBUG_TYPE_CODEVIEW = 2,
	MAX_DEBUG_ENTRIES = 64,
	CODEVIEW_FIXED_SIZE = 24, /* magic, GUID, age */
};

void guid_format(const uint8_t guid[16], char ret[GUID_TEXT_SIZE])
{
	/* three little-endian fields, then bytes as they are */
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < 16; i++)
		snprintf(ret + 2 * i, 3, "%02X", guid[order[i]]);
}

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

/* The optional header's part that has a fixed place; c is at its magic. */
static bool parse_optional(struct cursor *c, struct pe_image *ret, uint32_t *num_directories_ret)
{
	return cur_skip(c, 16) && cur_u32(c, &ret->entry_rva) && cur_skip(c, 4) &&
	       cur_u64(c, &ret->image_base) && cur_skip(c, 8) && cur_u16(c, &ret->os_major) &&
	       cur_u16(c, &ret->os_minor) && cur_skip(c, 12) && cur_u32(c, &ret->size_of_image) &&
	       cur_skip(c, 4) && cur_u32(c, &ret->checksum) && cur_skip(c, 40) &&
	       cur_u32(c, num_directories_ret);
}

static struct error *check_kind(const struct pe_image *pe, uint32_t signature, uint16_t magic)
{
	unsigned long long base = pe->base;

	if (signature != PE_MAGIC)
		return error_new(ERROR_CORRUPT, "image 0x%llx: expected 'PE', found 0x%08x", base,
				 signature);
	if (magic == OPTIONAL_PE32)
		return error_new(ERROR_UNSUPPORTED, "image 0x%llx: PE32 (32-bit) image", base);
	if (magic != OPTIONAL_PE32_PLUS)
		return error_new(ERROR_CORRUPT,
				 "image 0x%llx: optional header magic: expected 0x20b, found 0x%x",
				 base, magic);
	if (pe->machine != MACHINE_AMD64)
		return error_new(ERROR_UNSUPPORTED, "image 0x%llx: machine 0x%04x is not AMD64",
				 base, pe->machine);
	return NULL;
}

static void read_directories(struct space *s, uint64_t va, uint32_t claimed, uint16_t optional_size,
			     struct pe_image *pe)
{
	uint32_t room = optional_size < OPTIONAL_FIXED_SIZE
				? 0
				: (uint32_t)(optional_size - OPTIONAL_FIXED_SIZE) / 8;
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
		section->characteristics = load_u32(header + 36);
	}
}

struct error *pe_read(struct space *s, uint64_t base, struct pe_image *ret)
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
	    !cur_skip(&c, 2))
		return cur_error(&c, "NT headers");
	magic = load_u16(head + FILE_HEADER_SIZE);
	if ((err = check_kind(&pe, signature, magic)))
		return err;
	if (!parse_optional(&c, &pe, &num_directories))
		return cur_error(&c, "optional header");
	if (pe.size_of_image == 0 || base + pe.size_of_image < base)
		return error_new(ERROR_CORRUPT, "image 0x%llx: SizeOfImage 0x%x",
				 (unsigned long long)base, pe.size_of_image);
	uint64_t va = base + lfanew + FILE_HEADER_SIZE;

	read_directories(s, va + OPTIONAL_FIXED_SIZE, num_directories, optional_size, &pe);
	read_sections(s, va + optional_size, num_sections, &pe);
	*ret = pe;
	return NULL;
}

const struct pe_section *pe_find_section(const struct pe_image *pe, const char *name)
{
	for (unsigned i = 0; i < pe->num_sections; i++)
		if (strcmp(pe->sections[i].name, name) == 0)
			return &pe->sections[i];
	return NULL;
}

struct error *codeview_parse(const uint8_t *bytes, size_t len, uint64_t va, struct codeview *ret)
{
	struct codeview cv = { .va = va };
	uint32_t magic;
	struct cursor c;

	cur_init(&c, bytes, len, va);
	if (!cur_u32(&c, &magic) || !cur_copy(&c, cv.guid, sizeof(cv.guid)) ||
	    !cur_u32(&c, &cv.age))
		return cur_error(&c, "CodeView record");
	if (magic != RSDS_MAGIC)
		return error_new(ERROR_CORRUPT,
				 "CodeView record 0x%llx: expected 'RSDS', found 0x%08x",
				 (unsigned long long)va, magic);
	for (size_t i = 0; i < sizeof(cv.name); i++) {
		uint8_t byte;

		if (!cur_u8(&c, &byte))
			break;
		if (byte == '\0') {
			cv.name_complete = true;
			break;
		}
		if (byte < ' ')
			return error_new(ERROR_CORRUPT,
					 "CodeView record 0x%llx: byte 0x%02x in the file name",
					 (unsigned long long)va, byte);
		if (i + 1 < sizeof(cv.name))
			cv.name[i] = (char)byte;
	}
	*ret = cv;
	return NULL;
}

/* Copies what is captured at the front of [va, va + len). */
static size_t read_front(struct space *s, uint64_t va, uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t chunk = PAGE_SIZE - ((va + done) & PAGE_MASK);

		if (chunk > len - done)
			chunk = len - done;
		if (!space_try_read(s, va + done, buf + done, chunk, NULL))
			break;
		done += chunk;
	}
	return done;
}

/* One debug directory entry that points to a CodeView record. */
static struct error *read_codeview(struct space *s, const struct pe_image *pe, uint32_t rva,
				   uint32_t size, struct codeview *ret)
{
	uint8_t record[CODEVIEW_FIXED_SIZE + PE_MAX_CODEVIEW_NAME];
	uint64_t va = pe->base + rva;
	size_t len = size < sizeof(record) ? size : sizeof(record);
	size_t got = read_front(s, va, record, len);

	if (size < CODEVIEW_FIXED_SIZE)
		return error_new(ERROR_CORRUPT,
				 "CodeView record 0x%llx: size %u, expected %u or more",
				 (unsigned long long)va, size, CODEVIEW_FIXED_SIZE);
	if (got < CODEVIEW_FIXED_SIZE)
		return error_fault(va + got, "CodeView record 0x%llx is not captured",
				   (unsigned long long)va);
	return codeview_parse(record, got, va, ret);
}

struct error *pe_codeview(struct space *s, const struct pe_image *pe, struct codeview *ret)
{
	const struct pe_directory *dir = &pe->directories[PE_DIR_DEBUG];
	uint32_t count = dir->size / DEBUG_ENTRY_SIZE;
	uint8_t entry[DEBUG_ENTRY_SIZE];
	struct error *fault = NULL;

	if (pe->num_directories <= PE_DIR_DEBUG || dir->rva == 0 || count == 0)
		return error_new(ERROR_NOT_FOUND, "image 0x%llx has no debug directory",
				 (unsigned long long)pe->base);
	if (count > MAX_DEBUG_ENTRIES)
		count = MAX_DEBUG_ENTRIES;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t va = pe->base + dir->rva + (uint64_t)DEBUG_ENTRY_SIZE * i;

		if (!space_try_read(s, va, entry, sizeof(entry), NULL)) {
			error_destroy(fault);
			fault = error_fault(va, "debug directory entry 0x%llx is not captured",
					    (unsigned long long)va);
			continue;
		}
		if (load_u32(entry + 12) != DEBUG_TYPE_CODEVIEW || load_u32(entry + 20) == 0)
			continue;
		error_destroy(fault);
		return read_codeview(s, pe, load_u32(entry + 20), load_u32(entry + 16), ret);
	}
	return fault ? fault
		     : error_new(ERROR_NOT_FOUND, "image 0x%llx has no CodeView record",
				 (unsigned long long)pe->base);
}
