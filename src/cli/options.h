/* SPDX-License-Identifier: MIT */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/arena.h"

/*
 * Options as data. They may stand anywhere; "--" ends them; values come as "--name value",
 * "--name=value", "-n value" or "-nvalue", and single letters may be joined. A lone "-" is an
 * argument. The last one given wins, except that OPTION_LIST collects.
 */
enum option_kind {
	OPTION_FLAG,
	OPTION_STRING,
	OPTION_U64,	/* decimal, or 0x... */
	OPTION_ADDRESS, /* see address_parse() */
	OPTION_SIZE,	/* as U64, or decimal with K, M, G, T (powers of 1024) */
	OPTION_LIST,	/* string, may be repeated */
};

struct option_row {
	const char *name;      /* "tree": --tree */
	char letter;	       /* 0: none */
	enum option_kind kind; /* LIST: string, may be repeated */
	const char *argument;  /* "PATH"; NULL for flags */
	const char *help;
};

/* One table of rows and where it ends. */
struct option_table {
	const struct option_row *rows;
	size_t count;
};

/* What all commands share. */
extern const struct option_table common_options;

struct option_value {
	const struct option_row *row;
	bool given;
	const char *text; /* borrowed from argv; NULL for flags */
	uint64_t number;
	const char **list; /* arena */
	size_t list_count, list_capacity;
};

/* The common options and the command's own, parsed; lives in the arena given. */
struct option_values {
	struct option_value *items;
	size_t count;
	const char **args; /* what is not an option, in order */
	size_t num_args;
};

/* Where a command line says which commands are meant. */
struct command_words {
	int first;		  /* index of the first word that is no option and no option's
				   * value; argc: there is none */
	bool named_before;	  /* --command stands before it */
	const char *const *named; /* the values of --command, wherever they stand; arena */
	size_t num_named;
};

/*
 * Finds them in argv[0..argc), while the commands' own options are not known: only common options
 * may stand before the first word, and what is off after it is left to options_parse().
 */
MUST_CHECK struct error *options_find_commands(struct arena *a, int argc, char *const *argv,
					       struct command_words *ret);

/* Parses argv[0..argc) with both tables. ERROR_USAGE names the word that is off. */
MUST_CHECK struct error *options_parse(struct arena *a, const struct option_table *own, int argc,
				       char *const *argv, struct option_values *ret);

/* Values by name without dashes; asking for a name that has no row yields "not given". */
bool option_flag(const struct option_values *o, const char *name);
const char *option_string(const struct option_values *o, const char *name); /* NULL: not given */
bool option_u64(const struct option_values *o, const char *name, uint64_t *ret); /* all numbers */
size_t option_list(const struct option_values *o, const char *name, const char *const **ret);

/* An address: hexadecimal with or without "0x", WinDbg's back quote between digits allowed. */
MUST_CHECK bool address_parse(const char *s, uint64_t *ret);

#endif
