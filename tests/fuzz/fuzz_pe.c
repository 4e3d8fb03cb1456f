/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "windows/pe/layout.h"
#include "windows/pe/tables.h"

/*
 * The first byte says which of the first eight pages are absent; the rest is memory at BASE.
 */
#define BASE UINT64_C(0xfffff80000000000)
enum { MAX_INPUT = 64 << 10, ARENA_LIMIT = 32 << 20 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_image(struct space *s, const struct pe_image *pe)
{
	struct codeview cv;
	char name[64];
	uint32_t rva;

	check(pe->num_sections <= PE_MAX_SECTIONS);
	check(pe->num_directories <= PE_NUM_DIRECTORIES);
	for (unsigned i = 0; i < pe->num_sections; i++)
		check(strlen(pe->sections[i].name) <= 8);
	struct error *err = pe_codeview(s, pe, &cv);

	check(err || strlen(cv.name) < PE_MAX_CODEVIEW_NAME);
	error_destroy(err);
	err = pe_export_module_name(s, pe, name, sizeof(name));
	check(err || strlen(name) < sizeof(name));
	error_destroy(err);
	err = pe_export(s, pe, "PsInitialSystemProcess", &rva);
	check(err || (rva && rva < pe->size_of_image));
	error_destroy(err);
}

/* Where a rebuilt file has its bytes from. */
static void check_layout(struct space *s, const struct pe_image *pe)
{
	struct pe_file_layout layout;
	uint8_t bytes[64];
	uint64_t end = 0;

	pe_file_layout(pe, &layout);
	check(layout.count <= PE_MAX_FILE_RANGES);
	for (size_t i = 0; i < layout.count; i++) {
		const struct pe_file_range *r = &layout.ranges[i];
		size_t part = r->mapped < sizeof(bytes) ? (size_t)r->mapped : sizeof(bytes);

		check(r->offset >= end && r->size > 0 && r->mapped <= r->size);
		check(!r->mapped || r->rva + r->mapped <= pe->size_of_image);
		end = r->offset + r->size;
		check(space_read_partial(s, pe->base + r->rva, bytes, part, NULL, NULL) <= part);
	}
	/* offsets and sizes are of 32 bits, and no byte is there twice */
	check(end <= UINT64_C(2) << 32);
}

/* Every table, as long as the reader says that it is one. */
static void check_tables(struct space *s, const struct pe_image *pe)
{
	struct pe_exports exports = { .count = 0 };
	struct pe_imports imports = { .count = 0 };
	struct pe_version version = { .num_strings = 0 };
	struct pe_debug debug = { .count = 0 };
	struct pe_tls tls = { .num_targets = 0 };
	struct runtime_function fn;
	struct arena a;

	arena_init(&a, ARENA_LIMIT);
	error_destroy(pe_exports_read(s, pe, &a, &exports));
	for (size_t i = 0; i < exports.count; i++)
		check(!exports.items[i].forwarder == (exports.items[i].rva != 0));
	arena_reset(&a);
	error_destroy(pe_imports_read(s, pe, &a, &imports));
	check(imports.count <= PE_MAX_IMPORTS);
	arena_reset(&a);
	error_destroy(pe_version_read(s, pe, &a, &version));
	for (size_t i = 0; i < version.num_strings; i++)
		check(version.strings[i].key && version.strings[i].value);
	arena_deinit(&a);
	error_destroy(pe_debug_read(s, pe, &debug));
	error_destroy(pe_tls_read(s, pe, &tls));
	check(debug.count <= PE_MAX_DEBUG_ENTRIES && tls.num_targets <= PE_MAX_TLS_CALLBACKS);
	for (uint32_t rva = 0; rva < 0x8000; rva += 0x777) {
		if (pe_find_function(s, pe, rva, &fn) == FUNCTION_FOUND)
			check(rva >= fn.begin && rva < fn.end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtmem *mem = NULL;
	struct space *s = NULL;
	struct pe_image pe;
	struct error *err;

	if (size < 2 || size > MAX_INPUT)
		return 0;
	struct file file = { .fd = -1, .bytes = data + 1, .size = size - 1 };

	err = virtmem_create(&mem);
	for (uint64_t at = 0; !err && at < file.size; at += PAGE_SIZE) {
		uint64_t len = file.size - at < PAGE_SIZE ? file.size - at : PAGE_SIZE;

		if (at / PAGE_SIZE >= 8 || !(data[0] >> at / PAGE_SIZE & 1))
			err = virtmem_add(mem, BASE + at, len, &file, at);
	}
	check(!err);
	err = virtmem_seal(mem);
	check(!err);
	err = space_create_virtual(mem, &s);
	check(!err);
	err = pe_read_any(s, BASE, &pe);
	if (!err) {
		check_image(s, &pe);
		check_tables(s, &pe);
		check_layout(s, &pe);
	}
	error_destroy(err);
	space_destroy(s);
	virtmem_destroy(mem);
	return 0;
}
