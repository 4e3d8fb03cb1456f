/* SPDX-License-Identifier: MIT */
#include "output/json_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

/* Code points that are written as \uXXXX: what JSON demands, and what acts on a terminal (C1
 * controls, bidirectional and invisible format characters). */
static const struct {
	uint32_t first, last;
} escaped_ranges[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x061c, 0x061c },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
};

static bool is_escaped(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(escaped_ranges); i++) {
		if (c >= escaped_ranges[i].first && c <= escaped_ranges[i].last)
			return true;
	}
	return false;
}

/* One code point at p, which is not plain ASCII; returns where the next begins. */
static const char *put_special(FILE *out, const char *p)
{
	const char *next = p;
	uint32_t c;

	if (strncmp(p, "\xc0\x80", 2) == 0) {
		fputs("\\u0000", out);
		return p + 2;
	}
	c = text_next(&next);
	if (c == '"' || c == '\\')
		fprintf(out, "\\%c", (int)c);
	else if (is_escaped(c))
		fprintf(out, "\\u%04" PRIx32, c);
	else if (c == 0xfffd)
		fputs("\xef\xbf\xbd", out);
	else
		fwrite(p, 1, (size_t)(next - p), out);
	return next;
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void json_put_string(FILE *out, const char *s)
{
	putc('"', out);
	while (*s) {
		const char *start = s;

		while (is_plain(*s))
			s++;
		if (s != start)
			fwrite(start, 1, (size_t)(s - start), out);
		else
			s = put_special(out, s);
	}
	putc('"', out);
}
