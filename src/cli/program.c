/* SPDX-License-Identifier: MIT */
#include "cli/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/messages.h"
#include "cli/session.h"
#include "windows/symbols/symbol_store.h"

/* Commands in one run. */
enum { MAX_CHOSEN = 64 };

struct program {
	const struct program_io *io;
	struct messages messages;
	struct messages_diag reported;
	struct diag diag;
	struct arena arena;
	const struct command *command; /* the one that help is about; NULL until it is known */
	const struct command *chosen[MAX_CHOSEN];
	size_t num_chosen;
	struct symbol_store store; /* folder NULL: none */
};

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

static struct error *find_column(const struct command *command, const char *key, size_t len,
				 unsigned *ret)
{
	for (size_t i = 0; i < command->num_columns; i++) {
		const char *name = command->columns[i].key;

		if (strlen(name) == len && memcmp(name, key, len) == 0) {
			*ret = (unsigned)i;
			return NULL;
		}
	}
	return error_new(ERROR_USAGE, "no column '%.*s' (ntscope %s --columns help lists them)",
			 (int)len, key, command->name);
}

/* "a,b,c" to indexes of the command's columns. */
static struct error *select_columns(struct arena *a, const struct command *command,
				    const char *list, struct sink_options *ret)
{
	size_t count = 0, capacity = strlen(list) / 2 + 1;
	unsigned *selected = arena_calloc(a, capacity, sizeof(*selected));
	struct error *err;

	if (!selected)
		return &error_no_memory;
	for (;; list++) {
		size_t len = strcspn(list, ",");

		if ((err = find_column(command, list, len, &selected[count])) != NULL)
			return err;
		for (size_t i = 0; i < count; i++) {
			if (selected[i] == selected[count])
				return error_new(ERROR_USAGE, "column '%.*s' is there twice",
						 (int)len, list);
		}
		count++;
		list += len;
		if (!*list)
			break;
	}
	ret->selected = selected;
	ret->num_selected = count;
	return NULL;
}

/* "a,-b" to indexes of the command's columns; "-": descending. */
static struct error *select_order(struct arena *a, const struct command *command, const char *list,
				  struct sink_options *ret)
{
	struct sort_key *keys = arena_calloc(a, strlen(list) / 2 + 1, sizeof(*keys));
	struct error *err;
	size_t count = 0;

	if (!keys)
		return &error_no_memory;
	for (;; list++) {
		bool descending = *list == '-';
		size_t len = strcspn(list += descending, ",");

		err = find_column(command, list, len, &keys[count].column);
		if (err)
			return err;
		keys[count++].descending = descending;
		list += len;
		if (!*list)
			break;
	}
	ret->sort = keys;
	ret->num_sort = count;
	return NULL;
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
	const char *columns = option_string(options, "columns");
	const char *order = option_string(options, "sort");
	struct sink_options sink_options = {
		.one_object = command->flags & COMMAND_ONE_OBJECT,
		.terminal = p->io->out_is_terminal,
		.label = label,
	};
	enum sink_kind kind;
	struct error *err = read_kind(options, &kind);

	if (err)
		return err;
	if (!columns && command->default_columns)
		columns = command->default_columns(options);
	if (columns && (err = select_columns(&p->arena, command, columns, &sink_options)) != NULL)
		return err;
	if (order && (err = select_order(&p->arena, command, order, &sink_options)) != NULL)
		return err;
	sink_options.num_where = option_list(options, "where", &sink_options.where);
	option_u64(options, "limit", &sink_options.limit);
	if ((err = sink_create(kind, p->io->out, &sink_options, ret)) != NULL)
		return err;
	return sink_begin(*ret, command->columns, command->num_columns);
}

static const struct symbol_store *symbol_store(const struct program *p)
{
	return p->store.folder ? &p->store : NULL;
}

static struct error *check_arguments(const struct command *command, const struct option_values *o)
{
	size_t snapshots = command->flags & COMMAND_NO_SNAPSHOT ? 0 : 1, given;

	if (o->num_args < snapshots)
		return error_new(ERROR_USAGE, "%s: which snapshot?", command->name);
	given = o->num_args - snapshots;
	if (given < command->min_args)
		return error_new(ERROR_USAGE, "%s: %s is missing%s", command->name,
				 command->arguments, snapshots ? " after the snapshot" : "");
	if (given > command->max_args)
		return error_new(ERROR_USAGE, "%s: '%s' is one argument too many", command->name,
				 o->args[snapshots + command->max_args]);
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
	for (size_t i = 0; i < p->num_chosen; i++) {
		if ((p->chosen[i]->flags & (COMMAND_NO_SNAPSHOT | COMMAND_RAW_OUTPUT)) ||
		    p->chosen[i]->min_args)
			return error_new(ERROR_USAGE, "'%s' runs alone", p->chosen[i]->name);
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

/* One of several commands: its error is one line, and the others go on. */
static void run_one(struct program *p, struct session *session, const struct command *command,
		    const struct frame *frame, uint64_t *failed)
{
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	struct error *err = open_sink(p, command, session->options, command->name, &sink);

	if (!err)
		err = session_run(session, command, session->options, NULL, 0, sink);
	if (!err)
		return;
	if (!sink || sink_rows(sink) == 0)
		fputs(frame->none, p->io->out);
	diag_error(&p->diag, err, "%s", command->name);
	++*failed;
}

static struct error *run_several(struct program *p, struct session *session)
{
	enum sink_kind kind;
	struct error *err = read_kind(session->options, &kind);
	const struct frame *frame = &frames[kind];
	uint64_t failed = 0;

	if (err)
		return err;
	for (size_t i = 0; i < p->num_chosen; i++) {
		fprintf(p->io->out, i ? frame->next : frame->first, p->chosen[i]->name);
		run_one(p, session, p->chosen[i], frame, &failed);
	}
	fputs(frame->end, p->io->out);
	if (failed < p->num_chosen)
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
	struct error *err = NULL;

	if (p->num_chosen > 1)
		err = check_several(p, options);
	for (size_t i = 0; i < p->num_chosen && !err; i++)
		err = check_arguments(p->chosen[i], options);
	if (!err && p->num_chosen == 1)
		err = open_sink(p, p->command, options, NULL, &sink);
	if (!err && snapshots)
		err = session_open(&session, options->args[0]);
	if (err)
		return err;
	if (p->num_chosen > 1)
		return run_several(p, &session);
	return session_run(&session, p->command, options, options->args + snapshots,
			   options->num_args - snapshots, sink);
}

/* --version, --man and --help win over everything else. */
static bool answer_about_program(const struct program *p, const struct option_values *options)
{
	FILE *out = p->io->out;

	if (option_flag(options, "version"))
		fprintf(out, "ntscope %s\n", NTSCOPE_VERSION);
	else if (option_flag(options, "man"))
		man_print(out);
	else if (option_flag(options, "help") && p->command)
		help_command(out, p->command);
	else if (option_flag(options, "help"))
		help_overview(out);
	else
		return false;
	return true;
}

static struct error *unknown_command(const char *name)
{
	const struct command *like = command_suggest(name);

	if (like)
		return error_new(ERROR_USAGE, "unknown command '%s'; did you mean '%s'?", name,
				 like->name);
	return error_new(ERROR_USAGE, "unknown command '%s'", name);
}

/* "ntscope help [COMMAND]". */
static struct error *run_help(struct program *p, const struct option_values *options)
{
	size_t used;

	if (options->num_args > 0 && strcmp(options->args[0], "help") != 0) {
		p->command = command_find(options->args, options->num_args, &used);
		if (!p->command)
			return unknown_command(options->args[0]);
		help_command(p->io->out, p->command);
	} else {
		help_overview(p->io->out);
	}
	return NULL;
}

static struct error *choose(struct program *p, const struct command *command)
{
	for (size_t i = 0; i < p->num_chosen; i++) {
		if (p->chosen[i] == command)
			return error_new(ERROR_USAGE, "command '%s' is there twice", command->name);
	}
	if (p->num_chosen == MAX_CHOSEN)
		return error_new(ERROR_USAGE, "more than %d commands", MAX_CHOSEN);
	p->chosen[p->num_chosen++] = command;
	p->command = p->chosen[0];
	return NULL;
}

/* One of a list: "ps", "registry keys". */
static struct error *choose_name(struct program *p, const char *name)
{
	enum { MAX_WORDS = 4 };
	const char *words[MAX_WORDS];
	size_t count = 0, used;
	char *copy = arena_strdup(&p->arena, name), *rest = NULL;
	const struct command *command;

	if (!copy)
		return &error_no_memory;
	for (char *w = strtok_r(copy, " ", &rest); w && count < MAX_WORDS;
	     w = strtok_r(NULL, " ", &rest))
		words[count++] = w;
	command = command_find(words, count, &used);
	if (!command || used != count)
		return unknown_command(name);
	return choose(p, command);
}

/* "ps,modules". */
static struct error *choose_list(struct program *p, const char *list)
{
	struct error *err = NULL;

	while (!err) {
		size_t len = strcspn(list, ",");
		const char *name = arena_strndup(&p->arena, list, len);

		err = name ? choose_name(p, name) : &error_no_memory;
		if (!list[len])
			break;
		list += len + 1;
	}
	return err;
}

/* By the first words, *used_ret of them. "help" is none of the commands. */
static struct error *choose_words(struct program *p, int argc, char *const *argv, int *used_ret)
{
	const struct command *command;
	size_t used;

	*used_ret = 1;
	if (strchr(argv[0], ','))
		return choose_list(p, argv[0]);
	command = command_find((const char *const *)argv, (size_t)argc, &used);
	if (!command)
		return strcmp(argv[0], "help") == 0 ? NULL : unknown_command(argv[0]);
	*used_ret = (int)used;
	return choose(p, command);
}

/* The options of all commands chosen: one that several have must mean the same kind of thing. */
static struct error *merge_options(struct program *p, struct option_table *ret)
{
	struct option_row *rows;
	size_t count = 0;

	for (size_t i = 0; i < p->num_chosen; i++)
		count += p->chosen[i]->num_options;
	rows = arena_calloc(&p->arena, count + 1, sizeof(*rows));
	if (!rows)
		return &error_no_memory;
	count = 0;
	for (size_t i = 0; i < p->num_chosen; i++) {
		for (size_t j = 0; j < p->chosen[i]->num_options; j++) {
			const struct option_row *row = &p->chosen[i]->options[j];
			size_t k = 0;

			while (k < count && strcmp(rows[k].name, row->name) != 0)
				k++;
			if (k == count)
				rows[count++] = *row;
			else if (rows[k].kind != row->kind)
				return error_new(ERROR_USAGE,
						 "'%s' and another command differ in what --%s is: "
						 "run them apart",
						 p->chosen[i]->name, row->name);
		}
	}
	*ret = (struct option_table){ rows, count };
	return NULL;
}

/* What the options say to all commands. */
static void set_up(struct program *p, const struct option_values *options)
{
	p->messages.quiet = option_flag(options, "quiet");
	p->messages.verbose = option_flag(options, "verbose");
	p->store.verbose = p->messages.verbose;
	if (!option_flag(options, "no-symbol-store"))
		p->store.folder = symbol_store_default_folder(&p->arena);
}

static struct error *run_words(struct program *p, int argc, char *const *argv)
{
	struct option_table own;
	struct option_values options;
	const char *columns;
	char **words;
	int at, used = 0, count = 0;
	struct error *err;

	if ((err = options_find_command(argc, argv, &at)) != NULL)
		return err;
	words = arena_calloc(&p->arena, (size_t)argc + 1, sizeof(*words));
	if (!words)
		return &error_no_memory;
	if (at < argc && (err = choose_words(p, argc - at, argv + at, &used)) != NULL)
		return err;
	for (int i = 0; i < argc; i++) {
		if (i < at || i >= at + used)
			words[count++] = argv[i];
	}
	if ((err = merge_options(p, &own)) != NULL)
		return err;
	if ((err = options_parse(&p->arena, &own, count, words, &options)) != NULL)
		return err;
	set_up(p, &options);
	if (answer_about_program(p, &options))
		return NULL;
	if (at == argc)
		return error_new(ERROR_USAGE, "which command?");
	if (!p->command)
		return run_help(p, &options);
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
	if (fflush(out) == 0 && !ferror(out))
		return NULL;
	return error_os(errno ? errno : EIO, "cannot write the output");
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
	return p.diag.partial ? STATUS_PARTIAL : STATUS_OK;
}
