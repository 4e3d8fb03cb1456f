/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/pe.h"
#include "windows/pe/tables.h"

/* IMAGE_DEBUG_DIRECTORY and the CodeView record: Microsoft PE/COFF specification. */
enum {
	RSDS_MAGIC = 0x53445352, /* "RSDS" */
	DEBUG_ENTRY_SIZE = 28,
	CODEVIEW_FIXED_SIZE = 24, /* magic, GUID, age */
};

void guid_format(const uint8_t guid[16], char ret[GUID_TEXT_SIZE])
{
	/* three little-endian fields, then bytes as they are */
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < 16; i++)
		snprintf(ret + 2 * i, 3, "%02X", guid[order[i]]);
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

/* One debug directory entry that points to a CodeView record. */
static struct error *read_codeview(struct space *s, const struct pe_image *pe, uint32_t rva,
				   uint32_t size, struct codeview *ret)
{
	uint8_t record[CODEVIEW_FIXED_SIZE + PE_MAX_CODEVIEW_NAME];
	uint64_t va = pe->base + rva;
	size_t len = size < sizeof(record) ? size : sizeof(record);
	size_t got = pe_read_front(s, va, record, len);

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
	if (count > PE_MAX_DEBUG_ENTRIES)
		count = PE_MAX_DEBUG_ENTRIES;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t va = pe->base + dir->rva + (uint64_t)DEBUG_ENTRY_SIZE * i;

		if (!space_try_read(s, va, entry, sizeof(entry), NULL)) {
			error_destroy(fault);
			fault = error_fault(va, "debug directory entry 0x%llx is not captured",
					    (unsigned long long)va);
			continue;
		}
		if (load_u32(entry + 12) != PE_DEBUG_CODEVIEW || load_u32(entry + 20) == 0)
			continue;
		error_destroy(fault);
		return read_codeview(s, pe, load_u32(entry + 20), load_u32(entry + 16), ret);
	}
	return fault ? fault
		     : error_new(ERROR_NOT_FOUND, "image 0x%llx has no CodeView record",
				 (unsigned long long)pe->base);
}

struct error *pe_debug_read(struct space *s, const struct pe_image *pe, struct pe_debug *ret)
{
	uint8_t entry[DEBUG_ENTRY_SIZE];
	uint64_t va;
	uint32_t size;

	*ret = (struct pe_debug){ .count = 0 };
	if (!pe_directory_find(pe, PE_DIR_DEBUG, &va, &size) || size < DEBUG_ENTRY_SIZE)
		return error_new(ERROR_NOT_FOUND, "image 0x%llx has no debug directory",
				 (unsigned long long)pe->base);
	for (uint32_t i = 0; i < size / DEBUG_ENTRY_SIZE && i < PE_MAX_DEBUG_ENTRIES; i++) {
		uint64_t at = va + (uint64_t)DEBUG_ENTRY_SIZE * i;

		if (!space_try_read(s, at, entry, sizeof(entry), NULL)) {
			pe_add_hole(&ret->holes, at);
			continue;
		}
		ret->items[ret->count++] = (struct pe_debug_entry){
			.time_date_stamp = load_u32(entry + 4),
			.type = load_u32(entry + 12),
			.size = load_u32(entry + 16),
			.rva = load_u32(entry + 20),
			.file_offset = load_u32(entry + 24),
		};
	}
	return NULL;
}

const char *pe_debug_type_name(uint32_t type)
{
	/* IMAGE_DEBUG_TYPE_* of winnt.h */
	static const char *const names[] = {
		[1] = "coff",
		[2] = "codeview",
		[3] = "fpo",
		[4] = "misc",
		[5] = "exception",
		[6] = "fixup",
		[7] = "omap_to_source",
		[8] = "omap_from_source",
		[9] = "borland",
		[11] = "clsid",
		[12] = "vc_feature",
		[13] = "pogo",
		[14] = "iltcg",
		[15] = "mpx",
		[16] = "repro",
		[20] = "ex_dll_characteristics",
	};

	return type < ARRAY_SIZE(names) ? names[type] : NULL;
}
