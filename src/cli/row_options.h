/* SPDX-License-Identifier: MIT */
#ifndef CLI_ROW_OPTIONS_H
#define CLI_ROW_OPTIONS_H

#include "cli/command.h"

/*
 * What the options say of a command's rows: --columns (else the command's own choice), --where,
 * --sort and --limit. All of it lives in the arena or is borrowed from options. Errors: USAGE.
 */
MUST_CHECK struct error *row_options_read(struct arena *a, const struct command *command,
					  const struct option_values *options,
					  struct sink_options *ret);
/* The columns that --format json prints of a table with many rows: those selected, else all but
 * those that have to be asked for. In the arena, or borrowed from sink_options. */
MUST_CHECK struct error *row_options_shown(struct arena *a, const struct command *command,
					   const struct sink_options *sink_options,
					   const unsigned **ret, size_t *count_ret);

/* USAGE when one of them, or --format, is given to a run that writes bytes and no rows. */
MUST_CHECK struct error *row_options_refuse(const struct option_values *options, const char *why);

#endif
