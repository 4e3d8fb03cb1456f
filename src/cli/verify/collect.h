/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERIFY_COLLECT_H
#define CLI_VERIFY_COLLECT_H

#include "cli/verify/command_line.h"

/* Runs commands on a snapshot and keeps what they say as an expected result. */
struct collect {
	const struct command_run *run; /* of record or verify: arena, diag, symbol store */
	const char *path;	       /* the snapshot */
	struct word_list opening;      /* options of opening it */
	const char *output;	       /* will be written: must be none of its files; NULL */
};

/* Name, size and SHA-256 of the snapshot's file. */
MUST_CHECK struct error *collect_identity(const struct collect *c, struct expected *ret);

/*
 * Runs the lines (one without a command has no result) and fills program, profile, messages and
 * results. Notes go to the diag of the run; what could not
 * be read goes into messages, and a command that fails is a result as well. Errors: the snapshot
 * cannot be opened; USAGE of a command, with its name; NO_MEMORY.
 */
MUST_CHECK struct error *collect_results(const struct collect *c, const struct command_line *lines,
					 const struct word_list *words, size_t num_lines,
					 struct expected *ret);

#endif
