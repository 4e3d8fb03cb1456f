/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_GAPS_H
#define WINDOWS_GAPS_H

#include "memory/space.h"

/* How many parts of a thing are absent, and where the first is: for one line about all of them. */
struct gaps {
	size_t count;
	struct fault first;
};

/* A fault without an address is a field that the build does not have: no gap. */
static inline void gaps_add(struct gaps *gaps, const struct fault *fault)
{
	if (fault->va && !gaps->count++)
		gaps->first = *fault;
}

#endif
