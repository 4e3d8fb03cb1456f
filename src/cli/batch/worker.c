/* SPDX-License-Identifier: MIT */
#include "cli/batch/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/program.h"
#include "cli/session.h"
#include "output/columns.h"
#include "output/json_text.h"
#include "windows/kernel/kernel.h"

enum { CHUNK = 1 << 16 };

/* A message that waits for the end of a command's rows. */
struct message {
	enum diag_kind kind;
	char text[WORKER_MESSAGE_BYTES];
};

struct worker {
	const struct worker_job *job;
	int fd;
	struct diag diag;
	/* of the rows */
	uint64_t room;	   /* bytes that may still be written */
	off_t row_end;	   /* where the last whole row ends in the report; 0: nowhere */
	char last;	   /* the byte that was written last */
	bool full;	   /* a row did not fit */
	bool failed_write; /* the report itself cannot be written */
	/* messages */
	struct message *waiting;
	size_t num_waiting;
	uint64_t num_messages;
	/* what it comes to */
	size_t failed;	/* commands */
	bool no_memory; /* ran into the limit of memory */
	char *error;	/* why there is no result, or not all; NULL: there is */
};

static void write_all(struct worker *w, const char *bytes, size_t len)
{
	while (len && !w->failed_write) {
		ssize_t n = write(w->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			w->failed_write = true;
			return;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

static void write_text(struct worker *w, const char *text)
{
	write_all(w, text, strlen(text));
}

/* One line: kind, then "name": where there is a name, then the text, quoted. */
static void write_line(struct worker *w, enum report_line kind, const char *name, const char *text)
{
	char *line = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&line, &len);

	if (!out)
		return;
	putc((int)kind, out);
	if (name) {
		json_put_string(out, name);
		fputs(": ", out);
	}
	json_put_string(out, text);
	putc('\n', out);
	if (fclose(out) == 0)
		write_all(w, line, len);
	free(line);
}

/*
 * The rows on their way to the report, where they are one line: line breaks and tabs are only
 * between values. Rows are separated by a comma and a line break, so the last whole row ends
 * before that comma.
 */
static ssize_t write_rows(void *cookie, const char *bytes, size_t len)
{
	struct worker *w = cookie;
	off_t at = lseek(w->fd, 0, SEEK_END);
	char chunk[CHUNK];
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' && w->last == ',')
			w->row_end = at + (off_t)used - 1;
		if (bytes[i] == '\n' || bytes[i] == '\t')
			continue;
		if (used == w->room || used == sizeof(chunk)) {
			w->full |= used == w->room;
			break;
		}
		chunk[used++] = w->last = bytes[i];
	}
	write_all(w, chunk, used);
	w->room -= used;
	if (!w->full && !w->failed_write)
		return (ssize_t)len;
	errno = EFBIG;
	return 0;
}

/* Goes back to the last whole row of a table that began at start. */
static void cut_rows(struct worker *w, off_t start, bool one_object)
{
	bool none = one_object || w->row_end <= start;

	if (ftruncate(w->fd, none ? start : w->row_end) < 0)
		w->failed_write = true;
	write_text(w, none ? "null" : "]");
}

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

static void close_stream(FILE **f)
{
	if (*f)
		fclose(*f);
}

static struct error *open_sink(const struct planned *p, struct arena *arena, FILE *out,
			       struct sink **ret)
{
	const struct command *c = p->command;
	struct sink_options options = { .one_object = c->flags & COMMAND_ONE_OBJECT };
	const char *columns = c->default_columns ? c->default_columns(&p->options) : NULL;
	struct error *err;

	if (columns && (err = columns_select(arena, c->columns, c->num_columns, columns,
					     &options.selected, &options.num_selected)))
		return err;
	options.num_where = option_list(&p->options, "where", &options.where);
	option_u64(&p->options, "limit", &options.limit);
	if ((err = sink_create(SINK_JSON, out, &options, ret)))
		return err;
	return sink_begin(*ret, c->columns, c->num_columns);
}

/* Writes the rows behind "NAME": and nothing where there are none. */
static struct error *put_rows(struct worker *w, struct session *s, const struct planned *p)
{
	const cookie_io_functions_t functions = { .write = write_rows };
	FILE *out CLEANUP(close_stream) = fopencookie(w, "w", functions);
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	struct error *err;

	if (!out || setvbuf(out, NULL, _IOFBF, CHUNK / 2) != 0)
		return &error_no_memory;
	w->last = '\0';
	w->row_end = 0;
	if ((err = open_sink(p, s->arena, out, &sink)))
		return err;
	err = session_run(s, p->command, &p->options, p->options.args, p->options.num_args, sink);
	if (fflush(out) == 0 || !w->full)
		return err;
	error_destroy(err);
	return error_new(ERROR_LIMIT, "its rows pass --max-output; what follows is left out");
}

static void put_messages(struct worker *w)
{
	for (size_t i = 0; i < w->num_waiting; i++)
		write_line(w, w->waiting[i].kind == DIAG_NOTE ? REPORT_NOTE : REPORT_PARTIAL, NULL,
			   w->waiting[i].text);
	w->num_waiting = 0;
}

static void keep_message(void *arg, enum diag_kind kind, const char *text)
{
	struct worker *w = arg;
	struct message *m;

	if (w->num_messages++ >= WORKER_MESSAGES_MAX)
		return;
	m = &w->waiting[w->num_waiting++];
	m->kind = kind;
	snprintf(m->text, sizeof(m->text), "%s", text);
}

/* The first reason stands. */
static void set_error(struct worker *w, const char *name, const struct error *err)
{
	w->no_memory |= error_code(err) == ERROR_NO_MEMORY;
	if (w->error)
		return;
	if (asprintf(&w->error, "%s%s%s", name, *name ? ": " : "", error_message(err)) < 0)
		w->error = NULL;
}

static struct error *run_command(struct worker *w, struct session *s, const struct planned *p)
{
	struct error *err;
	off_t start;

	write_all(w, (const char[]){ REPORT_ROWS, '"' }, 2);
	write_text(w, p->command->name);
	write_text(w, "\": ");
	start = lseek(w->fd, 0, SEEK_END);
	if (w->full)
		err = error_new(ERROR_LIMIT, "not run: the rows before it pass --max-output");
	else
		err = put_rows(w, s, p);
	if (w->full)
		cut_rows(w, start, p->command->flags & COMMAND_ONE_OBJECT);
	else if (lseek(w->fd, 0, SEEK_END) == start)
		write_text(w, "null");
	write_text(w, "\n");
	put_messages(w);
	return err;
}

static void run_commands(struct worker *w, struct session *s)
{
	const struct plan *plan = w->job->plan;
	const char *text;

	for (size_t i = 0; i < plan->count; i++) {
		const char *name = plan->items[i].command->name;
		struct error *err = run_command(w, s, &plan->items[i]);

		if (!err)
			continue;
		w->failed++;
		text = error_message(err);
		/* It is said once, as the error of all. */
		if (s->kernel_error && strcmp(text, error_message(s->kernel_error)) == 0)
			text = "no kernel";
		write_line(w, REPORT_FAILURE, name, text);
		if (error_code(err) == ERROR_NO_MEMORY || w->full)
			set_error(w, name, err);
		error_destroy(err);
	}
	if (s->kernel_error)
		set_error(w, "", s->kernel_error);
	if (w->failed == plan->count && !w->error)
		w->error = strdup("none of the commands has a result");
}

/* Opens, runs, closes: all of it may have something to say. */
static void run_session(struct worker *w, FILE *nowhere)
{
	struct arena arena CLEANUP(arena_deinit);
	struct session s = {
		.options = w->job->options,
		.store = w->job->store,
		.diag = &w->diag,
		.arena = &arena,
		.in = nowhere,
		.out = nowhere,
	};
	struct error *err;

	arena_init(&arena, 0);
	err = session_open(&s, w->job->path);
	if (err)
		set_error(w, "", err);
	else
		run_commands(w, &s);
	error_destroy(err);
	session_close(&s);
}

/* Status, exit reason, and as what the process ends. */
static int put_result(struct worker *w)
{
	bool partial = w->failed || w->diag.partial;
	int status = w->error ? STATUS_FAILED : partial ? STATUS_PARTIAL : STATUS_OK;
	char line[64], reason[16];

	put_messages(w);
	if (w->num_messages > WORKER_MESSAGES_MAX) {
		snprintf(line, sizeof(line), "%c%" PRIu64 "\n", REPORT_MORE,
			 w->num_messages - WORKER_MESSAGES_MAX);
		write_text(w, line);
	}
	if (w->error)
		write_line(w, REPORT_ERROR, NULL, w->error);
	snprintf(reason, sizeof(reason), "exit %d", status);
	snprintf(line, sizeof(line), "%c%s\t%s\n", REPORT_RESULT,
		 w->error  ? "failed"
		 : partial ? "partial"
			   : "ok",
		 w->full	? "output limit"
		 : w->no_memory ? "memory limit"
				: reason);
	write_text(w, line);
	return w->failed_write ? STATUS_FAILED : status;
}

int worker_run(const struct worker_job *job, int report)
{
	struct worker w = { .job = job, .fd = report, .room = job->max_output };
	FILE *nowhere = fopen("/dev/null", "r+");
	int status;

	w.waiting = calloc(WORKER_MESSAGES_MAX, sizeof(*w.waiting));
	if (w.waiting && nowhere) {
		diag_init(&w.diag, keep_message, &w);
		run_session(&w, nowhere);
	} else {
		set_error(&w, "", &error_no_memory);
	}
	status = put_result(&w);
	if (nowhere)
		fclose(nowhere);
	free(w.waiting);
	free(w.error);
	return status;
}
