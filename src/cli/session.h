/* SPDX-License-Identifier: MIT */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/command.h"

/*
 * A snapshot while commands run on it. What they need of it is opened once, when the first of them
 * asks for it.
 */
struct session {
	const struct option_values *options; /* the common ones; borrowed, as all that follows */
	const struct symbol_store *store;    /* NULL: none */
	struct diag *diag;
	struct arena *arena;
	FILE *in, *out;
	struct snapshot *snapshot; /* NULL: none was opened */
	/* the session's own */
	struct kernel *kernel;
	struct error *kernel_error; /* why there is no kernel, once one was asked for */
	unsigned exit_status;	    /* what the command that ran last asks for; 0: nothing */
};

/* Opens the snapshot; the fields above it are set. Errors begin with the path. */
MUST_CHECK struct error *session_open(struct session *s, const char *path);
/* Opens what the command will need, which session_run() does as well. No error: there may be a
 * kernel_error. */
MUST_CHECK struct error *session_prepare(struct session *s, const struct command *command,
					 const struct option_values *options);
/* Says what was wanted and could not be decoded; nothing without a snapshot. */
void session_report_damage(const struct session *s);
/* Does so, and closes. */
void session_close(struct session *s);

/*
 * Runs one command: options with its own among them, args after the snapshot; the sink is begun
 * with its columns and is ended here, also when rows came before an error, so that what is there
 * is well formed. Not thread-safe.
 */
MUST_CHECK struct error *session_run(struct session *s, const struct command *command,
				     const struct option_values *options, const char *const *args,
				     size_t num_args, struct sink *sink);

#endif
