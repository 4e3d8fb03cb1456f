/* SPDX-License-Identifier: MIT */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

#include <sys/stat.h>

#include "cli/command.h"

/* Is this file one of those that the snapshot is read from, or a page file beside it, by whatever
 * name? Such a file is never written to, nor replaced. */
bool is_evidence(const struct command_run *run, const struct stat *there);
/* USAGE if one of them has this path. */
MUST_CHECK struct error *check_no_evidence(const struct command_run *run, const char *path);

#endif
