/* SPDX-License-Identifier: MIT */
#ifndef CLI_CHOICE_H
#define CLI_CHOICE_H

#include "cli/command.h"

/* Which commands a command line means: "ps", "registry keys", "ps,modules". */
enum { MAX_CHOSEN = 64 };

struct choice {
	const struct command *items[MAX_CHOSEN];
	size_t count;
};

/* Adds those of a list "ps,registry keys". The names that errors (USAGE) suggest may be those of
 * other tools' commands. Texts in errors are copies; the arena is scratch. */
MUST_CHECK struct error *choice_add_list(struct choice *c, struct arena *a, const char *list);
/* Adds the one, or the list, that the first of the words begin; *used_ret words name it. */
MUST_CHECK struct error *choice_add_words(struct choice *c, struct arena *a,
					  const char *const *words, size_t count, size_t *used_ret);
/* USAGE, with what was perhaps meant. */
MUST_CHECK struct error *choice_unknown(const char *name);
/* The options of all of them: one that several have must mean the same kind of thing. */
MUST_CHECK struct error *choice_options(const struct choice *c, struct arena *a,
					struct option_table *ret);

#endif
