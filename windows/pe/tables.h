/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PE_TABLES_H
#define WINDOWS_PE_TABLES_H

#include "arch/amd64/unwind.h"
#include "windows/pe.h"

/*
 * The tables of an image in memory (Microsoft PE/COFF specification). Every list takes what is
 * captured and counts what is not; strings and arrays live in the caller's arena. Errors:
 * NO_MEMORY, LIMIT (a count above the table's limit), FAULT (nothing of the table is captured),
 * NOT_FOUND (the image has none).
 */
enum {
	PE_MAX_DEBUG_ENTRIES = 64,
	PE_MAX_IMPORT_MODULES = 4096,
	PE_MAX_IMPORTS = 1 << 16,
	PE_MAX_NAME = 1024, /* bytes of a name */
	PE_MAX_TLS_CALLBACKS = 256,
	PE_MAX_VERSION_SIZE = 64 << 10,
	PE_MAX_VERSION_STRINGS = 64,
};

/* What of a list could not be read. */
struct pe_holes {
	size_t count;
	uint64_t first_va; /* if count */
};

struct pe_export_entry {
	uint32_t ordinal;      /* with the base added */
	uint32_t rva;	       /* 0 with a forwarder */
	const char *name;      /* NULL: by ordinal only, or its name is absent */
	const char *forwarder; /* "NTDLL.RtlFoo" or "NTDLL.#5"; NULL: none */
};
struct pe_exports {
	struct pe_export_entry *items; /* by ordinal, then name; unused ordinals are left out */
	size_t count;
	struct pe_holes holes;
};
MUST_CHECK struct error *pe_exports_read(struct space *s, const struct pe_image *pe,
					 struct arena *a, struct pe_exports *ret);

struct pe_import_entry {
	const char *module; /* NULL: absent */
	const char *name;   /* NULL: by ordinal, or absent */
	bool by_ordinal;
	uint16_t ordinal;
	uint64_t slot; /* address of the pointer that the loader filled */
	bool has_target;
	uint64_t target; /* what it holds */
};
struct pe_imports {
	struct pe_import_entry *items; /* in the order of the table */
	size_t count;
	struct pe_holes holes;
};
MUST_CHECK struct error *pe_imports_read(struct space *s, const struct pe_image *pe,
					 struct arena *a, struct pe_imports *ret);

enum { PE_DEBUG_CODEVIEW = 2 };
struct pe_debug_entry {
	uint32_t type, time_date_stamp, size, rva, file_offset; /* rva 0: not loaded */
};
struct pe_debug {
	struct pe_debug_entry items[PE_MAX_DEBUG_ENTRIES];
	size_t count;
	struct pe_holes holes;
};
MUST_CHECK struct error *pe_debug_read(struct space *s, const struct pe_image *pe,
				       struct pe_debug *ret);
/* "codeview", "pogo", ...; NULL: no name is known. */
const char *pe_debug_type_name(uint32_t type);

struct pe_tls {
	uint64_t start, end, index, callbacks; /* addresses, as the image holds them */
	uint32_t zero_fill;
	uint64_t targets[PE_MAX_TLS_CALLBACKS]; /* the callbacks */
	size_t num_targets;
	bool complete; /* the list of callbacks ended in 0 */
};
MUST_CHECK struct error *pe_tls_read(struct space *s, const struct pe_image *pe,
				     struct pe_tls *ret);

struct pe_version_string {
	const char *key, *value;
};
struct pe_version {
	bool has_fixed;
	uint16_t file[4], product[4]; /* 10, 0, 19041, 1526 */
	uint32_t flags, os, type;     /* dwFileFlags, dwFileOS, dwFileType */
	struct pe_version_string strings[PE_MAX_VERSION_STRINGS];
	size_t num_strings;
	bool truncated; /* the resource ends before it says so */
};
/* VS_VERSIONINFO of the image's first version resource. CORRUPT too. */
MUST_CHECK struct error *pe_version_read(struct space *s, const struct pe_image *pe,
					 struct arena *a, struct pe_version *ret);

/* The exception directory's entry that holds rva: a binary search in memory, around pages that
 * are absent. The directory may have any size. */
enum function_lookup pe_find_function(struct space *s, const struct pe_image *pe, uint32_t rva,
				      struct runtime_function *ret);
/* An image in memory as the unwinder asks for it. The space is read for the stack too; it and pe
 * are borrowed. The struct must stay where it is. */
struct pe_unwind_image {
	struct unwind_image image;
	struct space *space;
	const struct pe_image *pe;
};
void pe_unwind_image_init(struct pe_unwind_image *ret, struct space *s, const struct pe_image *pe);

/* Entries that the directory has room for. */
uint32_t pe_num_functions(const struct pe_image *pe);

/* The address and size of a directory; false if the image has none (or only half of one). */
bool pe_directory_find(const struct pe_image *pe, enum pe_directory_index index, uint64_t *va_ret,
		       uint32_t *size_ret);
/* A NUL-terminated string of at most PE_MAX_NAME bytes, ANSI made UTF-8. *ret NULL: its bytes are
 * absent, or it has no end. NO_MEMORY only. */
MUST_CHECK struct error *pe_string(struct space *s, uint64_t va, struct arena *a, const char **ret);
void pe_add_hole(struct pe_holes *holes, uint64_t va);
/* Copies what is captured at the front of [va, va + len); how many bytes. */
size_t pe_read_front(struct space *s, uint64_t va, uint8_t *buf, size_t len);

#endif
