/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERIFY_COMMAND_LINE_H
#define CLI_VERIFY_COMMAND_LINE_H

#include "cli/command.h"
#include "cli/verify/expected.h"

/* One command of a recorded result, with its options and arguments. All of it lives in the arena
 * or is borrowed. */
struct command_line {
	const struct command *command;
	struct option_values options; /* those of opening among them; args as on a command line:
				       * the snapshot first */
	const char *const *args;      /* after the snapshot */
	size_t num_args;
};

/* Splits at blanks, but not between quotes (' or "); a backslash is none. Errors: USAGE. */
MUST_CHECK struct error *command_line_split(struct arena *a, const char *text,
					    struct word_list *ret);

/*
 * Parses the words of a command; those of opening (see opening_words()) come before its own.
 * Only commands that list rows of a snapshot are taken, and neither options that write files nor
 * those that are about the snapshot. Errors: USAGE, which names the command.
 */
MUST_CHECK struct error *command_line_parse(struct arena *a, const char *snapshot,
					    const struct word_list *opening,
					    const struct word_list *words,
					    struct command_line *ret);

/*
 * The options given that say how the snapshot is opened, as words: "--dtb=0x1ad000". recorded:
 * those that are part of a result; else those that only say how to come to it (--threads).
 */
MUST_CHECK struct error *opening_words(struct arena *a, const struct option_values *options,
				       bool recorded, struct word_list *ret);
/* The recorded ones, and those given that are not recorded: all that opening it takes. */
MUST_CHECK struct error *opening_all(struct arena *a, const struct word_list *recorded,
				     const struct option_values *options, struct word_list *ret);
/* Only options of opening_words() may be in the list. Errors: USAGE. */
MUST_CHECK struct error *opening_check(const struct word_list *words);
/* Is "--dtb=0x1ad000" an option that is given here as well? */
bool opening_is_given(const struct option_values *options, const char *word);

#endif
