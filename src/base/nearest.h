/* SPDX-License-Identifier: MIT */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/compiler.h"

/* "did you mean": the name that is most like one that was asked for. */
struct nearest {
	const char *asked; /* set by the caller; the rest begins zeroed */
	const char *best;  /* borrowed */
	unsigned distance;
};

/* The first of those that are equally near stays. */
void nearest_offer(struct nearest *n, const char *candidate);
/* NULL: nothing offered is like it. */
const char *nearest_best(const struct nearest *n);

/* How many single-letter edits lie between a and b (at most 64 bytes are looked at); two letters
 * that changed places are one edit, and capitals none. */
unsigned edit_distance(const char *a, const char *b);

#endif
