/* SPDX-License-Identifier: MIT */
#include "windows/registry/name.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

char *registry_name_text(struct arena *a, const uint8_t *bytes, size_t len, bool compressed)
{
	uint8_t wide[2 * MAX_KEY_NAME], *heap = NULL, *target = wide;
	char *text;

	if (!compressed)
		return text_from_utf16(a, bytes, len, NULL);
	if (len > sizeof(wide) / 2 && !(target = heap = malloc(2 * len)))
		return NULL;
	for (size_t i = 0; i < len; i++) {
		target[2 * i] = bytes[i];
		target[2 * i + 1] = 0;
	}
	text = text_from_utf16(a, target, 2 * len, NULL);
	free(heap);
	return text;
}

/* Ranges of small letters and how far below them their capitals lie (UnicodeData.txt). */
static uint32_t capital_of(uint32_t code)
{
	static const struct {
		uint32_t first, last, distance;
	} ranges[] = {
		{ 'a', 'z', 0x20 },	{ 0xe0, 0xf6, 0x20 },	{ 0xf8, 0xfe, 0x20 },
		{ 0x3b1, 0x3c1, 0x20 }, { 0x3c3, 0x3cb, 0x20 }, { 0x430, 0x44f, 0x20 },
		{ 0x450, 0x45f, 0x50 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (code >= ranges[i].first && code <= ranges[i].last)
			return code - ranges[i].distance;
	}
	return code;
}

bool registry_name_equal(const char *name, const char *word, size_t len)
{
	const char *end = word + len;

	while (*name && word < end) {
		if (capital_of(text_next(&name)) != capital_of(text_next(&word)))
			return false;
	}
	return !*name && word == end;
}
