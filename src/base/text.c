/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <string.h>

#include "base/cursor.h"
#include "base/unicode.h"

enum {
	REPLACEMENT = 0xfffd,
	MAX_CODE_POINT = 0x10ffff,
	SURROGATE_FIRST = 0xd800,
	LOW_SURROGATE_FIRST = 0xdc00,
	SURROGATE_LAST = 0xdfff,
};

/*
 * Formatting that a terminal does not show, or that reorders what it shows: soft hyphen,
 * joiners, fillers, directional marks and overrides, variation selectors, tags. From Unicode's
 * DerivedCoreProperties (Default_Ignorable_Code_Point), PropList (Bidi_Control) and general
 * categories Cf, Zl, Zp.
 */
static const struct code_range hidden[] = {
	{ 0x80, 0x9f },	      { 0xad, 0xad },	    { 0x34f, 0x34f },	  { 0x600, 0x605 },
	{ 0x61c, 0x61c },     { 0x6dd, 0x6dd },	    { 0x70f, 0x70f },	  { 0x890, 0x891 },
	{ 0x8e2, 0x8e2 },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },	  { 0x180b, 0x180f },
	{ 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },	  { 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },	  { 0xfff0, 0xfffb },
	{ 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static bool in_ranges(const struct code_range *ranges, size_t count, uint32_t code)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (code > ranges[mid].last)
			low = mid + 1;
		else if (code < ranges[mid].first)
			high = mid;
		else
			return true;
	}
	return false;
}

/* Bytes of code in UTF-8, with C0 80 for NUL; written to out where that is not NULL. */
static size_t encode(uint32_t code, char *out)
{
	size_t len = code == 0 ? 2 : code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (!out)
		return len;
	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(lead[len] | code);
	return len;
}

/* The code point at s and its length; 0 for a byte that starts none. s ends in NUL, so a
 * sequence that is cut short meets a byte that does not continue it. */
static size_t decode(const char *s, uint32_t *ret)
{
	static const uint32_t shortest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = (const uint8_t *)s;
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc0 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf8 ? 4
				   : 0;
	uint32_t code = len == 1 ? p[0] : p[0] & (0x7fu >> len);

	if (len == 0)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code > MAX_CODE_POINT || (code >= SURROGATE_FIRST && code <= SURROGATE_LAST))
		return 0;
	if (code < shortest[len] && !(len == 2 && code == 0))
		return 0;
	*ret = code;
	return len;
}

/* The bytes of units in UTF-8; written to out where that is not NULL. */
static size_t encode_utf16(const uint8_t *bytes, size_t units, char *out, bool *lossy)
{
	size_t total = 0;

	for (size_t i = 0; i < units; i++) {
		uint32_t code = load_u16(bytes + 2 * i);

		if (code >= SURROGATE_FIRST && code <= SURROGATE_LAST) {
			uint32_t low = i + 1 < units ? load_u16(bytes + 2 * (i + 1)) : 0;

			if (code < LOW_SURROGATE_FIRST && low >= LOW_SURROGATE_FIRST &&
			    low <= SURROGATE_LAST) {
				code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
				i++;
			} else {
				code = REPLACEMENT;
				*lossy = true;
			}
		}
		total += encode(code, out ? out + total : NULL);
	}
	return total;
}

char *text_from_utf16(struct arena *a, const uint8_t *bytes, size_t len, bool *lossy)
{
	bool lost = len % 2 != 0;
	char *ret = arena_alloc(a, encode_utf16(bytes, len / 2, NULL, &lost) + 1);

	if (!ret)
		return NULL;
	encode_utf16(bytes, len / 2, ret, &lost);
	if (lossy && lost)
		*lossy = true;
	return ret;
}

char *text_from_ansi(struct arena *a, const uint8_t *bytes, size_t len)
{
	size_t n = 0, total = 0;
	char *ret;

	for (; n < len && bytes[n]; n++)
		total += encode(bytes[n], NULL);
	ret = arena_alloc(a, total + 1);
	if (!ret)
		return NULL;
	total = 0;
	for (size_t i = 0; i < n; i++)
		total += encode(bytes[i], ret + total);
	return ret;
}

bool text_is_utf8(const char *s)
{
	uint32_t code;

	while (*s) {
		size_t len = decode(s, &code);

		if (!len)
			return false;
		s += len;
	}
	return true;
}

uint32_t text_next(const char **s)
{
	uint32_t code;
	size_t len;

	if (!**s)
		return 0;
	len = decode(*s, &code);
	if (!len) {
		(*s)++;
		return REPLACEMENT;
	}
	*s += len;
	return code;
}

/* "\xNN" or "\u{NNNN}"; the length, written to out where that is not NULL. */
static size_t escape_code(const char *form, size_t digits, uint32_t code, char *out)
{
	size_t prefix = strlen(form), suffix = form[prefix - 1] == '{';

	if (!out)
		return prefix + digits + suffix;
	memcpy(out, form, prefix);
	for (size_t i = digits; i > 0; i--) {
		out[prefix + i - 1] = "0123456789abcdef"[code & 0xf];
		code >>= 4;
	}
	if (suffix)
		out[prefix + digits] = '}';
	return prefix + digits + suffix;
}

/* Escapes what *s starts with and moves on; the length, written to out if not NULL. */
static size_t escape_next(const char **s, char *out)
{
	uint32_t code;
	const char *from = *s;
	size_t len = decode(from, &code);

	*s += len ? len : 1;
	if (!len)
		return escape_code("\\x", 2, (uint8_t)*from, out);
	if (code < 0x20 || code == 0x7f)
		return escape_code("\\x", 2, code, out);
	if (in_ranges(hidden, ARRAY_SIZE(hidden), code))
		return escape_code("\\u{", code < 0x10000 ? 4 : code < 0x100000 ? 5 : 6, code, out);
	if (code == '\\') {
		if (out)
			memcpy(out, "\\\\", 2);
		return 2;
	}
	if (out)
		memcpy(out, from, len);
	return len;
}

char *text_escape(struct arena *a, const char *s)
{
	size_t total = 0;
	char *ret;

	for (const char *p = s; *p;)
		total += escape_next(&p, NULL);
	ret = arena_alloc(a, total + 1);
	if (!ret)
		return NULL;
	total = 0;
	for (const char *p = s; *p;)
		total += escape_next(&p, ret + total);
	return ret;
}

static size_t code_width(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return 0;
	if (code < 0x300)
		return 1;
	if (in_ranges(unicode_combining, num_unicode_combining, code))
		return 0;
	return in_ranges(unicode_wide, num_unicode_wide, code) ? 2 : 1;
}

size_t text_width(const char *s)
{
	size_t width = 0;

	while (*s)
		width += code_width(text_next(&s));
	return width;
}

size_t text_fit(const char *s, size_t *columns)
{
	const char *start = s, *next = s;
	size_t used = 0;

	for (; *s; s = next) {
		size_t width = code_width(text_next(&next));

		if (width > *columns - used)
			break;
		used += width;
	}
	*columns = used;
	return (size_t)(s - start);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_equal_nocase(const char *a, const char *b)
{
	if (!a || !b)
		return false;
	for (; *a && lower(*a) == lower(*b); a++)
		b++;
	return *a == *b;
}

/* 0 to 15; 16 for what is no digit. */
static unsigned digit_value(char c)
{
	c = lower(c);
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	return 16;
}

bool text_parse_u64(const char *s, uint64_t *ret)
{
	unsigned base = s[0] == '0' && lower(s[1]) == 'x' ? 16 : 10;
	uint64_t value = 0;
	size_t digits = 0;

	for (s += base == 16 ? 2 : 0; *s; s++) {
		unsigned digit = digit_value(*s);

		if (base == 16 && digits > 0 && *s == '`')
			continue;
		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
		digits++;
	}
	if (digits == 0)
		return false;
	*ret = value;
	return true;
}
