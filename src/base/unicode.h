/* SPDX-License-Identifier: MIT */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include "base/compiler.h"

/* Properties of code points, as sorted tables of disjoint ranges (both ends inclusive). */
struct code_range {
	uint32_t first, last;
};

/* General categories Mn and Me: take no column of their own. */
extern const struct code_range unicode_combining[];
extern const size_t num_unicode_combining;
/* East_Asian_Width W and F: take two columns. */
extern const struct code_range unicode_wide[];
extern const size_t num_unicode_wide;

#endif
