/* SPDX-License-Identifier: MIT */
#include "cli/verify/collect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "cli/commands.h"
#include "cli/evidence.h"
#include "cli/row_options.h"
#include "cli/session.h"
#include "cli/verify/value.h"

/* Messages of what is running; any thread of it may report, one at a time. */
struct listener {
	const struct collect *collect;
	struct arena arena; /* until they are taken */
	const char *items[EXPECTED_MAX_MESSAGES];
	size_t count;
	uint64_t more; /* that were not kept */
	bool no_memory;
};

/* The snapshot while it is open for lines. */
struct collector {
	const struct collect *collect;
	struct arena *arena; /* of the result */
	struct session session;
	struct diag diag;
	struct listener listener;
	FILE *nowhere; /* in and out */
};

static void file_cleanup(struct file *f)
{
	file_close(f);
}

static void rows_cleanup(struct rows *r)
{
	rows_deinit(r);
}

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

struct error *collect_identity(const struct collect *c, struct expected *ret)
{
	enum { PIECE = FILE_MAX_VIEW };
	struct arena *a = c->run->arena;
	struct file file CLEANUP(file_cleanup) = { 0 };
	char text[SHA256_TEXT_SIZE];
	uint8_t sum[SHA256_SIZE];
	struct progress progress;
	struct sha256 sha;
	struct error *err = file_open(&file, c->path);

	if (err)
		return err;
	sha256_init(&sha);
	progress_begin(&progress, "hashing", file.size, option_flag(c->run->options, "quiet"));
	for (uint64_t at = 0; at < file.size;) {
		uint64_t left = file.size - at;
		size_t len = left < PIECE ? (size_t)left : PIECE;

		sha256_add(&sha, file.bytes + at, len);
		progress_add(&progress, len);
		at += len;
	}
	progress_end(&progress);
	sha256_end(&sha, sum);
	sha256_format(sum, text);
	ret->snapshot.name = arena_strdup(a, base_name(c->path));
	ret->snapshot.size = file.size;
	ret->snapshot.sha256 = arena_strdup(a, text);
	return ret->snapshot.name && ret->snapshot.sha256 ? NULL : &error_no_memory;
}

/* The message with the snapshot's name where its path is. */
static const char *without_path(struct arena *a, const char *message, const char *path,
				const char *name)
{
	const char *at = *path ? strstr(message, path) : NULL;

	if (!at)
		return arena_strdup(a, message);
	message =
		arena_printf(a, "%.*s%s%s", (int)(at - message), message, name, at + strlen(path));
	return message;
}

static void keep_message(struct listener *l, const char *message)
{
	const char *path = l->collect->path;

	if (l->count == EXPECTED_MAX_MESSAGES) {
		l->more++;
		return;
	}
	l->items[l->count] = without_path(&l->arena, message, path, base_name(path));
	if (l->items[l->count])
		l->count++;
	else
		l->no_memory = true;
}

/* Runs under the lock of all diags: notes go to the outer one's function, not into it. */
static void listen(void *arg, enum diag_kind kind, const char *message)
{
	struct listener *l = arg;
	const struct diag *outer = l->collect->run->diag;

	if (kind == DIAG_PARTIAL)
		keep_message(l, message);
	else if (outer->fn)
		outer->fn(outer->arg, kind, message);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Hands over what was heard, in an order that threads do not change, and listens anew. */
static struct error *take_messages(struct collector *c, struct word_list *ret)
{
	struct listener *l = &c->listener;
	const char **items = arena_calloc(c->arena, l->count + 2, sizeof(*items));
	size_t count = 0;

	if (!items || l->no_memory)
		return &error_no_memory;
	qsort(l->items, l->count, sizeof(*l->items), compare_texts);
	for (; count < l->count; count++) {
		if (!(items[count] = arena_strdup(c->arena, l->items[count])))
			return &error_no_memory;
	}
	if (l->more &&
	    !(items[count++] = arena_printf(c->arena, "... and %" PRIu64 " more", l->more)))
		return &error_no_memory;
	arena_reset(&l->arena);
	l->count = 0;
	l->more = 0;
	/* What was said of one command is said of the next one as well. */
	diag_init(&c->diag, listen, l);
	*ret = (struct word_list){ items, count };
	return NULL;
}

static struct error *keep_values(struct arena *a, const struct rows *rows, const unsigned *shown,
				 size_t num_shown, struct expected_result *ret)
{
	struct expected_column *columns = arena_calloc(a, num_shown + 1, sizeof(*columns));
	const char **values = arena_calloc(a, rows->count * num_shown + 1, sizeof(*values));

	if (!columns || !values)
		return &error_no_memory;
	for (size_t j = 0; j < num_shown; j++)
		columns[j] = (struct expected_column){ rows->columns[shown[j]].key,
						       rows->columns[shown[j]].type };
	for (size_t i = 0; i < rows->count; i++) {
		for (size_t j = 0; j < num_shown; j++) {
			const struct cell *cell = &rows->items[i].cells[shown[j]];
			const char **value = &values[i * num_shown + j];

			if (!(*value = expected_value(a, columns[j].type, cell)))
				return &error_no_memory;
		}
	}
	ret->columns = columns;
	ret->num_columns = num_shown;
	ret->values = values;
	ret->num_rows = rows->count;
	return NULL;
}

/* A command that fails has said why, and the rows before that count. */
static struct error *keep_failure(struct collector *c, struct error *err, bool *failed_ret)
{
	*failed_ret = false;
	if (!err || error_code(err) == ERROR_USAGE || error_code(err) == ERROR_NO_MEMORY)
		return err;
	*failed_ret = true;
	keep_message(&c->listener, error_message(err));
	error_destroy(err);
	return NULL;
}

static struct error *run_line(struct collector *c, const struct command_line *line,
			      struct expected_result *ret)
{
	const struct command *command = line->command;
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	struct rows rows CLEANUP(rows_cleanup) = { 0 };
	struct sink_options options;
	const unsigned *shown;
	size_t num_shown;
	struct error *err;
	bool failed;

	if ((err = row_options_read(c->arena, command, &line->options, &options)) ||
	    (err = row_options_shown(c->arena, command, &options, &shown, &num_shown)) ||
	    (err = sink_create_rows(&options, &rows, &sink)) ||
	    (err = sink_begin(sink, command->columns, command->num_columns)))
		return err;
	err = session_run(&c->session, command, &line->options, line->args, line->num_args, sink);
	if ((err = keep_failure(c, err, &failed)) ||
	    (err = keep_values(c->arena, &rows, shown, num_shown, ret)) ||
	    (err = take_messages(c, &ret->messages)))
		return err;
	ret->status = failed		    ? EXPECTED_FAILED
		      : ret->messages.count ? EXPECTED_PARTIAL
					    : EXPECTED_OK;
	return NULL;
}

/* What info says of the kernel, which opens it before the first command. */
static struct error *read_profile(struct collector *c, struct expected *ret)
{
	const struct command_line line = { .command = &cmd_info, .options = *c->session.options };
	struct expected_result info = { 0 };
	struct error *err = run_line(c, &line, &info);

	ret->messages = info.messages;
	for (unsigned i = 0; i < NUM_EXPECTED_PROFILE && !err; i++) {
		ret->profile[i] = VALUE_ABSENT;
		for (size_t j = 0; j < info.num_columns && info.num_rows; j++) {
			if (strcmp(info.columns[j].key, expected_profile_keys[i]) == 0)
				ret->profile[i] = info.values[j];
		}
	}
	return err;
}

/* Evidence is never replaced. */
static struct error *check_output(const struct collector *c)
{
	const struct command_run opened = {
		.snapshot = c->session.snapshot,
		.options = c->session.options,
	};

	return c->collect->output ? check_no_evidence(&opened, c->collect->output) : NULL;
}

static struct error *run_lines(struct collector *c, const struct command_line *lines,
			       const struct word_list *words, size_t num_lines,
			       struct expected *ret)
{
	struct error *err = session_open(&c->session, c->collect->path);

	if (err || (err = check_output(c)) || (err = read_profile(c, ret)))
		return err;
	ret->program = "ntscope " NTSCOPE_VERSION;
	ret->num_results = num_lines;
	ret->results = arena_calloc(c->arena, num_lines + 1, sizeof(*ret->results));
	if (!ret->results)
		return &error_no_memory;
	for (size_t i = 0; i < num_lines && !err; i++) {
		ret->results[i].command = words[i];
		if (lines[i].command)
			err = error_wrap(run_line(c, &lines[i], &ret->results[i]), "%s",
					 lines[i].command->name);
	}
	return err;
}

/* What closing said, after what opening said. */
static struct error *add_messages(struct collector *c, struct word_list *messages)
{
	struct word_list last;
	const char **items;
	struct error *err = take_messages(c, &last);

	if (err || !last.count)
		return err;
	items = arena_calloc(c->arena, messages->count + last.count, sizeof(*items));
	if (!items)
		return &error_no_memory;
	for (size_t i = 0; i < messages->count; i++)
		items[i] = messages->items[i];
	for (size_t i = 0; i < last.count; i++)
		items[messages->count + i] = last.items[i];
	*messages = (struct word_list){ items, messages->count + last.count };
	return NULL;
}

/* Options of opening as a command without options of its own has them. */
static struct error *parse_opening(const struct collect *c, struct option_values *ret)
{
	static const struct option_table none = { NULL, 0 };
	struct arena *a = c->run->arena;
	size_t count = 0;
	char **argv = arena_calloc(a, c->opening.count + 1, sizeof(*argv));

	if (!argv)
		return &error_no_memory;
	for (; count < c->opening.count; count++) {
		if (!(argv[count] = arena_strdup(a, c->opening.items[count])))
			return &error_no_memory;
	}
	return options_parse(a, &none, (int)count, argv, ret);
}

struct error *collect_results(const struct collect *collect, const struct command_line *lines,
			      const struct word_list *words, size_t num_lines, struct expected *ret)
{
	const struct command_run *run = collect->run;
	struct option_values opening;
	struct error *err = parse_opening(collect, &opening);
	struct collector *c;

	if (err)
		return err;
	c = calloc(1, sizeof(*c)); /* large: messages, and what diags remember */
	if (!c)
		return &error_no_memory;
	c->collect = collect;
	c->arena = run->arena;
	c->listener.collect = collect;
	arena_init(&c->listener.arena, 0);
	diag_init(&c->diag, listen, &c->listener);
	c->nowhere = fopen("/dev/null", "r+");
	c->session = (struct session){
		.options = &opening,
		.store = option_flag(&opening, "no-symbol-store") ? NULL : run->store,
		.diag = &c->diag,
		.arena = run->arena,
		.in = c->nowhere,
		.out = c->nowhere,
	};
	err = c->nowhere ? run_lines(c, lines, words, num_lines, ret)
			 : error_os(errno, "/dev/null");
	session_close(&c->session);
	if (!err)
		err = add_messages(c, &ret->messages);
	if (c->nowhere)
		fclose(c->nowhere);
	arena_deinit(&c->listener.arena);
	free(c);
	return err;
}
