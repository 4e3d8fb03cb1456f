/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"

struct escaped {
	const char *from, *to;
};

static void check(void (*escape)(FILE *, const char *), const struct escaped *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len;
		char *text;
		FILE *out = open_memstream(&text, &len);

		escape(out, cases[i].from);
		fclose(out);
		cr_assert_str_eq(text, cases[i].to);
		free(text);
	}
}

#define CHECK(escape, ...)                                     \
	do {                                                   \
		static const struct escaped c[] = __VA_ARGS__; \
		check(escape, c, sizeof(c) / sizeof(c[0]));    \
	} while (0)

Test(escape, html_is_text)
{
	CHECK(escape_html,
	      { { "", "" },
		{ "svchost.exe", "svchost.exe" },
		{ "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
		{ "\" onload='x' `", "&quot; onload=&#39;x&#39; `" },
		{ "&lt;", "&amp;lt;" },
		{ "<!--", "&lt;!--" },
		{ "pilote-\xc3\xa9 \xf0\x9f\x98\x80", "pilote-\xc3\xa9 \xf0\x9f\x98\x80" } });
}

Test(escape, html_has_no_control_characters)
{
	CHECK(escape_html, { { "a\x01z\x1b[2J\x7f", "a\xef\xbf\xbdz\xef\xbf\xbd[2J\xef\xbf\xbd" },
			     { "\xc2\x85", "\xef\xbf\xbd" },
			     { "tab\tand\nline", "tab\tand\nline" } });
}

Test(escape, html_of_invalid_utf8)
{
	CHECK(escape_html, { { "\xff<", "\xef\xbf\xbd&lt;" },
			     { "\xc3<", "\xef\xbf\xbd&lt;" },
			     { "\xf0\x9f\x98<", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;" } });
}

Test(escape, json_stays_in_its_script)
{
	CHECK(escape_json, { { "", "\"\"" },
			     { "a\"b\\c", "\"a\\\"b\\\\c\"" },
			     { "</script><b>", "\"\\u003c/script\\u003e\\u003cb\\u003e\"" },
			     { "<!-- <script", "\"\\u003c!-- \\u003cscript\"" },
			     { "]]>&amp;", "\"]]\\u003e\\u0026amp;\"" },
			     { "\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"" },
			     { "\x01\n\t\x7f", "\"\\u0001\\u000a\\u0009\\u007f\"" },
			     { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
			     { "\xff", "\"\xef\xbf\xbd\"" } });
}

/* No byte sequence of three brings a '<', a quote or a line end out of its place. */
Test(escape, all_short_strings)
{
	static const char alphabet[] = "<>&\"'\\/\n\x01\x7f\x80\xc0\xc2\xe2\xf4\xff";
	size_t n = strlen(alphabet);

	for (size_t i = 0; i < n * n * n; i++) {
		char from[4] = { alphabet[i % n], alphabet[i / n % n], alphabet[i / n / n] };
		char *html, *json;
		size_t len;
		FILE *out = open_memstream(&html, &len);

		escape_html(out, from);
		fclose(out);
		cr_assert_null(strpbrk(html, "<>\"'\x01\x7f"));
		out = open_memstream(&json, &len);
		escape_json(out, from);
		fclose(out);
		cr_assert_null(strpbrk(json, "<>&\n\x01\x7f"));
		cr_assert_eq(json[len - 1], '"');
		free(html);
		free(json);
	}
}
