/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/diag.h"
#include "cli/options.h"
#include "formats/format.h"
#include "output/sink.h"

/*
 * A command is one const row. Options, columns, --help, --columns, the man page and completion
 * come from these tables. To add one: commands/cmd_<name>.c with a const struct command, and its
 * line in commands.c.
 */
struct kernel;
struct symbol_store;

enum command_flag {
	COMMAND_ONE_OBJECT = 1 << 0,	/* one row: json is one object */
	COMMAND_NEEDS_KERNEL = 1 << 1,	/* run->kernel is open, or the command fails */
	COMMAND_TRIES_KERNEL = 1 << 2,	/* run->kernel, or NULL and run->kernel_error */
	COMMAND_RAW_OUTPUT = 1 << 3,	/* may write bytes to run->out: see wrote_raw */
	COMMAND_NO_SNAPSHOT = 1 << 4,	/* takes none: all arguments are in run->args */
	COMMAND_RUNS_COMMANDS = 1 << 5, /* --command (-c) is its own: which commands it runs */
	COMMAND_WHOLE_MACHINE = 1 << 6, /* of no one process: --pid is refused */
};

struct command_run {
	const struct command *command;
	struct snapshot *snapshot;	  /* NULL: COMMAND_NO_SNAPSHOT */
	struct kernel *kernel;		  /* per COMMAND_*_KERNEL */
	struct error *kernel_error;	  /* borrowed; why kernel is NULL */
	const struct symbol_store *store; /* NULL: none */
	const struct option_values *options;
	const char *const *args; /* after SNAPSHOT */
	size_t num_args;
	struct sink *sink; /* begun with the command's columns, ended by the caller */
	FILE *in, *out;
	bool wrote_raw; /* set by a command that wrote bytes instead of rows: no sink_end() */
	/* Set by a command whose answer is also the program's exit status, when all went well. */
	unsigned exit_status;
	struct diag *diag;
	struct arena *arena; /* for the whole run */
};

struct command {
	const char *name, *summary;  /* a name may be two words: "symbols add" */
	const char *arguments;	     /* after SNAPSHOT: "ADDRESS...|-"; NULL: none */
	unsigned min_args, max_args; /* max_args UINT_MAX: any number */
	const char *description;     /* paragraphs for --help and the man page */
	const char *example;	     /* one command line */
	const struct option_row *options;
	size_t num_options;
	const struct column *columns;
	size_t num_columns;
	/* "pid,handle": the columns that say which row it is when two runs are compared; NULL: its
	 * place among the others. */
	const char *key_columns;
	unsigned flags;
	/* Columns "a,b,c" to show when --columns is not given; NULL (also the function): all. */
	const char *(*default_columns)(const struct option_values *options);
	/* With COMMAND_TRIES_KERNEL: do these options make the kernel pointless? May be NULL. */
	bool (*without_kernel)(const struct option_values *options);
	struct error *(*run)(struct command_run *run);
};

extern const struct command *const commands[];
extern const size_t num_commands;

/* The command that the first of the words, or the first two, name; *used_ret says which. NULL when
 * there is none. */
const struct command *command_find(const char *const *words, size_t count, size_t *used_ret);
/* The first that begins with this word, else the most like it; NULL when none is close. */
const struct command *command_suggest(const char *name);
/* Has it an option that says into which file or folder? Its rows are about what it wrote. */
bool command_writes_files(const struct command *command);
/* One of several commands on one opening of a snapshot, without arguments? */
bool command_runs_with_others(const struct command *command);

#endif
