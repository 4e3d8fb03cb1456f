/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "output/cell_text.h"

static void expect_shown(const char *s, const char *expected)
{
	struct arena a;
	const char *shown;

	arena_init(&a, 0);
	shown = text_show(&a, s);
	cr_assert(shown);
	cr_expect_str_eq(shown, expected);
	arena_deinit(&a);
}

Test(cell_text, paths_keep_their_backslashes)
{
	expect_shown("", "");
	expect_shown("\\SystemRoot\\System32\\ntoskrnl.exe",
		     "\\SystemRoot\\System32\\ntoskrnl.exe");
	expect_shown("\\\\server\\share", "\\\\server\\share");
	expect_shown("C:\\users\\x", "C:\\users\\x");
}

/* A string that shows an escape is always one whose backslashes are doubled. */
Test(cell_text, escapes_are_unambiguous)
{
	expect_shown("a\tb\\c", "a\\x09b\\\\c");
	expect_shown("a\\x09b\\c", "a\\\\x09b\\\\c");
	expect_shown("a\\u{202e}", "a\\\\u{202e}");
	expect_shown("C:\\x64", "C:\\\\x64");
	expect_shown("C:\\xyz", "C:\\xyz");
}

Test(cell_text, what_has_a_value)
{
	struct cell absent = CELL_ABSENT, text = cell_str("");
	struct cell no_text = { .present = true, .str = NULL };
	struct cell no_time = { .present = true, .u64 = UINT64_MAX };

	cr_expect_not(cell_has_value(CELL_U64, &absent));
	cr_expect(cell_has_value(CELL_STR, &text));
	cr_expect_not(cell_has_value(CELL_STR, &no_text));
	cr_expect_not(cell_has_value(CELL_TIME, &no_time));
	cr_expect(cell_has_value(CELL_U64, &no_time));
}
