/* SPDX-License-Identifier: MIT */
#include "fake_space.h"

#include "windows/pe/tables.h"

/* An image whose tables the tests write; its headers are not read here. Pages from ABSENT on are
 * not captured. */
enum { ABSENT = 0x7000, DIR = 0x100 };

static struct fake_space *fake;
static struct pe_image pe;
static struct arena arena;

static void must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

static void expect(struct error *err, enum error_code code)
{
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	error_destroy(err);
}

static void setup(void)
{
	fake = calloc(1, sizeof(*fake));
	fake_show(fake, FAKE_BASE, FAKE_BASE + ABSENT);
	fake_open(fake);
	pe = (struct pe_image){
		.base = FAKE_BASE,
		.size_of_image = FAKE_SIZE,
		.num_directories = PE_NUM_DIRECTORIES,
	};
	arena_init(&arena, 64 << 20);
}

static void teardown(void)
{
	arena_deinit(&arena);
	fake_close(fake);
	free(fake);
}

TestSuite(pe_tables, .init = setup, .fini = teardown, .timeout = 60);

static void put32(uint32_t rva, uint32_t value)
{
	store_u32(fake->bytes + rva, value);
}

static void put64(uint32_t rva, uint64_t value)
{
	store_u64(fake->bytes + rva, value);
}

static void put_text(uint32_t rva, const char *text)
{
	strcpy((char *)fake->bytes + rva, text);
}

static void set_directory(enum pe_directory_index index, uint32_t rva, uint32_t size)
{
	pe.directories[index] = (struct pe_directory){ rva, size };
}

Test(pe_tables, tables_that_an_image_lacks_are_not_found)
{
	struct pe_exports exports;
	struct pe_imports imports;
	struct pe_debug debug;
	struct pe_tls tls;
	struct pe_version version;
	struct runtime_function fn;

	expect(pe_exports_read(fake->space, &pe, &arena, &exports), ERROR_NOT_FOUND);
	expect(pe_imports_read(fake->space, &pe, &arena, &imports), ERROR_NOT_FOUND);
	expect(pe_debug_read(fake->space, &pe, &debug), ERROR_NOT_FOUND);
	expect(pe_tls_read(fake->space, &pe, &tls), ERROR_NOT_FOUND);
	expect(pe_version_read(fake->space, &pe, &arena, &version), ERROR_NOT_FOUND);
	cr_expect_eq(pe_find_function(fake->space, &pe, 0, &fn), FUNCTION_NONE);
	pe.num_directories = PE_DIR_TLS;
	set_directory(PE_DIR_TLS, DIR, 0x28);
	expect(pe_tls_read(fake->space, &pe, &tls), ERROR_NOT_FOUND);
}

/* Ordinals 10 to 14: "b", none, "a" and "c", a forwarder, without a name. */
static void build_exports(void)
{
	static const uint16_t ordinals[] = { 2, 0, 2, 3 };
	static const char *const names[] = { "a", "b", "c", "d" };
	static const uint32_t functions[] = { 0x2000, 0, 0x2010, DIR + 0x100, 0x2020 };

	set_directory(PE_DIR_EXPORT, DIR, 0x200);
	put32(DIR + 0x10, 10);
	put32(DIR + 0x14, 5);
	put32(DIR + 0x18, 4);
	put32(DIR + 0x1c, DIR + 0x40);
	put32(DIR + 0x20, DIR + 0x60);
	put32(DIR + 0x24, DIR + 0x80);
	for (unsigned i = 0; i < 5; i++)
		put32(DIR + 0x40 + 4 * i, functions[i]);
	for (unsigned i = 0; i < 4; i++) {
		put32(DIR + 0x60 + 4 * i, DIR + 0xa0 + 4 * i);
		store_u16(fake->bytes + DIR + 0x80 + 2 * i, ordinals[i]);
		put_text(DIR + 0xa0 + 4 * i, names[i]);
	}
	put_text(DIR + 0x100, "NTDLL.RtlFoo");
}

Test(pe_tables, exports_by_ordinal_and_name_with_forwarders)
{
	static const struct pe_export_entry want[] = {
		{ 10, 0x2000, "b", NULL },  { 12, 0x2010, "a", NULL },
		{ 12, 0x2010, "c", NULL },  { 13, 0, "d", "NTDLL.RtlFoo" },
		{ 14, 0x2020, NULL, NULL },
	};
	struct pe_exports exports;

	build_exports();
	must(pe_exports_read(fake->space, &pe, &arena, &exports));
	cr_assert_eq(exports.count, ARRAY_SIZE(want));
	cr_expect_eq(exports.holes.count, 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct pe_export_entry *e = &exports.items[i];

		cr_expect_eq(e->ordinal, want[i].ordinal);
		cr_expect_eq(e->rva, want[i].rva);
		cr_expect_eq(!e->name, !want[i].name);
		cr_expect(!e->name || strcmp(e->name, want[i].name) == 0);
		cr_expect_eq(!e->forwarder, !want[i].forwarder);
	}
}

Test(pe_tables, absent_export_names_are_holes_and_their_functions_stay)
{
	struct pe_exports exports;

	build_exports();
	put32(DIR + 0x64, ABSENT); /* the name of ordinal 10 */
	must(pe_exports_read(fake->space, &pe, &arena, &exports));
	cr_expect_eq(exports.count, 5);
	cr_expect_eq(exports.holes.count, 1);
	cr_expect_eq(exports.holes.first_va, FAKE_BASE + DIR + 0x64);
	cr_expect_eq(exports.items[0].ordinal, 10);
	cr_expect_null(exports.items[0].name);
	put32(DIR + 0x1c, ABSENT); /* all addresses */
	must(pe_exports_read(fake->space, &pe, &arena, &exports));
	cr_expect_eq(exports.count, 0);
	cr_expect_gt(exports.holes.count, 0);
}

Test(pe_tables, export_counts_are_bounded)
{
	struct pe_exports exports;

	build_exports();
	put32(DIR + 0x14, PE_MAX_EXPORTS + 1);
	expect(pe_exports_read(fake->space, &pe, &arena, &exports), ERROR_LIMIT);
	put32(DIR + 0x14, PE_MAX_EXPORTS);
	put32(DIR + 0x18, PE_MAX_EXPORTS);
	must(pe_exports_read(fake->space, &pe, &arena, &exports));
	set_directory(PE_DIR_EXPORT, ABSENT, 0x200);
	expect(pe_exports_read(fake->space, &pe, &arena, &exports), ERROR_FAULT);
}

static void build_imports(void)
{
	set_directory(PE_DIR_IMPORT, DIR, 60);
	put32(DIR, 0x400);
	put32(DIR + 12, 0x500);
	put32(DIR + 16, 0x600);
	put_text(0x500, "hal.dll");
	put64(0x400, 0x540);
	put64(0x408, UINT64_C(1) << 63 | 77);
	put_text(0x542, "HalFoo");
	put64(0x600, 0x1234);
	put64(0x608, 0x5678);
}

Test(pe_tables, imports_by_name_and_ordinal)
{
	struct pe_imports imports;

	build_imports();
	must(pe_imports_read(fake->space, &pe, &arena, &imports));
	cr_assert_eq(imports.count, 2);
	cr_expect_str_eq(imports.items[0].module, "hal.dll");
	cr_expect_str_eq(imports.items[0].name, "HalFoo");
	cr_expect_eq(imports.items[0].slot, FAKE_BASE + 0x600);
	cr_expect(imports.items[0].has_target);
	cr_expect_eq(imports.items[0].target, 0x1234);
	cr_expect(imports.items[1].by_ordinal);
	cr_expect_eq(imports.items[1].ordinal, 77);
	cr_expect_null(imports.items[1].name);
}

Test(pe_tables, imports_without_end_are_bounded)
{
	struct pe_imports imports;

	build_imports();
	put32(DIR, ABSENT); /* the names are gone */
	must(pe_imports_read(fake->space, &pe, &arena, &imports));
	cr_expect_eq(imports.count, 0);
	cr_expect_eq(imports.holes.count, 1);
	build_imports();
	for (uint32_t rva = 0x1000; rva < ABSENT; rva += 8)
		put64(rva, UINT64_C(1) << 63);
	put32(DIR, 0x1000); /* up to the end of what is captured */
	must(pe_imports_read(fake->space, &pe, &arena, &imports));
	cr_expect_eq(imports.count, (ABSENT - 0x1000) / 8);
	cr_expect_eq(imports.holes.count, 1);
}

Test(pe_tables, debug_entries)
{
	struct pe_debug debug;

	set_directory(PE_DIR_DEBUG, ABSENT - 56, 3 * 28 + 5);
	put32(ABSENT - 56 + 12, PE_DEBUG_CODEVIEW);
	put32(ABSENT - 28 + 12, 16);
	must(pe_debug_read(fake->space, &pe, &debug));
	cr_expect_eq(debug.count, 2);
	cr_expect_eq(debug.holes.count, 1);
	cr_expect_eq(debug.items[1].type, 16);
	cr_expect_str_eq(pe_debug_type_name(PE_DEBUG_CODEVIEW), "codeview");
	cr_expect_null(pe_debug_type_name(10));
	cr_expect_null(pe_debug_type_name(UINT32_MAX));
	set_directory(PE_DIR_DEBUG, DIR, UINT32_MAX);
	must(pe_debug_read(fake->space, &pe, &debug));
	cr_expect_eq(debug.count, PE_MAX_DEBUG_ENTRIES);
}

Test(pe_tables, tls_callbacks_end_in_zero)
{
	struct pe_tls tls;

	set_directory(PE_DIR_TLS, DIR, 0x28);
	put64(DIR, FAKE_BASE + 0x10);
	put64(DIR + 8, FAKE_BASE + 0x20);
	put64(DIR + 24, FAKE_BASE + 0x400);
	put64(0x400, 1);
	put64(0x408, 2);
	must(pe_tls_read(fake->space, &pe, &tls));
	cr_expect_eq(tls.num_targets, 2);
	cr_expect(tls.complete);
	put64(DIR + 24, FAKE_BASE + ABSENT);
	must(pe_tls_read(fake->space, &pe, &tls));
	cr_expect_eq(tls.num_targets, 0);
	cr_expect_not(tls.complete);
	for (unsigned i = 0; i <= PE_MAX_TLS_CALLBACKS; i++)
		put64(0x1000 + 8 * i, 1);
	put64(DIR + 24, FAKE_BASE + 0x1000);
	must(pe_tls_read(fake->space, &pe, &tls));
	cr_expect_eq(tls.num_targets, PE_MAX_TLS_CALLBACKS);
	cr_expect_not(tls.complete);
	pe.is_32bit = true;
	put32(DIR + 12, 0);
	must(pe_tls_read(fake->space, &pe, &tls));
	cr_expect_eq(tls.end, (FAKE_BASE + 0x10) >> 32);
}

/* Functions [16 i, 16 i + 8) for i in 1..1500: the table has more than four pages. */
static void build_functions(void)
{
	set_directory(PE_DIR_EXCEPTION, 0x1000, 1500 * RUNTIME_FUNCTION_SIZE);
	for (uint32_t i = 0; i < 1500; i++) {
		put32(0x1000 + 12 * i, 16 * (i + 1));
		put32(0x1000 + 12 * i + 4, 16 * (i + 1) + 8);
		put32(0x1000 + 12 * i + 8, i);
	}
}

Test(pe_tables, functions_are_found_by_rva)
{
	struct runtime_function fn;

	build_functions();
	cr_expect_eq(pe_num_functions(&pe), 1500);
	for (uint32_t rva = 0; rva < 16 * 1502; rva++) {
		bool inside = rva >= 16 && rva < 16 * 1501 && rva % 16 < 8;

		cr_expect_eq(pe_find_function(fake->space, &pe, rva, &fn),
			     inside ? FUNCTION_FOUND : FUNCTION_NONE, "0x%x", rva);
		cr_expect(!inside || fn.info == rva / 16 - 1);
	}
}

Test(pe_tables, functions_are_found_around_absent_pages)
{
	struct fake_space *part = calloc(1, sizeof(*part));
	unsigned found = 0, absent = 0;

	build_functions();
	memcpy(part->bytes, fake->bytes, FAKE_SIZE);
	fake_show(part, FAKE_BASE + 0x1000, FAKE_BASE + 0x2000);
	fake_show(part, FAKE_BASE + 0x4000, FAKE_BASE + 0x5000);
	fake_open(part);
	for (uint32_t i = 0; i < 1500; i++) {
		struct runtime_function fn;
		uint32_t at = 0x1000 + 12 * i;
		bool shown = at + 12 <= 0x2000 || (at >= 0x4000 && at + 12 <= 0x5000);
		enum function_lookup lookup = pe_find_function(part->space, &pe, 16 * (i + 1), &fn);

		cr_expect_eq(lookup, shown ? FUNCTION_FOUND : FUNCTION_ABSENT, "%u", i);
		found += lookup == FUNCTION_FOUND;
		absent += lookup == FUNCTION_ABSENT;
	}
	cr_expect_gt(found, 600);
	cr_expect_gt(absent, 600);
	fake_close(part);
	free(part);
}

/* Writes a version block {length, value length, type, key, padding}; returns where its value is. */
static uint32_t put_block(uint32_t rva, uint16_t length, uint16_t value, uint16_t type,
			  const char *key)
{
	store_u16(fake->bytes + rva, length);
	store_u16(fake->bytes + rva + 2, value);
	store_u16(fake->bytes + rva + 4, type);
	rva += 6;
	do {
		store_u16(fake->bytes + rva, (uint8_t)*key);
		rva += 2;
	} while (*key++);
	return (rva + 3) & ~3U;
}

enum { RESOURCES = 0x1000, VERSION = 0x2000, VERSION_SIZE = 0x140 };

static void build_version(void)
{
	uint32_t at;

	set_directory(PE_DIR_RESOURCE, RESOURCES, 0x200);
	for (unsigned level = 0; level < 3; level++) {
		uint32_t dir = RESOURCES + 0x20 * level;

		store_u16(fake->bytes + dir + 14, 1);
		put32(dir + 16, level == 0 ? 16 : 1);
		put32(dir + 20, level == 2 ? 0x60 : UINT32_C(0x80000000) | 0x20 * (level + 1));
	}
	put32(RESOURCES + 0x60, VERSION);
	put32(RESOURCES + 0x64, VERSION_SIZE);
	at = put_block(VERSION, VERSION_SIZE, 52, 0, "VS_VERSION_INFO");
	put32(at, 0xfeef04bd);
	put32(at + 8, 10 << 16);
	put32(at + 12, 19041 << 16 | 1526);
	put32(at + 16, 10 << 16);
	put32(at + 24, 0x3f);
	put32(at + 28, 0xff);
	put32(at + 36, 3);
	at += 52;
	at = put_block(at, (uint16_t)(VERSION + VERSION_SIZE - at), 0, 1, "StringFileInfo");
	at = put_block(at, (uint16_t)(VERSION + VERSION_SIZE - at), 0, 1, "040904b0");
	at = put_block(at, 0x30, 6, 1, "CompanyName");
	put_block(at - 0x20, 0x30, 6, 1, "CompanyName");
	store_u16(fake->bytes + at, 'A');
	store_u16(fake->bytes + at + 2, 'B');
}

Test(pe_tables, version_resource)
{
	struct pe_version v;

	build_version();
	must(pe_version_read(fake->space, &pe, &arena, &v));
	cr_assert(v.has_fixed);
	cr_expect_eq(v.file[0], 10);
	cr_expect_eq(v.file[2], 19041);
	cr_expect_eq(v.file[3], 1526);
	cr_expect_eq(v.product[0], 10);
	cr_expect_eq(v.flags, 0x3f);
	cr_expect_eq(v.type, 3);
	cr_assert_eq(v.num_strings, 1);
	cr_expect_str_eq(v.strings[0].key, "CompanyName");
	cr_expect_str_eq(v.strings[0].value, "AB");
	cr_expect_not(v.truncated);
}

Test(pe_tables, version_resource_cut_at_every_length)
{
	build_version();
	for (uint32_t size = 0; size < VERSION_SIZE; size++) {
		struct pe_version v;
		struct error *err;

		put32(RESOURCES + 0x64, size);
		err = pe_version_read(fake->space, &pe, &arena, &v);
		if (size < 2)
			expect(err, ERROR_CORRUPT);
		else
			must(err);
		cr_expect(size < 2 || v.truncated);
	}
	put32(RESOURCES + 0x64, PE_MAX_VERSION_SIZE + 1);
	struct pe_version v;

	expect(pe_version_read(fake->space, &pe, &arena, &v), ERROR_LIMIT);
	put32(RESOURCES + 0x64, VERSION_SIZE);
	put32(RESOURCES + 0x60, ABSENT);
	expect(pe_version_read(fake->space, &pe, &arena, &v), ERROR_FAULT);
}

Test(pe_tables, a_resource_directory_that_is_its_own_child_ends)
{
	struct pe_version v;

	build_version();
	put32(RESOURCES + 20, UINT32_C(0x80000000));
	put32(RESOURCES + 0x34, UINT32_C(0x80000020));
	expect(pe_version_read(fake->space, &pe, &arena, &v), ERROR_NOT_FOUND);
}

Test(pe_tables, names_are_bounded)
{
	const char *name;

	memset(fake->bytes + 0x1000, 'n', 2 * PE_MAX_NAME);
	must(pe_string(fake->space, FAKE_BASE + 0x1000, &arena, &name));
	cr_expect_null(name);
	must(pe_string(fake->space, FAKE_BASE + ABSENT - 1, &arena, &name));
	cr_expect_str_eq(name, "");
	fake->bytes[ABSENT - 1] = 'n';
	must(pe_string(fake->space, FAKE_BASE + ABSENT - 1, &arena, &name));
	cr_expect_null(name);
}
