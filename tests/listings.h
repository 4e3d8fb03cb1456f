/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LISTINGS_H
#define TESTS_LISTINGS_H

#include "windows/kernel/kernel.h"

/* Runs every command that lists rows of a kernel, up to a thousand rows each, and throws the rows
 * away. Errors are fine; one without a word aborts. */
void run_listings(struct snapshot *snapshot, struct kernel *k, struct diag *diag);

#endif
