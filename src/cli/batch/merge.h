/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_MERGE_H
#define CLI_BATCH_MERGE_H

#include "cli/batch/results.h"

/*
 * Puts the results of shards, files of JSON lines, together in the order that one run would have
 * given them. Errors: of a file that is cut, no result, of another schema, or of a batch that was
 * told something else (all before anything is written); USAGE: two have the same snapshot.
 */
enum { MERGE_MAX = 1 << 16 };
MUST_CHECK struct error *merge_results(const char *const *paths, size_t count, struct results *to,
				       uint64_t *records_ret);

#endif
