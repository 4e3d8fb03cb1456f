/* SPDX-License-Identifier: MIT */
#include "windows/symbols/mktable_layout.h"

#include <criterion/criterion.h>
#include <string.h>

static const char sample[] = "# a source\n"
			     "layout 26100.4652   # the newest\n"
			     "layout 26200 la57 like 26100\n"
			     "\n"
			     "type _B 0x10\n"
			     "Entry 0x8 8\n"
			     "Low 0 4 3:5\n"
			     "\ttype _A 4\r\n"
			     "u.Flags 2 2 0:16 derived\n"
			     "Whole 0 4 derived";

Test(builtin_layout, says_what_the_text_says)
{
	struct layout_file *l;
	struct field f;
	uint32_t size;
	uint64_t rva;

	cr_assert_null(layout_parse(sample, strlen(sample), "x", &l));
	cr_assert_eq(l->num_targets, 2);
	cr_expect(l->targets[0].build == 26100 && l->targets[0].revision == 4652 &&
		  l->targets[0].has_revision && !l->targets[0].la57 && !l->targets[0].like);
	cr_expect(l->targets[1].build == 26200 && !l->targets[1].has_revision &&
		  l->targets[1].la57 && l->targets[1].like == 26100);
	cr_assert_eq(l->num_fields, 6);
	cr_expect(l->source.ops->type_size(&l->source, "_B", &size) && size == 16);
	cr_expect(l->source.ops->field(&l->source, "_B", "Low", &f) && f.offset == 0 &&
		  f.size == 4 && f.bit_pos == 3 && f.bit_size == 5 && f.present);
	cr_expect(l->source.ops->field(&l->source, "_A", "u.Flags", &f) && f.offset == 2 &&
		  f.bit_size == 16);
	cr_expect_not(l->source.ops->field(&l->source, "_A", "Entry", &f));
	cr_expect_not(l->source.ops->field(&l->source, "_A", "", &f));
	cr_expect_not(l->source.ops->type_size(&l->source, "_C", &size));
	cr_expect_not(l->source.ops->symbol(&l->source, "_A", &rva));
	cr_expect(!l->fields[0].derived && l->fields[1].derived && l->fields[2].derived);
	l->source.ops->destroy(&l->source);
}

Test(builtin_layout, refusals_name_the_line)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "expected a line 'layout BUILD'" },
		{ "type _A 4\n", "expected a line 'layout BUILD'" },
		{ "layout\n", "x:1: expected layout BUILD, found 'layout'" },
		{ "layout 0.1\n", "found '0'" },
		{ "layout 70000.1\n", "found '70000'" },
		{ "layout 26100.70000\n", "expected layout BUILD" },
		{ "layout 26100\n", "x:1: expected a revision, found '26100'" },
		{ "layout 26100.1 lb57\n", "found 'lb57'" },
		{ "layout 26100.1 like\n", "found 'like'" },
		{ "layout 1.1 la57 like 2 3\n", "found '3'" },
		{ "layout 1.1 la57 like 2 3 4\n", "expected the end of the line, found '4'" },
		{ "layout 1.1\nField 0 4\n", "x:2: expected a type before its fields" },
		{ "layout 1.1\ntype _A\n", "x:2: expected type NAME SIZE" },
		{ "layout 1.1\ntype _A 0\n", "expected type NAME SIZE" },
		{ "layout 1.1\ntype _A 8\nF 0\n", "x:3: expected PATH OFFSET SIZE" },
		{ "layout 1.1\ntype _A 8\nF 0 0\n", "expected PATH OFFSET SIZE" },
		{ "layout 1.1\ntype _A 8\nF -1 4\n", "expected PATH OFFSET SIZE" },
		{ "layout 1.1\ntype _A 8\nF 0x100000000 4\n", "expected PATH OFFSET SIZE" },
		{ "layout 1.1\ntype _A 8\nF 5 4\n", "x:3: expected a field inside its type" },
		{ "layout 1.1\ntype _A 8\nF 0xffffffff 4\n", "a field inside its type" },
		{ "layout 1.1\ntype _A 8\nF 0 4 30:3\n", "found '30:3'" },
		{ "layout 1.1\ntype _A 8\nF 0 4 0:0\n", "found '0:0'" },
		{ "layout 1.1\ntype _A 16\nF 0 16 0:1\n", "found '0:1'" },
		{ "layout 1.1\ntype _A 8\nF 0 4 guessed\n", "found 'guessed'" },
		{ "layout 1.1\ntype _A 8\nF 0 4\nF 4 4\n", "_A.F is there twice" },
		{ "layout 1.1\ntype _A 8\ntype _A 8\n", "_A. is there twice" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct layout_file *l = NULL;
		struct error *err = layout_parse(cases[i].text, strlen(cases[i].text), "x", &l);

		cr_assert_not_null(err, "%s", cases[i].text);
		cr_expect_eq(error_code(err), ERROR_CORRUPT);
		cr_expect(strstr(error_message(err), cases[i].message), "%s: %s", cases[i].text,
			  error_message(err));
		cr_expect_null(l);
		error_destroy(err);
	}
}

Test(builtin_layout, cut_at_every_length)
{
	for (size_t len = 0; len < strlen(sample); len++) {
		struct layout_file *l;
		struct error *err = layout_parse(sample, len, "x", &l);

		if (err)
			error_destroy(err);
		else
			l->source.ops->destroy(&l->source);
	}
}

Test(builtin_layout, limits)
{
	enum { TARGET_LEN = 11 };
	char text[(LAYOUT_MAX_TARGETS + 1) * TARGET_LEN + 1];
	struct layout_file *l;
	struct error *err;

	for (size_t i = 0; i <= LAYOUT_MAX_TARGETS; i++)
		memcpy(text + i * TARGET_LEN, "layout 1.1\n", TARGET_LEN + 1);
	err = layout_parse(text, sizeof(text) - 1, "x", &l);
	cr_assert(err && error_code(err) == ERROR_LIMIT);
	error_destroy(err);
	err = layout_parse(text, LAYOUT_MAX_TEXT + 1, "x", &l);
	cr_assert(err && error_code(err) == ERROR_LIMIT);
	error_destroy(err);
}
