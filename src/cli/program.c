/* SPDX-License-Identifier: MIT */
#include "cli/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/choice.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/messages.h"
#include "cli/row_options.h"
#include "cli/session.h"
#include "cli/version.h"
#include "output/columns.h"
#include "windows/symbols/symbol_store.h"

struct program {
	const struct program_io *io;
	struct messages messages;
	struct messages_diag reported;
	struct diag diag;
	struct arena arena;
	const struct command *command; /* the one that help is about; NULL until it is known */
	struct choice chosen;
	bool color;
	struct symbol_store store; /* folder NULL: none */
	unsigned asked;		   /* the exit status that the command asks for */
};

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

static struct error *read_kind(const struct option_values *options, enum sink_kind *ret)
{
	const char *format = option_string(options, "format");

	*ret = SINK_TEXT;
	if (!format || sink_kind_from_name(format, ret))
		return NULL;
	return error_new(ERROR_USAGE, "option '--format': '%s' is not text, json, jsonl or csv",
			 format);
}

static struct error *open_sink(struct program *p, const struct command *command,
			       const struct option_values *options, const char *label,
			       struct sink **ret)
{
	struct sink_options sink_options;
	enum sink_kind kind;
	struct error *err;

	if ((err = read_kind(options, &kind)) ||
	    (err = row_options_read(&p->arena, command, options, &sink_options)))
		return err;
	sink_options.terminal = p->io->out_is_terminal;
	sink_options.width = option_flag(options, "wide") ? 0 : p->io->out_width;
	sink_options.color = p->color;
	sink_options.label = label;
	if ((err = sink_create(kind, p->io->out, &sink_options, ret)) != NULL)
		return err;
	return sink_begin(*ret, command->columns, command->num_columns);
}

static const struct symbol_store *symbol_store(const struct program *p)
{
	return p->store.folder ? &p->store : NULL;
}

/* "ntscope ps modules FILE": were the arguments meant as more commands? */
static struct error *too_many_arguments(const struct command *command, const char *extra,
					const struct option_values *o, const char *usage)
{
	size_t used;
	const struct command *other = command_find(o->args, o->num_args, &used);

	if (other)
		return error_new(ERROR_USAGE,
				 "%s: '%s' is one argument too many; several commands are joined "
				 "by commas: 'ntscope %s,%s SNAPSHOT'\n%s",
				 command->name, extra, command->name, other->name, usage);
	return error_new(ERROR_USAGE, "%s: '%s' is one argument too many\n%s", command->name, extra,
			 usage);
}

/* What is wrong with the arguments, and on a second line how they should be. */
static struct error *check_arguments(struct program *p, const struct command *command,
				     const struct option_values *o)
{
	size_t snapshots = command->flags & COMMAND_NO_SNAPSHOT ? 0 : 1, given;
	const char *usage = help_usage(&p->arena, command);

	if (!usage)
		return &error_no_memory;
	if (o->num_args < snapshots)
		return error_new(ERROR_USAGE, "%s: which snapshot?\n%s", command->name, usage);
	if (snapshots && !*o->args[0])
		return error_new(ERROR_USAGE, "%s: the name of the snapshot is empty\n%s",
				 command->name, usage);
	given = o->num_args - snapshots;
	if (given < command->min_args)
		return error_new(ERROR_USAGE, "%s: %s is missing%s\n%s", command->name,
				 command->arguments, snapshots ? " after the snapshot" : "", usage);
	if (given > command->max_args)
		return too_many_arguments(command, o->args[snapshots + command->max_args], o,
					  usage);
	if ((command->flags & COMMAND_WHOLE_MACHINE) && option_flag(o, "pid"))
		return error_new(ERROR_USAGE,
				 "%s: no option '--pid': it is about the whole machine",
				 command->name);
	return NULL;
}

/* Some options and all arguments are about one table. */
static struct error *check_several(const struct program *p, const struct option_values *options)
{
	static const char *const of_one_table[] = { "columns", "sort", "where" };
	enum sink_kind kind;
	struct error *err = read_kind(options, &kind);

	if (err)
		return err;
	if (kind == SINK_CSV)
		return error_new(ERROR_USAGE, "csv holds one table: run one command at a time");
	for (size_t i = 0; i < ARRAY_SIZE(of_one_table); i++) {
		if (option_string(options, of_one_table[i]))
			return error_new(ERROR_USAGE, "option '--%s' is for one command at a time",
					 of_one_table[i]);
	}
	for (size_t i = 0; i < p->chosen.count; i++) {
		const struct command *command = p->chosen.items[i];

		if (!command_runs_with_others(command))
			return error_new(ERROR_USAGE, "'%s' runs alone", command->name);
	}
	return NULL;
}

/* What stands before and after each command's rows when there are several. */
static const struct frame {
	const char *first, *next; /* before the rows of "%s" */
	const char *none;	  /* instead of them */
	const char *end;
} frames[NUM_SINK_KINDS] = {
	[SINK_TEXT] = { "[%s]\n", "\n[%s]\n", "", "" },
	[SINK_JSON] = { "{\"%s\": ", ",\n\"%s\": ", "null", "}\n" },
	[SINK_JSONL] = { "", "", "", "" },
	[SINK_CSV] = { "", "", "", "" },
};

static void report_left_out(struct program *p, const struct sink *sink)
{
	size_t count = sink_left_out(sink);

	if (count)
		diag_note(&p->diag,
			  "%zu column%s left out for the width of the terminal: --wide shows all",
			  count, count == 1 ? "" : "s");
}

/*
 * One of several commands: its error is one line, and the others go on, unless nobody reads them
 * any more.
 */
static struct error *run_one(struct program *p, struct session *session,
			     const struct command *command, const struct frame *frame,
			     uint64_t *failed)
{
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	struct error *err = open_sink(p, command, session->options, command->name, &sink);

	if (!err)
		err = session_run(session, command, session->options, NULL, 0, sink);
	if (sink)
		report_left_out(p, sink);
	if (!err || ferror(p->io->out))
		return err;
	if (!sink || sink_rows(sink) == 0)
		fputs(frame->none, p->io->out);
	diag_error(&p->diag, err, "%s", command->name);
	++*failed;
	return NULL;
}

static struct error *output_error(FILE *out)
{
	return ferror(out) ? error_os(errno ? errno : EIO, "cannot write the output") : NULL;
}

static struct error *run_several(struct program *p, struct session *session)
{
	enum sink_kind kind;
	struct error *err = read_kind(session->options, &kind);
	const struct frame *frame = &frames[kind];
	uint64_t failed = 0;

	if (err)
		return err;
	for (size_t i = 0; i < p->chosen.count; i++) {
		errno = 0;
		fprintf(p->io->out, i ? frame->next : frame->first, p->chosen.items[i]->name);
		if ((err = output_error(p->io->out)) ||
		    (err = run_one(p, session, p->chosen.items[i], frame, &failed)))
			return err;
	}
	fputs(frame->end, p->io->out);
	if (failed < p->chosen.count)
		return NULL;
	return error_new(ERROR_CORRUPT, "%s: none of the commands has a result",
			 session->snapshot->file.path);
}

static struct error *run_commands(struct program *p, const struct option_values *options)
{
	size_t snapshots = p->command->flags & COMMAND_NO_SNAPSHOT ? 0 : 1;
	struct session session CLEANUP(session_close) = {
		.options = options,
		.store = symbol_store(p),
		.diag = &p->diag,
		.arena = &p->arena,
		.in = p->io->in,
		.out = p->io->out,
	};
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	enum sink_kind kind;
	/* First: "-f" is the snapshot to who knows other tools. */
	struct error *err = read_kind(options, &kind);

	if (!err && p->chosen.count > 1)
		err = check_several(p, options);
	for (size_t i = 0; i < p->chosen.count && !err; i++)
		err = check_arguments(p, p->chosen.items[i], options);
	if (!err && p->chosen.count == 1)
		err = open_sink(p, p->command, options, NULL, &sink);
	if (!err && snapshots)
		err = session_open(&session, options->args[0]);
	if (err)
		return err;
	if (p->chosen.count > 1)
		return run_several(p, &session);
	err = session_run(&session, p->command, options, options->args + snapshots,
			  options->num_args - snapshots, sink);
	p->asked = session.exit_status;
	report_left_out(p, sink);
	return err;
}

/* --version, --man and --help win over everything else. */
static struct error *answer_about_program(struct program *p, const struct option_values *options,
					  bool *answered_ret)
{
	FILE *out = p->io->out;
	enum sink_kind kind;
	struct error *err;

	*answered_ret = true;
	if (option_flag(options, "version")) {
		if ((err = read_kind(options, &kind)) != NULL)
			return err;
		version_print(out, kind == SINK_JSON || kind == SINK_JSONL);
	} else if (option_flag(options, "man")) {
		man_print(out);
	} else if (option_flag(options, "help") && p->command) {
		help_command(out, p->command);
	} else if (option_flag(options, "help")) {
		help_overview(out);
	} else {
		*answered_ret = false;
	}
	return NULL;
}

/* "ntscope help [COMMAND|TOPIC]". */
static struct error *run_help(struct program *p, const struct option_values *options)
{
	FILE *out = p->io->out;
	size_t used;

	if (options->num_args == 0 || strcmp(options->args[0], "help") == 0) {
		help_overview(out);
		return NULL;
	}
	p->command = command_find(options->args, options->num_args, &used);
	if (p->command)
		help_command(out, p->command);
	else if (!help_topic(out, options->args[0]))
		return choice_unknown(options->args[0]);
	return NULL;
}

/* One --command. "-c pid,name" was perhaps meant to be columns. */
static struct error *choose_named(struct program *p, const char *list)
{
	const struct command *first = p->chosen.count ? p->chosen.items[0] : NULL;
	struct error *err = choice_add_list(&p->chosen, &p->arena, list), *not_a_column;
	unsigned column;

	if (!err || !first)
		return err;
	not_a_column =
		column_find(first->columns, first->num_columns, list, strcspn(list, ","), &column);
	if (!not_a_column)
		return error_wrap(err, "-c is for commands, -C for columns");
	error_destroy(not_a_column);
	return err;
}

/*
 * By the first words, *used_ret of them, and by --command; with that alone the first word is the
 * snapshot. "help" is none of the commands.
 */
static struct error *choose(struct program *p, int argc, char *const *argv,
			    const struct command_words *words, int *used_ret)
{
	struct error *err = NULL;
	size_t used = 0;

	*used_ret = 0;
	if (words->first < argc && !words->named_before) {
		const char *const *first = (const char *const *)argv + words->first;

		if (strcmp(first[0], "help") == 0 && !words->num_named) {
			*used_ret = 1;
			return NULL;
		}
		err = choice_add_words(&p->chosen, &p->arena, first, (size_t)(argc - words->first),
				       &used);
		if (err && !p->chosen.count && words->num_named)
			error_destroy(take_ptr(err));
		else
			*used_ret = (int)used;
	}
	p->command = p->chosen.count ? p->chosen.items[0] : NULL;
	if (err || (p->command && (p->command->flags & COMMAND_RUNS_COMMANDS)))
		return err;
	for (size_t i = 0; i < words->num_named && !err; i++)
		err = choose_named(p, words->named[i]);
	p->command = p->chosen.count ? p->chosen.items[0] : NULL;
	return err;
}

static struct error *read_color(const struct program *p, const struct option_values *options,
				bool *ret)
{
	const char *when = option_string(options, "color");

	if (!when || strcmp(when, "auto") == 0)
		*ret = p->io->out_color;
	else if (strcmp(when, "always") == 0 || strcmp(when, "never") == 0)
		*ret = when[0] == 'a';
	else
		return error_new(ERROR_USAGE, "option '--color': '%s' is not auto, always or never",
				 when);
	return NULL;
}

/* What the options say to all commands. */
static struct error *set_up(struct program *p, const struct option_values *options,
			    size_t num_named)
{
	const char *const *named;

	if (option_list(options, "command", &named) != num_named)
		return error_new(ERROR_USAGE, "option '-c' stands by itself: not joined to letters "
					      "of a command's own options");
	p->messages.quiet = option_flag(options, "quiet");
	p->messages.verbose = option_flag(options, "verbose");
	p->store.verbose = p->messages.verbose;
	if (!option_flag(options, "no-symbol-store"))
		p->store.folder = symbol_store_default_folder(&p->arena);
	return read_color(p, options, &p->color);
}

/* The words of the command line that do not name the command, parsed. */
static struct error *parse_words(struct program *p, int argc, char *const *argv,
				 struct option_values *ret, int *used_ret)
{
	struct command_words named = { 0 };
	struct option_table own;
	struct error *err;
	char **words;
	int count = 0;

	if ((err = options_find_commands(&p->arena, argc, argv, &named)) != NULL)
		return err;
	words = arena_calloc(&p->arena, (size_t)argc + 1, sizeof(*words));
	if (!words)
		return &error_no_memory;
	if ((err = choose(p, argc, argv, &named, used_ret)) != NULL)
		return err;
	for (int i = 0; i < argc; i++) {
		if (i < named.first || i >= named.first + *used_ret)
			words[count++] = argv[i];
	}
	if ((err = choice_options(&p->chosen, &p->arena, &own)) != NULL)
		return err;
	if ((err = options_parse(&p->arena, &own, count, words, ret)) != NULL)
		return err;
	return set_up(p, ret, named.num_named);
}

static struct error *run_words(struct program *p, int argc, char *const *argv)
{
	struct option_values options;
	const char *columns;
	struct error *err;
	bool answered;
	int used;

	if ((err = parse_words(p, argc, argv, &options, &used)) != NULL)
		return err;
	err = answer_about_program(p, &options, &answered);
	if (err || answered)
		return err;
	if (!p->command)
		return used ? run_help(p, &options) : error_new(ERROR_USAGE, "which command?");
	columns = option_string(&options, "columns");
	if (columns && strcmp(columns, "help") == 0) {
		help_columns(p->io->out, p->command);
		return NULL;
	}
	return run_commands(p, &options);
}

/* A reader that went away, as in "ntscope ps file | head", is told nothing. */
static bool is_broken_pipe(const struct error *err)
{
	return error_code(err) == ERROR_OS && error_errno(err) == EPIPE;
}

static enum exit_status report_error(const struct program *p, const struct error *err)
{
	if (!is_broken_pipe(err))
		messages_print(&p->messages, error_message(err));
	if (error_code(err) != ERROR_USAGE)
		return STATUS_FAILED;
	fprintf(p->io->err, "ntscope: try 'ntscope help%s%s'\n", p->command ? " " : "",
		p->command ? p->command->name : "");
	return STATUS_USAGE;
}

static struct error *flush_output(FILE *out)
{
	errno = 0;
	fflush(out);
	return output_error(out);
}

enum exit_status program_run(int argc, char *const *argv, const struct program_io *io)
{
	struct program p = { .io = io, .messages = { .err = io->err } };
	struct error *err CLEANUP(error_cleanup) = NULL;

	p.reported.messages = &p.messages;
	diag_init(&p.diag, messages_diag_fn, &p.reported);
	arena_init(&p.arena, 0);
	err = run_words(&p, argc > 0 ? argc - 1 : 0, argv + 1);
	if (!err)
		err = flush_output(io->out);
	arena_deinit(&p.arena);
	messages_summary(&p.reported);
	if (err)
		return report_error(&p, err);
	return p.diag.partial ? STATUS_PARTIAL : (enum exit_status)p.asked;
}
