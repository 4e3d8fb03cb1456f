/* SPDX-License-Identifier: MIT */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* Help texts, made from the tables; lines have at most 80 columns where words allow. */
void help_overview(FILE *out);
void help_command(FILE *out, const struct command *command);
void help_columns(FILE *out, const struct command *command);
/* What is not about one command ("conditions"), and the commands of a first word ("registry").
 * False: no such topic. */
bool help_topic(FILE *out, const char *name);
/* "usage: ntscope ps [OPTIONS] SNAPSHOT"; NULL when memory is out. */
MUST_CHECK const char *help_usage(struct arena *a, const struct command *command);

struct help_topic {
	const char *name, *summary, *text; /* lines of the text that begin with ' ' stay lines */
};
extern const struct help_topic help_topics[];
extern const size_t num_help_topics;

/* What the manual page says in the same words. */
struct help_status {
	int status;
	const char *help;
};
extern const struct help_status help_statuses[];
extern const size_t num_help_statuses;
extern const char help_synopsis[], help_summary[];

#endif
