/* SPDX-License-Identifier: MIT */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include "base/compiler.h"

/* A progress line for people: on stderr, only when that is a terminal, at most ten a second,
 * erased at the end. progress_add() is safe across threads. */
struct progress {
	const char *label; /* borrowed */
	uint64_t total, done;
	uint64_t last_ns;
	bool shown, enabled;
};

void progress_begin(struct progress *p, const char *label, uint64_t total, bool quiet);
void progress_add(struct progress *p, uint64_t amount);
void progress_end(struct progress *p);

#endif
