/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdio.h>

#include "base/arena.h"

/*
 * Completion of command lines. The scripts for shells ask the program itself at each TAB, so what
 * they know is what the tables say.
 */

struct completion_shell {
	const char *name;   /* "bash" */
	const char *script; /* what the shell reads */
};
extern const struct completion_shell completion_shells[];
extern const size_t num_completion_shells;

/*
 * Writes what the last of the words may become, one candidate a line, "WORD<TAB>what it is"; the
 * words before it are complete, and the program's name is none of them. Lines that begin with ':'
 * say ":files" (names of files, too) and ":nospace" (more follows in the same word). Nothing when
 * memory is out.
 */
void completion_candidates(FILE *out, struct arena *a, const char *const *words, size_t count);

#endif
