/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"

enum { MAX_INPUT = 64 << 10 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What is escaped can be printed: valid, without control characters, and no escape in it is
 * longer than "\u{10ffff}". */
static void check_escaped(struct arena *a, const char *s)
{
	char *escaped = text_escape(a, s);

	check(escaped && text_is_utf8(escaped));
	for (const char *p = escaped; *p; p++)
		check((unsigned char)*p >= 0x20 && *p != 0x7f);
	check(strlen(escaped) <= 10 * strlen(s));
	check(text_width(escaped) <= strlen(escaped));
}

static void check_utf8(struct arena *a, const char *s)
{
	bool valid = text_is_utf8(s), replaced = false;
	size_t len = strlen(s), steps = 0;
	uint64_t number;

	check_escaped(a, s);
	check(text_width(s) <= 2 * len);
	check(text_equal_nocase(s, s));
	if (text_parse_u64(s, &number))
		check(len > 0);
	for (const char *p = s; *p; steps++) {
		const char *from = p;
		uint32_t code = text_next(&p);

		check(p > from && p <= s + len && code <= 0x10ffff);
		replaced |= code == 0xfffd && p == from + 1;
	}
	check(steps <= len && valid == !replaced);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	bool lossy = false;
	char *s;

	if (size > MAX_INPUT)
		return 0;
	arena_init(&a, 0);
	s = text_from_utf16(&a, data, size, &lossy);
	check(s && text_is_utf8(s));
	check(strlen(s) <= size / 2 * 3);
	check(size % 2 == 0 || lossy);
	check_escaped(&a, s);
	s = text_from_ansi(&a, data, size);
	check(s && text_is_utf8(s) && strlen(s) <= 2 * size);
	check_escaped(&a, s);
	s = arena_strndup(&a, (const char *)data, size);
	check(s != NULL);
	check_utf8(&a, s);
	arena_deinit(&a);
	return 0;
}
