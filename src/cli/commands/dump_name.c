/* SPDX-License-Identifier: MIT */
#include "cli/commands/dump_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum {
	MAX_EXTENSION = 16, /* with its dot; what is longer is no extension */
	MAX_ADDRESS = 20,   /* ".0x" and 16 digits */
};

static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz"
			      "0123456789._+-";

const char *dump_last_part(const char *path)
{
	const char *part = path;

	for (; *path; path++) {
		if ((*path == '\\' || *path == '/') && path[1])
			part = path + 1;
	}
	return part;
}

/* Characters that a file may have, one for each of text; ret has room for max and a NUL. */
static size_t copy_safely(const char *text, const char *end, size_t max, char *ret)
{
	size_t len = 0;

	while (text < end && len < max) {
		uint32_t code = text_next(&text);

		ret[len++] = code && code < 0x80 && strchr(allowed, (int)code) ? (char)code : '_';
	}
	ret[len] = '\0';
	return len;
}

void dump_name(const char *proposed, struct opt_u64 address, char ret[DUMP_NAME_MAX + 1])
{
	char extension[MAX_EXTENSION + 1] = "", middle[MAX_ADDRESS + 1] = "";
	const char *name = dump_last_part(proposed ? proposed : ""), *end = name + strlen(name);
	const char *dot = strrchr(name, '.');
	size_t tail;

	if (dot && dot > name && end - dot <= MAX_EXTENSION) {
		copy_safely(dot, end, MAX_EXTENSION, extension);
		end = dot;
	}
	if (address.present)
		snprintf(middle, sizeof(middle), ".0x%" PRIx64, address.value);
	if (name == end)
		end = (name = "unnamed") + strlen("unnamed");
	tail = strlen(middle) + strlen(extension);
	copy_safely(name, end, DUMP_NAME_MAX - tail, ret);
	if (ret[0] == '.' || ret[0] == '-')
		ret[0] = '_';
	strcat(strcat(ret, middle), extension);
}
