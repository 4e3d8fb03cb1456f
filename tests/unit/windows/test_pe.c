/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "fake_kernel.h"
#include "fake_space.h"
#include "windows/pe.h"

#define BASE FAKE_BASE

static struct fake_space *fake;

static void setup(void)
{
	fake = calloc(1, sizeof(*fake));
	fake_kernel_build(fake->bytes, BASE, BASE + 0x5000);
}

static void teardown(void)
{
	fake_close(fake);
	free(fake);
}

TestSuite(pe, .init = setup, .fini = teardown, .timeout = 60);

static void expect(struct error *err, enum error_code code, const char *part)
{
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), part), "'%s' lacks '%s'", error_message(err),
			   part);
	error_destroy(err);
}

static void must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

Test(pe, reads_headers_sections_and_directories)
{
	struct pe_image pe;

	must(pe_read(fake_open(fake), BASE, &pe));
	cr_expect_eq(pe.base, BASE);
	cr_expect_eq(pe.image_base, BASE);
	cr_expect_eq(pe.machine, 0x8664);
	cr_expect_eq(pe.os_major, 10);
	cr_expect_eq(pe.time_date_stamp, 0x5a9533cd);
	cr_expect_eq(pe.size_of_image, (uint32_t)FAKE_KERNEL_SIZE);
	cr_expect_eq(pe.checksum, 0x1234);
	cr_expect_eq(pe.entry_rva, 0x4000);
	cr_expect_eq(pe.num_directories, 16);
	cr_expect_eq(pe.directories[PE_DIR_EXPORT].rva, (uint32_t)FAKE_EXPORT_DIR);
	cr_expect_eq(pe.num_sections, 5);
	cr_expect_eq(pe_find_section(&pe, "POOLCODE")->rva, 0x4000);
	cr_expect_null(pe_find_section(&pe, "POOL"));
}

Test(pe, headers_cut_at_every_length_are_a_fault_or_less)
{
	const unsigned fixed_end = FAKE_OPTIONAL + 112;

	for (unsigned len = 1; len < FAKE_OPTIONAL + 240 + 5 * 40; len++) {
		struct fake_space *cut = calloc(1, sizeof(*cut));
		struct pe_image pe = { .base = 1 };

		memcpy(cut->bytes, fake->bytes, FAKE_KERNEL_BYTES);
		fake_show(cut, BASE, BASE + len);
		struct error *err = pe_read(fake_open(cut), BASE, &pe);
		uint64_t address;

		if (len < fixed_end) {
			cr_assert_not_null(err);
			cr_expect_eq(error_code(err), ERROR_FAULT);
			/* between the two headers nothing is read */
			unsigned at = len >= 64 && len < FAKE_LFANEW ? FAKE_LFANEW : len;

			cr_expect(error_address(err, &address) && address == BASE + at);
			cr_expect_eq(pe.base, 1, "untouched on failure");
			error_destroy(err);
		} else {
			must(err);
			unsigned directories = (len - fixed_end) / 8;
			unsigned past = FAKE_OPTIONAL + 240;

			cr_expect_eq(pe.num_directories, directories < 16 ? directories : 16);
			cr_expect_eq(pe.num_sections, len < past ? 0 : (len - past) / 40);
		}
		fake_close(cut);
		free(cut);
	}
	fake_open(fake);
}

/* One byte or word that makes it no image. */
static const struct {
	unsigned offset, size;
	uint32_t value;
	enum error_code code;
	const char *part;
} bad_headers[] = {
	{ 0, 2, 0x4d5b, ERROR_CORRUPT, "expected 'MZ'" },
	{ 0x3c, 4, 0, ERROR_CORRUPT, "e_lfanew 0x0" },
	{ 0x3c, 4, 0xffffffff, ERROR_CORRUPT, "e_lfanew 0xffffffff" },
	{ FAKE_LFANEW, 4, 0x4550ff, ERROR_CORRUPT, "expected 'PE'" },
	{ FAKE_LFANEW + 4, 2, 0xaa64, ERROR_UNSUPPORTED, "machine 0xaa64" },
	{ FAKE_OPTIONAL, 2, 0x10b, ERROR_UNSUPPORTED, "PE32 (32-bit)" },
	{ FAKE_OPTIONAL, 2, 0x107, ERROR_CORRUPT, "expected 0x20b, found 0x107" },
	{ FAKE_OPTIONAL + 56, 4, 0, ERROR_CORRUPT, "SizeOfImage 0x0" },
};

Test(pe, names_what_is_wrong_with_headers)
{
	struct space *s = fake_open(fake);
	struct pe_image pe;

	for (size_t i = 0; i < ARRAY_SIZE(bad_headers); i++) {
		uint8_t *at = fake->bytes + bad_headers[i].offset;
		uint32_t old = load_u32(at);

		if (bad_headers[i].size == 2)
			store_u16(at, (uint16_t)bad_headers[i].value);
		else
			store_u32(at, bad_headers[i].value);
		expect(pe_read(s, BASE, &pe), bad_headers[i].code, bad_headers[i].part);
		store_u32(at, old);
	}
}

Test(pe, code_in_a_section_without_virtual_size)
{
	const struct pe_image pe = {
		.num_sections = 1,
		.num_sections_claimed = 1,
		.sections = { { .rva = 0x1000,
				.raw_size = 0x200,
				.characteristics = PE_SECTION_EXECUTE } },
	};

	cr_expect(pe_is_code(&pe, 0x1000));
	cr_expect(pe_is_code(&pe, 0x11ff));
	cr_expect_not(pe_is_code(&pe, 0x1200));
	cr_expect_not(pe_is_code(&pe, 0xfff));
}

Test(pe, counts_at_their_maximum_are_bounded)
{
	struct space *s = fake_open(fake);
	struct pe_image pe;
	struct codeview cv;
	uint32_t rva;

	store_u16(fake->bytes + FAKE_LFANEW + 6, 0xffff);
	store_u32(fake->bytes + FAKE_OPTIONAL + 108, 0xffffffff);
	must(pe_read(s, BASE, &pe));
	cr_expect_eq(pe.num_directories, 16);
	cr_expect_leq(pe.num_sections, (unsigned)PE_MAX_SECTIONS);
	store_u32(fake->bytes + FAKE_OPTIONAL + 116 + 8 * 6, 0xffffffff);
	must(pe_read(s, BASE, &pe));
	must(pe_codeview(s, &pe, &cv));
	store_u32(fake->bytes + FAKE_EXPORT_DIR + 0x18, 0xffffffff);
	expect(pe_export(s, &pe, FAKE_SYSTEM_EXPORT, &rva), ERROR_LIMIT, "4294967295 export names");
}

Test(pe, codeview_is_read_past_other_debug_entries)
{
	struct space *s = fake_open(fake);
	struct pe_image pe;
	struct codeview cv;
	char guid[GUID_TEXT_SIZE];

	must(pe_read(s, BASE, &pe));
	must(pe_codeview(s, &pe, &cv));
	guid_format(cv.guid, guid);
	cr_expect_str_eq(guid, "030201000504070608090A0B0C0D0E0F");
	cr_expect_eq(cv.age, 1);
	cr_expect_str_eq(cv.name, "ntkrnlmp.pdb");
	cr_expect(cv.name_complete);
	cr_expect_eq(cv.va, BASE + FAKE_RSDS);
}

Test(pe, codeview_name_may_run_into_an_absent_page)
{
	struct pe_image pe;
	struct codeview cv;

	memmove(fake->bytes + 0x2000 - 32, fake->bytes + FAKE_RSDS, 32);
	store_u32(fake->bytes + FAKE_DEBUG_DIR + 28 + 20, 0x2000 - 32);
	fake_show(fake, BASE, BASE + 0x2000);
	struct space *s = fake_open(fake);

	must(pe_read(s, BASE, &pe));
	must(pe_codeview(s, &pe, &cv));
	cr_expect_str_eq(cv.name, "ntkrnlmp");
	cr_expect_not(cv.name_complete);
}

Test(pe, codeview_absent_or_missing)
{
	struct pe_image pe;
	struct codeview cv;

	fake_show(fake, BASE, BASE + 0x1000);
	struct space *s = fake_open(fake);

	must(pe_read(s, BASE, &pe));
	expect(pe_codeview(s, &pe, &cv), ERROR_FAULT, "is not captured");
	pe.directories[PE_DIR_DEBUG].rva = 0;
	expect(pe_codeview(s, &pe, &cv), ERROR_NOT_FOUND, "no debug directory");
}

Test(pe, codeview_record_cut_at_every_length)
{
	const uint8_t *record = fake->bytes + FAKE_RSDS;
	struct codeview cv;

	fake_open(fake);
	for (size_t len = 0; len <= FAKE_RSDS_SIZE; len++) {
		struct error *err = codeview_parse(record, len, 0x1000, &cv);

		if (len < 24) {
			expect(err, ERROR_CORRUPT, "truncated at");
			continue;
		}
		must(err);
		cr_expect_eq(cv.name_complete, len == FAKE_RSDS_SIZE);
		cr_expect_eq(strlen(cv.name), len == FAKE_RSDS_SIZE ? 12 : len - 24);
	}
	fake->bytes[FAKE_RSDS + 26] = 0x07;
	expect(codeview_parse(record, FAKE_RSDS_SIZE, 0x1000, &cv), ERROR_CORRUPT, "byte 0x07");
	fake->bytes[FAKE_RSDS] = 'N';
	expect(codeview_parse(record, FAKE_RSDS_SIZE, 0x1000, &cv), ERROR_CORRUPT, "'RSDS'");
}

Test(pe, a_name_without_end_is_bounded)
{
	uint8_t record[24 + 4 * PE_MAX_CODEVIEW_NAME];
	struct codeview cv;

	fake_open(fake);
	memset(record, 'n', sizeof(record));
	memcpy(record, "RSDS", 4);
	must(codeview_parse(record, sizeof(record), 0, &cv));
	cr_expect_not(cv.name_complete);
	cr_expect_eq(strlen(cv.name), PE_MAX_CODEVIEW_NAME - 1);
}

Test(pe, exports_by_name)
{
	struct space *s = fake_open(fake);
	struct pe_image pe;
	uint32_t rva = 0;
	char name[32];

	must(pe_read(s, BASE, &pe));
	must(pe_export(s, &pe, FAKE_SYSTEM_EXPORT, &rva));
	cr_expect_eq(rva, (uint32_t)FAKE_SYSTEM_POINTER);
	must(pe_export(s, &pe, "NtBuildNumber", &rva));
	cr_expect_eq(rva, 0x2010);
	must(pe_export(s, &pe, "PsLoadedModuleList", &rva));
	cr_expect_eq(rva, 0x2020);
	expect(pe_export(s, &pe, "PsLoadedModule", &rva), ERROR_NOT_FOUND, "no export");
	expect(pe_export(s, &pe, "", &rva), ERROR_NOT_FOUND, "no export");
	expect(pe_export(s, &pe, "NtForwarded", &rva), ERROR_UNSUPPORTED, "forwarder");
	must(pe_export_module_name(s, &pe, name, sizeof(name)));
	cr_expect_str_eq(name, "ntoskrnl.exe");
	expect(pe_export_module_name(s, &pe, name, 5), ERROR_LIMIT, "longer than 5");
}

Test(pe, an_absent_name_does_not_hide_the_others)
{
	struct pe_image pe;
	uint32_t rva = 0;

	/* the middle of the binary search lies in an absent page */
	store_u32(fake->bytes + FAKE_NAMES + 4 * 2, 0x6000);
	fake_show(fake, BASE, BASE + FAKE_KERNEL_BYTES);
	struct space *s = fake_open(fake);

	must(pe_read(s, BASE, &pe));
	must(pe_export(s, &pe, "PsLoadedModuleList", &rva));
	cr_expect_eq(rva, 0x2020);
	expect(pe_export(s, &pe, FAKE_SYSTEM_EXPORT, &rva), ERROR_FAULT, "not captured");
}

Test(pe, a_name_at_the_end_of_captured_memory_needs_no_more_bytes)
{
	const uint32_t end = FAKE_KERNEL_BYTES;
	struct pe_image pe;
	uint32_t rva = 0;

	memcpy(fake->bytes + end - 3, "Nt", 3);
	store_u32(fake->bytes + FAKE_NAMES + 4 * 2, end - 3);
	fake_show(fake, BASE, BASE + end);
	struct space *s = fake_open(fake);

	must(pe_read(s, BASE, &pe));
	must(pe_export(s, &pe, "Nt", &rva));
	cr_expect_eq(rva, (uint32_t)FAKE_SYSTEM_POINTER);
}

Test(pe, damaged_exports_are_named)
{
	struct space *s = fake_open(fake);
	struct pe_image pe;
	uint32_t rva;

	must(pe_read(s, BASE, &pe));
	store_u16(fake->bytes + FAKE_ORDINALS + 2 * 2, 0xffff);
	expect(pe_export(s, &pe, FAKE_SYSTEM_EXPORT, &rva), ERROR_CORRUPT, "ordinal 65535 of 4");
	store_u16(fake->bytes + FAKE_ORDINALS + 2 * 2, 0);
	store_u32(fake->bytes + FAKE_FUNCTIONS, 0xfffffff0);
	expect(pe_export(s, &pe, FAKE_SYSTEM_EXPORT, &rva), ERROR_CORRUPT, "RVA 0xfffffff0");
	pe.directories[PE_DIR_EXPORT].rva = 0x7fff0000;
	expect(pe_export(s, &pe, FAKE_SYSTEM_EXPORT, &rva), ERROR_FAULT, "export directory");
}
