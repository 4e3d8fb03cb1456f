/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_MEMORY_MAP_H
#define FORMATS_MEMORY_MAP_H

#include "base/error.h"

/* --memory-map as the user gives it: START-END@OFFSET,... in hexadecimal. */
struct memory_map_run {
	uint64_t start, end; /* physical addresses [start, end), not empty */
	uint64_t offset;     /* of start in the file, or in whatever the format says */
};
enum { MEMORY_MAP_MAX_RUNS = 1 << 12 };

/* Calls add for each run, in order; what it returns ends the walk. Errors: USAGE, LIMIT. */
MUST_CHECK struct error *memory_map_walk(const char *map,
					 struct error *(*add)(void *arg,
							      const struct memory_map_run *run),
					 void *arg);

#endif
