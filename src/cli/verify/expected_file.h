/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERIFY_EXPECTED_FILE_H
#define CLI_VERIFY_EXPECTED_FILE_H

#include "cli/verify/expected.h"

/* A recorded result as a file. Errors begin with its path. */

/* See expected_read(). */
MUST_CHECK struct error *expected_file_read(struct arena *a, const char *path, uint64_t max_memory,
					    struct expected *ret);
/* Whole or not at all. replace: a file of that name goes away; else it is an error. */
MUST_CHECK struct error *expected_file_write(const char *path, const struct expected *e,
					     bool replace);

#endif
