/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 0);
}

static void teardown(void)
{
	arena_deinit(&arena);
}

TestSuite(text, .init = setup, .fini = teardown);

struct utf16_row {
	uint16_t units[4];
	size_t len; /* bytes */
	const char *utf8;
	bool lossy;
};

static const struct utf16_row utf16_rows[] = {
	{ { 0 }, 0, "", false },
	{ { 'a', 'b' }, 4, "ab", false },
	{ { 'a', 'b' }, 3, "a", true },
	{ { 'a' }, 1, "", true },
	{ { 0xe9, 0x20ac }, 4, "\xc3\xa9\xe2\x82\xac", false },
	{ { 'a', 0, 'b' },
	  6,
	  "a\xc0\x80"
	  "b",
	  false },
	{ { 0x7f, 0x80, 0x7ff, 0x800 }, 8, "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", false },
	{ { 0xd83d, 0xde00 }, 4, "\xf0\x9f\x98\x80", false },
	{ { 0xdbff, 0xdfff }, 4, "\xf4\x8f\xbf\xbf", false },
	{ { 0xd800, 'a' },
	  4,
	  "\xef\xbf\xbd"
	  "a",
	  true },
	{ { 0xdc00, 'a' },
	  4,
	  "\xef\xbf\xbd"
	  "a",
	  true },
	{ { 'a', 0xd800 }, 4, "a\xef\xbf\xbd", true },
	{ { 0xd800, 0xd800, 0xdc00 }, 6, "\xef\xbf\xbd\xf0\x90\x80\x80", true },
	{ { 0xd83d, 0xde00 }, 3, "\xef\xbf\xbd", true },
	{ { 0xffff, 0xfeff }, 4, "\xef\xbf\xbf\xef\xbb\xbf", false },
};

Test(text, utf16_to_utf8)
{
	for (size_t i = 0; i < ARRAY_SIZE(utf16_rows); i++) {
		const struct utf16_row *row = &utf16_rows[i];
		uint8_t bytes[8];
		bool lossy = false;
		const char *s;

		for (size_t k = 0; k < ARRAY_SIZE(row->units); k++)
			store_u16(bytes + 2 * k, row->units[k]);
		s = text_from_utf16(&arena, bytes, row->len, &lossy);
		cr_assert_str_eq(s, row->utf8, "row %zu", i);
		cr_assert_eq(lossy, row->lossy, "row %zu", i);
		cr_assert_str_eq(text_from_utf16(&arena, bytes, row->len, NULL), row->utf8);
		cr_assert(text_is_utf8(s));
	}
}

/* A caller that converts several strings sees whether any of them lost something. */
Test(text, lossy_is_set_and_never_cleared)
{
	bool lossy = true;

	cr_assert_str_eq(text_from_utf16(&arena, (const uint8_t *)"a", 2, &lossy), "a");
	cr_assert(lossy);
}

Test(text, ansi_is_reversible)
{
	static const uint8_t bytes[] = { 'C', 'n', 'g', 0x80, 0xe9, 0xff, 0, 'x' };

	cr_assert_str_eq(text_from_ansi(&arena, bytes, sizeof(bytes)),
			 "Cng\xc2\x80\xc3\xa9\xc3\xbf");
	cr_assert_str_eq(text_from_ansi(&arena, bytes, 3), "Cng");
	cr_assert_str_eq(text_from_ansi(&arena, bytes, 0), "");
}

Test(text, memory_runs_out_without_a_crash)
{
	static const uint8_t bytes[64] = "a string that does not fit";
	struct arena small;

	arena_init(&small, 16);
	cr_assert_null(text_from_utf16(&small, bytes, sizeof(bytes), NULL));
	cr_assert_null(text_from_ansi(&small, bytes, sizeof(bytes)));
	cr_assert_null(text_escape(&small, (const char *)bytes));
	arena_deinit(&small);
}

static const char *const invalid[] = {
	"\x80",
	"\xbf",
	"\xc3",
	"\xc3"
	"a",
	"\xc0\x81",
	"\xc1\xbf",
	"\xe0\x80\x80",
	"\xe0\x9f\xbf",
	"\xe2\x82",
	"\xed\xa0\x80",
	"\xed\xbf\xbf",
	"\xf0\x80\x80\x80",
	"\xf0\x8f\xbf\xbf",
	"\xf4\x90\x80\x80",
	"\xf5\x80\x80\x80",
	"\xf8\x88\x80\x80\x80",
	"\xff",
	"\xfe",
	"\xf0\x9f\x98",
	"a\xe2\x82"
	"b",
};

Test(text, valid_and_invalid_utf8)
{
	cr_assert(text_is_utf8(""));
	cr_assert(text_is_utf8("abc \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc0\x80"));
	cr_assert(text_is_utf8("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"));
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
		cr_assert(!text_is_utf8(invalid[i]), "row %zu", i);
}

Test(text, next_moves_by_one_over_an_invalid_byte)
{
	const char *s = "a\xe2\x82"
			"b\xc0\x80\xf0\x9f\x98\x80";
	static const uint32_t codes[] = { 'a', 0xfffd, 0xfffd, 'b', 0, 0x1f600, 0, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		cr_assert_eq(text_next(&s), codes[i], "code point %zu", i);
	cr_assert_eq(*s, '\0');
}

struct text_row {
	const char *s, *escaped;
	size_t width; /* of s */
};

static const struct text_row text_rows[] = {
	{ "", "", 0 },
	{ "ntoskrnl.exe", "ntoskrnl.exe", 12 },
	{ "C:\\x", "C:\\\\x", 4 },
	{ "a\tb\nc\x1b[2J\x7f", "a\\x09b\\x0ac\\x1b[2J\\x7f", 6 },
	{ "\xc0\x80", "\\x00", 0 },
	{ "\xc2\x9b"
	  "2J",
	  "\\u{009b}2J", 2 },
	{ "\x9b"
	  "2J",
	  "\\x9b2J", 3 },
	{ "\xff\xe2\x82", "\\xff\\xe2\\x82", 3 },
	{ "caf\xc3\xa9", "caf\xc3\xa9", 4 },
	{ "cafe\xcc\x81", "cafe\xcc\x81", 4 },
	{ "\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87", 4 },
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 2 },
	{ "\xef\xbc\xa1", "\xef\xbc\xa1", 2 },
	/* a right-to-left override makes "exe.txt" look like something else */
	{ "\xe2\x80\xaetxt.exe", "\\u{202e}txt.exe", 8 },
	{ "svc\xe2\x80\x8bhost", "svc\\u{200b}host", 8 },
	{ "\xef\xbb\xbf", "\\u{feff}", 1 },
	{ "\xf3\xa0\x80\x81", "\\u{e0001}", 1 },
	{ "\xef\xbf\xbd", "\xef\xbf\xbd", 1 },
};

Test(text, escape_and_width)
{
	for (size_t i = 0; i < ARRAY_SIZE(text_rows); i++) {
		const struct text_row *row = &text_rows[i];

		cr_assert_str_eq(text_escape(&arena, row->s), row->escaped, "row %zu", i);
		cr_assert_eq(text_width(row->s), row->width, "row %zu: %zu", i, text_width(row->s));
	}
}

Test(text, equal_nocase)
{
	cr_assert(text_equal_nocase("NTOSKRNL.exe", "ntoskrnl.EXE"));
	cr_assert(text_equal_nocase("", ""));
	cr_assert(!text_equal_nocase("a", "ab"));
	cr_assert(!text_equal_nocase("ab", "a"));
	cr_assert(!text_equal_nocase("@", "`"));
	cr_assert(!text_equal_nocase(NULL, "a"));
	cr_assert(!text_equal_nocase("a", NULL));
	cr_assert(!text_equal_nocase(NULL, NULL));
}

struct number_row {
	const char *s;
	uint64_t value;
};

static const struct number_row numbers[] = {
	{ "0", 0 },
	{ "4", 4 },
	{ "010", 10 },
	{ "18446744073709551615", UINT64_MAX },
	{ "0x0", 0 },
	{ "0Xff", 0xff },
	{ "0xffffffffffffffff", UINT64_MAX },
	{ "0x00000000000000000001", 1 },
	{ "0xfffff800`12345678", UINT64_C(0xfffff80012345678) },
};

static const char *const not_numbers[] = {
	"",    "0x",	"0x`", " 1",
	"1 ",  "-1",	"+1",  "1f",
	"0xg", "12`34", "`1",  "18446744073709551616",
	"x1",  "0x1 ",	"1e3", "0x10000000000000000",
	"0b1", "0x1.0", "1,0", "99999999999999999999999",
};

Test(text, parse_u64)
{
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		cr_assert(text_parse_u64(numbers[i].s, &value), "%s", numbers[i].s);
		cr_assert_eq(value, numbers[i].value, "%s", numbers[i].s);
	}
	value = 77;
	for (size_t i = 0; i < ARRAY_SIZE(not_numbers); i++)
		cr_assert(!text_parse_u64(not_numbers[i], &value), "'%s'", not_numbers[i]);
	cr_assert_eq(value, 77);
}
