/* SPDX-License-Identifier: MIT */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "base/compiler.h"

/* Names of symbols and types as people write them. */

/* "nt": the module that the kernel is, whatever its file is called. */
extern const char names_kernel_module[];
/* What follows "nt!", else all of it. */
const char *names_without_module(const char *word);
/* Is there a * or ? in it? */
bool names_is_pattern(const char *word);
/* Case does not matter. A pattern matches the whole name, any other word a part of it. */
bool names_match(const char *pattern, const char *name);
/* The same, but any other word is the whole name. NULL is no name. */
bool names_equal(const char *pattern, const char *name);

#endif
