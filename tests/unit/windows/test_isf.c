/* SPDX-License-Identifier: MIT */
#include <lzma.h>
#include <stdlib.h>

#include "isf_fixture.h"
#include "source_checks.h"

static struct profile_source *open_fixture(void)
{
	struct profile_source *src = NULL;
	struct error *err = fixture_parse(FIXTURE_JSON, &src);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return src;
}

static void expect_error(const char *text, enum error_code code, const char *part)
{
	struct profile_source *src = NULL;
	struct error *err = fixture_parse(text, &src);

	cr_assert_not_null(err, "%s", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect(strstr(error_message(err), part), "%s", error_message(err));
	cr_expect_null(src);
	error_destroy(err);
}

Test(isf, identity)
{
	static const uint8_t guid[16] = { 0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
					  0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	struct profile_source *src = open_fixture();
	const struct symbol_identity *id = isf_identity(src);

	cr_expect_arr_eq(id->guid, guid, 16);
	cr_expect_eq(id->age, 2);
	cr_expect_str_eq(id->pdb_name, "ntkrnlmp.pdb");
	src->ops->destroy(src);
}

Test(isf, fields_of_every_kind)
{
	struct profile_source *src = open_fixture();

	expect_field(src, "Id", 4, 4);
	expect_field(src, "Next", 8, 8);
	expect_field(src, "Name", 16, 15);
	expect_field(src, "State", 32, 4);
	expect_field(src, "Inner", 40, 8);
	expect_field(src, "Inners", 40, 16);
	expect_no_field(src, "_ITEM", "Routine");
	expect_no_field(src, "_ITEM", "Missing");
	expect_no_field(src, "_MISSING", "Id");
	expect_no_field(src, "_ITEM", "");
	src->ops->destroy(src);
}

Test(isf, paths_enter_members_but_not_pointers)
{
	struct profile_source *src = open_fixture();

	expect_field(src, "Inner.Low", 42, 1);
	expect_field(src, "Inners.Low", 42, 1);
	expect_no_field(src, "_ITEM", "Next.Id");
	expect_no_field(src, "_ITEM", "Id.Low");
	expect_no_field(src, "_ITEM", "Inner.");
	expect_no_field(src, "_ITEM", ".Inner");
	src->ops->destroy(src);
}

Test(isf, unnamed_members_are_searched_nearest_first)
{
	struct profile_source *src = open_fixture();

	expect_field(src, "u1.Flags.Low", 62, 1);
	expect_field(src, "Flags.Low", 62, 1);
	expect_field(src, "Deepest", 57, 4);
	expect_field(src, "Id", 4, 4);	      /* not the one in <unnamed-tag> */
	expect_field(src, "u1.Id", 57, 4);    /* there it is the nearest */
	expect_no_field(src, "_ITEM", "Low"); /* Inner has a named type */
	src->ops->destroy(src);
}

Test(isf, bit_fields)
{
	struct profile_source *src = open_fixture();
	struct field f;

	cr_assert(src->ops->field(src, "_ITEM", "Flags.Bits", &f));
	cr_expect(f.offset == 64 && f.size == 4 && f.bit_pos == 3 && f.bit_size == 5);
	expect_no_field(src, "_ITEM", "Flags.BadBits");
	src->ops->destroy(src);
}

Test(isf, sizes_and_symbols)
{
	struct profile_source *src = open_fixture();
	uint32_t size;
	uint64_t rva;

	cr_assert(src->ops->type_size(src, "_ITEM", &size));
	cr_expect_eq(size, 64);
	cr_expect_not(src->ops->type_size(src, "unsigned long", &size));
	cr_assert(src->ops->symbol(src, "Head", &rva));
	cr_expect_eq(rva, 4096);
	cr_expect_not(src->ops->symbol(src, "Far", &rva), "a negative address");
	cr_expect_not(src->ops->symbol(src, "Tail", &rva));
	src->ops->destroy(src);
}

Test(isf, hostile_types_end)
{
	struct profile_source *src = NULL;

	cr_assert_null(fixture_parse(
		"{" FIXTURE_METADATA ", 'base_types': {'big': {'size': 4294967295}}, 'enums': {},"
		" 'symbols': {}, 'user_types': {'_T': {'size': 1, 'fields': {"
		" 'Big': {'offset': 4294967295, 'type': {'kind': 'array', 'count': 4294967295,"
		"  'subtype': {'kind': 'array', 'count': 4294967295, 'subtype':"
		"  {'kind': 'base', 'name': 'big'}}}},"
		" 'u': {'offset': 4294967295, 'type': {'kind': 'struct', 'name': '__unnamed_1'}},"
		" 'NoType': {'offset': 0}, 'TypeIsText': {'offset': 0, 'type': 'x'},"
		" 'Text': {'offset': '0', 'type': {'kind': 'base', 'name': 'big'}},"
		" 'Negative': {'offset': -1, 'type': {'kind': 'base', 'name': 'big'}}}},"
		"'__unnamed_1': {'size': 1, 'fields': {"
		" 'u': {'offset': 4294967295, 'type': {'kind': 'struct', 'name': '__unnamed_1'}},"
		" 'v': {'offset': 1, 'type': {'kind': 'struct', 'name': '__unnamed_1'}},"
		" 'Far': {'offset': 1, 'type': {'kind': 'base', 'name': 'big'}}}}}}",
		&src));
	expect_no_field(src, "_T", "Big");
	expect_no_field(src, "_T", "Far");
	expect_no_field(src, "_T", "NoType");
	expect_no_field(src, "_T", "TypeIsText");
	expect_no_field(src, "_T", "Text");
	expect_no_field(src, "_T", "Negative");
	expect_no_field(src, "_T", "NotThere");
	src->ops->destroy(src);
}

Test(isf, refuses_what_is_no_isf)
{
	expect_error("", ERROR_CORRUPT, "JSON");
	expect_error("{'a': 1, 'a': 2}", ERROR_CORRUPT, "offset 0x");
	expect_error("{}", ERROR_CORRUPT, "base_types");
	expect_error("[1, 2]", ERROR_CORRUPT, "base_types");
	expect_error("{'base_types': {}, 'user_types': {}, 'enums': {}, 'symbols': []}",
		     ERROR_CORRUPT, "symbols");
	expect_error("{'metadata': {'linux': {}}, 'base_types': {}, 'user_types': {}, "
		     "'enums': {}, 'symbols': {}}",
		     ERROR_CORRUPT, "metadata.windows.pdb");
	expect_error("{'metadata': {'windows': {'pdb': {'GUID': 'x'}}}, 'base_types': {}, "
		     "'user_types': {}, 'enums': {}, 'symbols': {}}",
		     ERROR_CORRUPT, "found 'x'");
	expect_error("{'metadata': {'windows': {'pdb': {'GUID': "
		     "'0123456789ABCDEF0123456789ABCDEG'}}}, 'base_types': {}, "
		     "'user_types': {}, 'enums': {}, 'symbols': {}}",
		     ERROR_CORRUPT, "32 hex digits");
	expect_error("{'metadata': {'windows': {'pdb': {'GUID': '" FIXTURE_GUID_TEXT "', "
		     "'age': -1}}}, 'base_types': {}, 'user_types': {}, 'enums': {}, "
		     "'symbols': {}}",
		     ERROR_CORRUPT, "age");
	expect_error("{'metadata': {'windows': {'pdb': {'GUID': '" FIXTURE_GUID_TEXT "', "
		     "'age': 1}}}, 'base_types': {}, 'user_types': {}, 'enums': {}, "
		     "'symbols': {}}",
		     ERROR_CORRUPT, "database");
}

Test(isf, cut_at_every_length)
{
	char json[FIXTURE_MAX];
	size_t len = fixture_json(FIXTURE_JSON, json);

	for (size_t cut = 0; cut < len; cut++) {
		struct profile_source *src;
		struct error *err = isf_parse((const uint8_t *)json, cut, &src);

		cr_assert_not_null(err, "cut at %zu", cut);
		cr_expect_eq(error_code(err), ERROR_CORRUPT);
		error_destroy(err);
	}
}

static uint8_t *compress(const void *text, size_t len, size_t *ret_len)
{
	size_t capacity = lzma_stream_buffer_bound(len);
	uint8_t *xz = malloc(capacity);

	*ret_len = 0;
	cr_assert_not_null(xz);
	cr_assert_eq(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, text, len, xz, ret_len,
					     capacity),
		     LZMA_OK);
	return xz;
}

Test(isf, xz_is_read_and_cut_at_every_length)
{
	char json[FIXTURE_MAX];
	struct profile_source *src = NULL;
	struct error *err;
	size_t len;
	uint8_t *xz = compress(json, fixture_json(FIXTURE_JSON, json), &len);

	cr_expect(isf_probe(xz, len));
	cr_assert_null(isf_parse(xz, len, &src));
	expect_field(src, "Id", 4, 4);
	src->ops->destroy(src);
	for (size_t cut = 0; cut < len; cut++) {
		err = isf_parse(xz, cut, &src);
		cr_assert_not_null(err, "cut at %zu", cut);
		cr_expect_eq(error_code(err), ERROR_CORRUPT);
		error_destroy(err);
	}
	for (size_t i = 0; i < len; i++) {
		xz[i] ^= 0x20;
		err = isf_parse(xz, len, &src);
		if (!err)
			src->ops->destroy(src);
		error_destroy(err);
		xz[i] ^= 0x20;
	}
	free(xz);
}

/* Megabytes of blanks, or of empty arrays, in a few KiB. */
static void expect_bomb(const char *unit, size_t size, const char *part)
{
	char *text = malloc(size);
	struct profile_source *src;
	struct error *err;
	size_t len, unit_len = strlen(unit);
	uint8_t *xz;

	cr_assert_not_null(text);
	for (size_t i = 0; i < size; i++)
		text[i] = unit[i % unit_len];
	xz = compress(text, size, &len);
	free(text);
	err = isf_parse(xz, len, &src);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT, "%s", error_message(err));
	cr_expect(strstr(error_message(err), part), "%s", error_message(err));
	error_destroy(err);
	free(xz);
}

Test(isf, bombs_meet_limits)
{
	expect_bomb(" ", (size_t)ISF_MAX_TEXT + 1, "bytes of JSON");
	expect_bomb("[],", 3 * (size_t)ISF_MAX_VALUES, "JSON values");
}

Test(isf, probe_looks_at_content)
{
	cr_expect(isf_probe((const uint8_t *)" \n{", 3));
	cr_expect_not(isf_probe((const uint8_t *)" \n", 2));
	cr_expect_not(isf_probe((const uint8_t *)"", 0));
	cr_expect_not(isf_probe((const uint8_t *)"\0{", 2));
	cr_expect_not(isf_probe((const uint8_t *)"Microsoft C/C++", 15));
}
