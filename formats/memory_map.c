/* SPDX-License-Identifier: MIT */
#include "formats/memory_map.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A hexadecimal number, with or without 0x, that ends at `end`. */
static bool parse_hex(const char **text, char end, uint64_t *ret)
{
	char *rest;

	if (!isxdigit((unsigned char)**text))
		return false;
	errno = 0;
	*ret = strtoull(*text, &rest, 16);
	if (errno || *rest != end)
		return false;
	*text = rest + (end != '\0');
	return true;
}

struct error *memory_map_walk(const char *map,
			      struct error *(*add)(void *arg, const struct memory_map_run *run),
			      void *arg)
{
	const char *at = map;

	for (unsigned i = 0; i < MEMORY_MAP_MAX_RUNS; i++) {
		const char *piece = at, *comma = strchr(at, ',');
		struct memory_map_run run;
		struct error *err;

		if (!parse_hex(&at, '-', &run.start) || !parse_hex(&at, '@', &run.end) ||
		    !parse_hex(&at, comma ? ',' : '\0', &run.offset) || run.start >= run.end)
			return error_new(ERROR_USAGE,
					 "memory map: expected START-END@OFFSET in hexadecimal, "
					 "found '%s'",
					 piece);
		if ((err = add(arg, &run)) || !comma)
			return err;
	}
	return error_new(ERROR_LIMIT, "memory map: more than %d runs", MEMORY_MAP_MAX_RUNS);
}
