/* SPDX-License-Identifier: MIT */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* Help texts, made from the tables; lines have at most 80 columns where words allow. */
void help_overview(FILE *out);
void help_command(FILE *out, const struct command *command);
void help_columns(FILE *out, const struct command *command);

/* What the manual page says in the same words. */
struct help_status {
	int status;
	const char *help;
};
extern const struct help_status help_statuses[];
extern const size_t num_help_statuses;
extern const char help_synopsis[], help_summary[];

#endif
