/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PE_H
#define WINDOWS_PE_H

#include "memory/space.h"

/*
 * PE images as they lie in memory (RVA = offset): headers, CodeView record, exports by name;
 * further tables are in windows/pe/tables.h. Layout: Microsoft PE/COFF specification. Any page of
 * the image may be absent; what cannot be read is said, never guessed.
 */
enum {
	PE_NUM_DIRECTORIES = 16,
	PE_MAX_SECTIONS = 96, /* the loader's own limit */
	PE_MAX_EXPORTS = 1 << 16,
	PE_MAX_CODEVIEW_NAME = 260,
};
enum pe_directory_index {
	PE_DIR_EXPORT = 0,
	PE_DIR_IMPORT = 1,
	PE_DIR_RESOURCE = 2,
	PE_DIR_EXCEPTION = 3,
	PE_DIR_DEBUG = 6,
	PE_DIR_TLS = 9,
};
enum pe_section_flag { PE_SECTION_EXECUTE = 0x20000000 };

struct pe_section {
	char name[9];
	uint32_t rva, virtual_size, characteristics;
	uint32_t raw_offset, raw_size; /* in the file */
};

struct pe_directory {
	uint32_t rva, size;
};

struct pe_image {
	uint64_t base;
	uint64_t image_base; /* of the optional header: the loader writes the real base there */
	uint16_t machine;    /* 0x8664; 0x14c with is_32bit */
	bool is_32bit;	     /* PE32: only from pe_read_any() */
	uint16_t os_major, os_minor;
	uint16_t characteristics, subsystem, dll_characteristics;
	uint32_t time_date_stamp, size_of_image, size_of_headers, checksum, entry_rva;
	unsigned num_directories;
	struct pe_directory directories[PE_NUM_DIRECTORIES];
	unsigned num_sections;	       /* those that were readable */
	unsigned num_sections_claimed; /* by the header */
	struct pe_section sections[PE_MAX_SECTIONS];
};

struct codeview {
	uint8_t guid[16]; /* as stored: first three fields little-endian */
	uint32_t age;
	char name[PE_MAX_CODEVIEW_NAME];
	bool name_complete; /* false: the name ran into an absent page */
	uint64_t va;	    /* of the RSDS record */
};
enum { GUID_TEXT_SIZE = 33 };
/* 32 upper-case hex digits, no dashes, in the order that symbol stores use. */
void guid_format(const uint8_t guid[16], char ret[GUID_TEXT_SIZE]);

/* Reads the headers at base. Errors: FAULT (header page absent), CORRUPT (not a PE32+). */
MUST_CHECK struct error *pe_read(struct space *s, uint64_t base, struct pe_image *ret);
/* The same, which takes PE32 images for x86 too. */
MUST_CHECK struct error *pe_read_any(struct space *s, uint64_t base, struct pe_image *ret);
/* The image's RSDS record. NOT_FOUND when it has none; FAULT when it is absent. */
MUST_CHECK struct error *pe_codeview(struct space *s, const struct pe_image *pe,
				     struct codeview *ret);
/* Parses an RSDS record whose first len bytes are at hand. */
MUST_CHECK struct error *codeview_parse(const uint8_t *bytes, size_t len, uint64_t va,
					struct codeview *ret);
/* RVA of an export by name (binary search as the loader does, then a linear pass where pages are
 * absent). NOT_FOUND: it surely has no such export; FAULT: a needed page is absent; UNSUPPORTED:
 * a forwarder. */
MUST_CHECK struct error *pe_export(struct space *s, const struct pe_image *pe, const char *name,
				   uint32_t *rva_ret);
/* The module's own name in its export directory. */
MUST_CHECK struct error *pe_export_module_name(struct space *s, const struct pe_image *pe,
					       char *ret, size_t size);
/* Is the RVA in a section that may be executed? */
bool pe_is_code(const struct pe_image *pe, uint32_t rva);
const struct pe_section *pe_find_section(const struct pe_image *pe, const char *name);

#endif
