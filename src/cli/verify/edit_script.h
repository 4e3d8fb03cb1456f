/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERIFY_EDIT_SCRIPT_H
#define CLI_VERIFY_EDIT_SCRIPT_H

#include "base/error.h"

/* Edits that are looked for; memory and time grow with their square at most. */
enum { EDIT_SCRIPT_MAX = 1024 };

/*
 * The longest common subsequence of two sequences, by Myers' greedy algorithm ("An O(ND) Difference
 * Algorithm and Its Variations", 1986). match_ret(arg, i, j) is called for each a[i] == b[j] of it,
 * last ones first. *found_ret is false, and nothing was matched, when more than EDIT_SCRIPT_MAX
 * edits lie between them. n and m are below 2^31. Error: NO_MEMORY.
 */
MUST_CHECK struct error *edit_script(const uint32_t *a, size_t n, const uint32_t *b, size_t m,
				     void (*match_ret)(void *arg, size_t i, size_t j), void *arg,
				     bool *found_ret);

#endif
