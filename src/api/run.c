/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/table.h"
#include "cli/program.h"
#include "cli/row_options.h"

/* One run of a command, and what it needs for as long as it takes. */
struct run {
	struct nts_snapshot *s;
	const struct command *command;
	struct option_values options;
	struct arena arena;
	struct nts_table *table;
};

static void run_deinit(struct run *r)
{
	arena_deinit(&r->arena);
	nts_table_free(r->table);
}

static struct error *find_command(const char *name, bool has_snapshot, const struct command **ret)
{
	const struct command *command = (const struct command *)nts_command_find(name);

	if (!command)
		return error_new(ERROR_USAGE, "unknown command '%s'", name ? name : "");
	if (command->flags & COMMAND_RUNS_COMMANDS)
		return error_new(ERROR_UNSUPPORTED, "'%s' is the program's alone", name);
	if (has_snapshot && (command->flags & COMMAND_NO_SNAPSHOT))
		return error_new(ERROR_USAGE, "'%s' takes no snapshot that is open", name);
	if (!has_snapshot && !(command->flags & COMMAND_NO_SNAPSHOT))
		return error_new(ERROR_USAGE, "'%s' needs a snapshot", name);
	*ret = command;
	return NULL;
}

static struct error *check_arguments(const struct command *command, const struct option_values *o)
{
	if (o->num_args < command->min_args)
		return error_new(ERROR_USAGE, "%s: %s is missing", command->name,
				 command->arguments);
	if (o->num_args > command->max_args)
		return error_new(ERROR_USAGE, "%s: '%s' is one argument too many", command->name,
				 o->args[command->max_args]);
	return NULL;
}

/* What is written in place of rows, up to NTS_MAX_OUTPUT bytes: a cookie_write_function_t. */
static ssize_t keep_output(void *cookie, const char *bytes, size_t len)
{
	struct nts_table *t = cookie;
	struct error *err = array_reserve(&t->output, &t->output_capacity, t->output_size + len, 1,
					  NTS_MAX_OUTPUT, "bytes of output");

	if (err) {
		errno = error_code(err) == ERROR_LIMIT ? EFBIG : ENOMEM;
		error_destroy(err);
		return 0;
	}
	memcpy(t->output + t->output_size, bytes, len);
	t->output_size += len;
	return (ssize_t)len;
}

static void close_stream(FILE **f)
{
	if (*f)
		fclose(*f);
}

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

/* Messages from here on are the table's, until NULL gives them back to the snapshot. */
static void send_messages(struct nts_snapshot *s, struct nts_table *to)
{
	pthread_mutex_lock(&s->message_lock);
	s->now = to ? &to->messages : &s->messages;
	pthread_mutex_unlock(&s->message_lock);
}

/* The options with the format on which commands choose their columns. */
static struct error *options_of_data(struct run *r, struct option_values *ret)
{
	struct option_value *items = arena_calloc(&r->arena, r->options.count, sizeof(*items));

	if (!items)
		return &error_no_memory;
	*ret = r->options;
	ret->items = items;
	for (size_t i = 0; i < ret->count; i++) {
		items[i] = r->options.items[i];
		if (strcmp(items[i].row->name, "format") == 0) {
			items[i].given = true;
			items[i].text = "json";
		}
	}
	return NULL;
}

static struct error *keep_shown(struct nts_table *t, const unsigned *shown, size_t count)
{
	t->shown = calloc(count + 1, sizeof(*shown));
	if (!t->shown)
		return &error_no_memory;
	memcpy(t->shown, shown, count * sizeof(*shown));
	t->num_shown = count;
	return NULL;
}

/* Rows go to the sink, bytes to the table's output. */
static struct error *run_session(struct run *r, struct sink *sink)
{
	const cookie_io_functions_t functions = { .write = keep_output };
	FILE *out CLEANUP(close_stream) = fopencookie(r->table, "w", functions);
	struct session *session = &r->s->session;
	struct error *err;

	if (!out)
		return &error_no_memory;
	session->out = out;
	session->arena = &r->arena; /* or each run would add to the snapshot's */
	send_messages(r->s, r->table);
	err = session_run(session, r->command, &r->options, r->options.args, r->options.num_args,
			  sink);
	session_report_damage(session);
	send_messages(r->s, NULL);
	session->arena = &r->s->arena;
	session->out = NULL;
	errno = 0;
	if (!err && (fflush(out) != 0 || ferror(out)))
		err = error_os(errno ? errno : EFBIG, "cannot keep the output");
	return err;
}

/* Under the snapshot's lock. */
static struct error *run_locked(struct run *r)
{
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	struct sink_options options;
	struct option_values of_data;
	const unsigned *shown;
	size_t num_shown;
	struct error *err;
	bool partial;

	if ((err = api_prepare(r->s, r->command, &r->options)) ||
	    (err = options_of_data(r, &of_data)) ||
	    (err = row_options_read(&r->arena, r->command, &of_data, &options)) ||
	    (err = row_options_shown(&r->arena, r->command, &options, &shown, &num_shown)) ||
	    (err = keep_shown(r->table, shown, num_shown)) ||
	    (err = sink_create_rows(&options, &r->table->rows, &sink)) ||
	    (err = sink_begin(sink, r->command->columns, r->command->num_columns)))
		return err;
	err = run_session(r, sink);
	partial = diag_forget(&r->s->diag) != 0;
	if (partial || r->s->partial)
		r->table->status = STATUS_PARTIAL;
	else
		r->table->status = (int)r->s->session.exit_status;
	return err;
}

static struct error *run(struct run *r, const char *const *words, size_t num_words)
{
	const struct option_table own = { r->command->options, r->command->num_options };
	struct error *err;

	r->table = calloc(1, sizeof(*r->table));
	if (!r->table)
		return &error_no_memory;
	kept_messages_init(&r->table->messages);
	if ((err = api_parse(r->s, &r->arena, &own, words, num_words, &r->options)) ||
	    (err = check_arguments(r->command, &r->options)))
		return err;
	pthread_mutex_lock(&r->s->lock);
	err = run_locked(r);
	pthread_mutex_unlock(&r->s->lock);
	return err;
}

struct nts_error *nts_run(struct nts_snapshot *s, const char *command, const char *const *words,
			  size_t num_words, struct nts_table **ret)
{
	struct run r CLEANUP(run_deinit) = { .s = s };
	struct error *err = find_command(command, s != NULL, &r.command);

	arena_init(&r.arena, 0);
	if (!err && !s)
		err = api_open(NULL, NULL, 0, &r.s);
	if (!err)
		err = run(&r, words, num_words);
	if (!s)
		api_release(r.s);
	if (err)
		return public_error(err);
	*ret = take_ptr(r.table);
	return NULL;
}

void nts_table_free(struct nts_table *t)
{
	if (!t)
		return;
	rows_deinit(&t->rows);
	kept_messages_deinit(&t->messages);
	free(t->shown);
	free(t->output);
	free(t);
}
