/* SPDX-License-Identifier: MIT */
#include "report/escape.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum { REPLACEMENT = 0xfffd, LINE_SEPARATOR = 0x2028, PARAGRAPH_SEPARATOR = 0x2029 };

static void put_replacement(FILE *out)
{
	fputs("\xef\xbf\xbd", out);
}

/* Control characters have no place in HTML, white space excepted. */
static bool is_control(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0);
}

void escape_html(FILE *out, const char *s)
{
	while (*s) {
		const char *start = s;
		uint32_t c = text_next(&s);

		if (c == '&')
			fputs("&amp;", out);
		else if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c == '\'')
			fputs("&#39;", out);
		else if (c == REPLACEMENT || is_control(c))
			put_replacement(out);
		else
			fwrite(start, 1, (size_t)(s - start), out);
	}
}

/* Where a script element is looked for its end, JSON's own escapes are not understood. */
static bool json_needs_escape(uint32_t c)
{
	return c == '<' || c == '>' || c == '&' || c == LINE_SEPARATOR ||
	       c == PARAGRAPH_SEPARATOR || c < 0x20 || (c >= 0x7f && c < 0xa0);
}

void escape_json(FILE *out, const char *s)
{
	putc('"', out);
	while (*s) {
		const char *start = s;
		uint32_t c = text_next(&s);

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (int)c);
		else if (json_needs_escape(c))
			fprintf(out, "\\u%04" PRIx32, c);
		else if (c == REPLACEMENT)
			put_replacement(out);
		else
			fwrite(start, 1, (size_t)(s - start), out);
	}
	putc('"', out);
}
