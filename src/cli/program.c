/* SPDX-License-Identifier: MIT */
#include "cli/program.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/messages.h"
#include "windows/kernel/kernel.h"
#include "windows/symbols/symbol_store.h"

enum { MAX_THREADS = 1024 };

static const struct option_table no_options = { NULL, 0 };

struct program {
	const struct program_io *io;
	struct messages messages;
	struct messages_diag reported;
	struct diag diag;
	struct arena arena;
	const struct command *command; /* NULL until it is known */
	struct symbol_store store;     /* folder NULL: none */
};

static void snapshot_cleanup(struct snapshot **s)
{
	snapshot_close(*s);
}

static void kernel_cleanup(struct kernel **k)
{
	kernel_close(*k);
}

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

static struct error *open_sink(struct program *p, const struct option_values *options,
			       struct sink **ret)
{
	const struct command *command = p->command;
	const char *format = option_string(options, "format");
	const char *columns = option_string(options, "columns");
	struct sink_options sink_options = {
		.one_object = command->flags & COMMAND_ONE_OBJECT,
		.terminal = p->io->out_is_terminal,
	};
	enum sink_kind kind = SINK_TEXT;
	struct error *err;

	if (format && !sink_kind_from_name(format, &kind))
		return error_new(ERROR_USAGE,
				 "option '--format': '%s' is not text, json, jsonl or csv", format);
	if (!columns && command->default_columns)
		columns = command->default_columns(options);
	if (columns) {
		err = select_columns(&p->arena, command, columns, &sink_options);
		if (err)
			return err;
	}
	option_u64(options, "limit", &sink_options.limit);
	if ((err = sink_create(kind, p->io->out, &sink_options, ret)) != NULL)
		return err;
	return sink_begin(*ret, command->columns, command->num_columns);
}

static const struct symbol_store *symbol_store(const struct program *p)
{
	return p->store.folder ? &p->store : NULL;
}

static struct error *read_threads(const struct option_values *options, unsigned *ret)
{
	uint64_t threads = 0;

	if (option_u64(options, "threads", &threads) && threads > MAX_THREADS)
		return error_new(ERROR_USAGE, "option '--threads': at most %d", MAX_THREADS);
	*ret = (unsigned)threads;
	return NULL;
}

static struct error *read_kernel_options(const struct program *p,
					 const struct option_values *options,
					 struct kernel_options *ret)
{
	struct kernel_options ko = { 0 };
	struct error *err = read_threads(options, &ko.locate.threads);

	if (err)
		return err;
	ko.locate.has_dtb = option_u64(options, "dtb", &ko.locate.dtb);
	ko.locate.has_kernel_base = option_u64(options, "kernel-base", &ko.locate.kernel_base);
	ko.locate.quiet = option_flag(options, "quiet");
	ko.profile.num_symbols = option_list(options, "symbols", &ko.profile.symbols);
	ko.profile.store = symbol_store(p);
	ko.num_pagefiles = option_list(options, "pagefile", &ko.pagefiles);
	ko.profile.no_builtin = option_flag(options, "no-builtin-symbols");
	*ret = ko;
	return NULL;
}

/* The kernel as the command's flags ask for it: see struct command_run. */
static struct error *open_kernel(struct program *p, const struct snapshot *snapshot,
				 const struct option_values *options, struct kernel **ret,
				 struct error **why_not)
{
	const struct command *command = p->command;
	struct kernel_options kernel_options;
	struct error *err;

	if (!(command->flags & (COMMAND_NEEDS_KERNEL | COMMAND_TRIES_KERNEL)))
		return NULL;
	if (command->without_kernel && command->without_kernel(options))
		return NULL;
	if ((err = read_kernel_options(p, options, &kernel_options)) != NULL)
		return err;
	err = kernel_open(snapshot, &kernel_options, &p->diag, ret);
	err = error_wrap(err, "%s", snapshot->file.path);
	if (!err || (command->flags & COMMAND_NEEDS_KERNEL))
		return err;
	*why_not = err;
	return NULL;
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

/* Ends the rows that went out, also those before an error, so that what is there is well formed. */
static struct error *end_rows(const struct command_run *run, struct error *err)
{
	struct error *end_err;

	if (run->wrote_raw || (err && sink_rows(run->sink) == 0))
		return err;
	end_err = sink_end(run->sink);
	if (!err)
		return end_err;
	error_destroy(end_err);
	return err;
}

static struct error *open_snapshot(struct program *p, const struct option_values *options,
				   struct snapshot **ret)
{
	struct snapshot_options given = {
		.format = option_string(options, "input-format"),
		.memory_map = option_string(options, "memory-map"),
		.container.member = option_string(options, "member"),
		.container.quiet = option_flag(options, "quiet"),
	};
	struct error *err = read_threads(options, &given.threads);

	if (err)
		return err;
	(void)option_u64(options, "max-memory", &given.max_memory);
	(void)option_u64(options, "max-unpacked", &given.container.max_unpacked);
	return snapshot_open(options->args[0], &given, &p->diag, ret);
}

/* Pages that a compressed snapshot should have and that could not be decoded, if any was wanted. */
static void report_damage(struct program *p, const struct snapshot *snapshot)
{
	uint64_t pages = 0;
	struct error *why = NULL;

	if (snapshot && snapshot->mem)
		why = physmem_damage(snapshot->mem, &pages);

	if (why)
		diag_error(&p->diag, why, "%s: %" PRIu64 " pages cannot be decoded; the lowest",
			   snapshot->file.path, pages);
}

static struct error *run_command(struct program *p, const struct option_values *options)
{
	struct snapshot *snapshot CLEANUP(snapshot_cleanup) = NULL;
	struct kernel *kernel CLEANUP(kernel_cleanup) = NULL;
	struct error *kernel_error CLEANUP(error_cleanup) = NULL;
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	size_t snapshots = p->command->flags & COMMAND_NO_SNAPSHOT ? 0 : 1;
	struct command_run run;
	struct error *err;

	if ((err = check_arguments(p->command, options)) != NULL)
		return err;
	if ((err = open_sink(p, options, &sink)) != NULL)
		return err;
	if (snapshots && (err = open_snapshot(p, options, &snapshot)) != NULL)
		return err;
	if ((err = open_kernel(p, snapshot, options, &kernel, &kernel_error)) != NULL) {
		report_damage(p, snapshot);
		return err;
	}
	run = (struct command_run){
		.command = p->command,
		.snapshot = snapshot,
		.kernel = kernel,
		.kernel_error = kernel_error,
		.store = symbol_store(p),
		.options = options,
		.args = options->args + snapshots,
		.num_args = options->num_args - snapshots,
		.sink = sink,
		.in = p->io->in,
		.out = p->io->out,
		.diag = &p->diag,
		.arena = &p->arena,
	};
	err = p->command->run(&run);
	report_damage(p, snapshot);
	return end_rows(&run, err);
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

/* By the first words, *used_ret of them. "help" is none of the commands. */
static struct error *choose_command(struct program *p, int argc, char *const *argv, int *used_ret)
{
	size_t used;

	p->command = command_find((const char *const *)argv, (size_t)argc, &used);
	if (!p->command && strcmp(argv[0], "help") != 0)
		return unknown_command(argv[0]);
	*used_ret = p->command ? (int)used : 1;
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
	struct option_table own = no_options;
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
	if (at < argc && (err = choose_command(p, argc - at, argv + at, &used)) != NULL)
		return err;
	for (int i = 0; i < argc; i++) {
		if (i < at || i >= at + used)
			words[count++] = argv[i];
	}
	if (p->command)
		own = (struct option_table){ p->command->options, p->command->num_options };
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
	return run_command(p, &options);
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
