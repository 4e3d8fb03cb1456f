/* SPDX-License-Identifier: MIT */
#include "cli/report/gather.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/commands/input_hash.h"
#include "cli/evidence.h"
#include "cli/session.h"
#include "output/columns.h"

enum { MAX_MESSAGES = 1000 }; /* in the report; more are counted */

/* A report in the making. Messages may come from any thread, one at a time. */
struct gathering {
	const struct gather *gather;
	struct session session;
	struct diag diag;
	struct arena arena; /* of messages, until there is nobody to say more */
	struct report_message *messages;
	size_t num_messages;
	uint64_t more; /* that were not kept */
	bool no_memory;
};

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A file is the same wherever it lies: without the folders of this machine. */
static const char *without_folders(const struct gathering *g, const char *message)
{
	const char *path = g->gather->common.snapshot;
	size_t len = strlen(path);

	return strncmp(message, path, len) == 0 ? message + (base_name(path) - path) : message;
}

static void keep_message(void *arg, enum diag_kind kind, const char *message)
{
	struct gathering *g = arg;
	const char *text;

	if (g->num_messages == MAX_MESSAGES) {
		g->more++;
		return;
	}
	text = arena_strdup(&g->arena, message);
	if (text)
		g->messages[g->num_messages++] = (struct report_message){ kind, text };
	else
		g->no_memory = true;
}

/* What was said is said again, to who runs the program. */
static struct error *pass_messages(struct gathering *g, struct report *r)
{
	struct command_run *run = g->gather->run;
	struct report_message *kept = arena_calloc(run->arena, g->num_messages + 1, sizeof(*kept));
	size_t count = g->num_messages;

	if (!kept || g->no_memory)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		const struct report_message *m = &g->messages[i];

		if (m->kind == DIAG_PARTIAL)
			diag_partial(run->diag, "%s", m->text);
		else
			diag_note(run->diag, "%s", m->text);
		kept[i].kind = m->kind;
		kept[i].text = arena_strdup(run->arena, without_folders(g, m->text));
		if (!kept[i].text)
			return &error_no_memory;
	}
	if (g->more) {
		kept[count].kind = DIAG_PARTIAL;
		kept[count].text =
			arena_printf(run->arena, "%" PRIu64 " more messages are left out", g->more);
		if (!kept[count].text)
			return &error_no_memory;
		diag_partial(run->diag, "%s", kept[count++].text);
	}
	r->messages = kept;
	r->num_messages = count;
	r->partial = g->diag.partial;
	return NULL;
}

static struct error *choose_columns(struct arena *a, const struct planned *p,
				    struct report_table *t)
{
	const struct command *command = p->command;
	const char *list = option_string(&p->options, "columns");
	unsigned *columns;

	if (!list && p->row)
		list = p->row->columns;
	if (!list && command->default_columns)
		list = command->default_columns(&p->options);
	if (list)
		return columns_select(a, command->columns, command->num_columns, list, &t->columns,
				      &t->num_columns);
	columns = arena_calloc(a, command->num_columns, sizeof(*columns));
	if (!columns)
		return &error_no_memory;
	for (size_t i = 0; i < command->num_columns; i++) {
		if (!(command->columns[i].flags & (COL_HIDDEN | COL_ASKED)))
			columns[t->num_columns++] = (unsigned)i;
	}
	t->columns = columns;
	return NULL;
}

static struct error *open_sink(struct arena *a, const struct planned *p, struct rows *rows,
			       struct sink **ret)
{
	const struct command *command = p->command;
	const struct option_values *options = &p->options;
	const char *order = option_string(options, "sort");
	struct sink_options given = { .one_object = command->flags & COMMAND_ONE_OBJECT };
	struct error *err;

	given.num_where = option_list(options, "where", &given.where);
	option_u64(options, "limit", &given.limit);
	if (order && (err = columns_order(a, command->columns, command->num_columns, order,
					  &given.sort, &given.num_sort)))
		return err;
	if ((err = sink_create_rows(&given, rows, ret)))
		return err;
	return sink_begin(*ret, command->columns, command->num_columns);
}

/* Runs it. Its error, if it has one, is the table's. */
static struct error *read_table(struct gathering *g, const struct planned *p,
				struct report_table *t)
{
	struct arena *a = g->gather->run->arena;
	const struct option_values *options = &p->options;
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	struct error *err;

	*t = (struct report_table){
		.id = p->id,
		.command = p->text,
		.topic = p->row ? p->row->topic : "Tables",
		.title = p->row ? p->row->title : p->text,
		.about = p->row ? p->row->about : NULL,
		.tree = option_flag(options, "tree"),
	};
	if ((err = choose_columns(a, p, t)) || (err = open_sink(a, p, &t->rows, &sink)))
		return err;
	err = session_run(&g->session, p->command, options, options->args + 1,
			  options->num_args - 1, sink);
	if (!err)
		return NULL;
	t->error = arena_strdup(a, without_folders(g, error_message(err)));
	diag_error(&g->diag, err, "%s", p->command->name);
	return t->error ? NULL : &error_no_memory;
}

/* The rows of a command without options of its own. */
static struct error *read_object(struct gathering *g, const char *name, struct rows **ret)
{
	struct arena *a = g->gather->run->arena;
	struct report_table *t = arena_alloc(a, sizeof(*t));
	struct planned p;
	struct error *err;

	if (!t)
		return &error_no_memory;
	*ret = &t->rows;
	if ((err = plan_line(a, name, &g->gather->common, &p)))
		return err;
	return read_table(g, &p, t);
}

static struct error *read_tables(struct gathering *g, struct report *r)
{
	const struct gather *gather = g->gather;
	struct report_table *tables =
		arena_calloc(gather->run->arena, gather->num_planned + 1, sizeof(*tables));
	struct rows *info = NULL, *crash = NULL;
	struct error *err;

	if (!tables)
		return &error_no_memory;
	r->tables = tables;
	err = read_object(g, "info", &info);
	r->info = info;
	if (err)
		return err;
	err = read_object(g, "analyze", &crash);
	r->crash = crash;
	for (size_t i = 0; i < gather->num_planned && !err; i++) {
		err = read_table(g, &gather->plan[i], &tables[i]);
		r->num_tables++;
	}
	return err;
}

/* A file as it is on disk. The sum is ready with end_file(). */
static struct error *begin_file(const char *path, struct report_file *f, struct input_hash *h)
{
	struct error *err = input_hash_start(h, path);

	if (err)
		return err;
	f->name = base_name(path);
	f->size = h->file.size;
	return NULL;
}

static void end_file(const struct gather *g, struct report_file *f, struct input_hash *h)
{
	uint8_t sum[SHA256_SIZE];

	input_hash_end(h, !g->hash, sum);
	if (g->hash)
		sha256_format(sum, f->sha256);
}

/* The other files that the snapshot is in: its memory beside its state, parts. */
static struct error *read_other_files(struct gathering *g, struct report_file *files, size_t *count)
{
	const struct snapshot *s = g->session.snapshot;
	struct error *err = NULL;

	for (size_t i = 0; i < s->files.count && !err; i++) {
		const struct file *file = s->files.items[i];
		struct input_hash hash = { 0 };

		if (file->fd < 0 || !file->path ||
		    strcmp(file->path, g->gather->common.snapshot) == 0)
			continue;
		err = begin_file(file->path, &files[*count], &hash);
		if (!err)
			end_file(g->gather, &files[(*count)++], &hash);
	}
	return err;
}

static struct error *read_all(struct gathering *g, struct report *r)
{
	const struct gather *gather = g->gather;
	size_t others = g->session.snapshot->files.count, count = 0;
	struct report_file *files = arena_calloc(gather->run->arena, others + 1, sizeof(*files));
	struct input_hash hash = { 0 };
	struct error *err;

	if (!files)
		return &error_no_memory;
	if ((err = begin_file(gather->common.snapshot, &files[count], &hash)))
		return err;
	err = read_tables(g, r);
	end_file(gather, &files[count++], &hash);
	if (!err)
		err = read_other_files(g, files, &count);
	r->files = files;
	r->num_files = count;
	return err;
}

static struct error *open_session(struct gathering *g)
{
	struct command_run *run = g->gather->run;
	struct command_run opened = *run;
	struct error *err;

	g->session = (struct session){
		.options = run->options,
		.store = run->store,
		.diag = &g->diag,
		.arena = run->arena,
		.in = run->in,
		.out = run->out,
	};
	if ((err = session_open(&g->session, g->gather->common.snapshot)))
		return err;
	opened.snapshot = g->session.snapshot;
	return check_no_evidence(&opened, g->gather->output);
}

struct error *gather_report(const struct gather *gather, struct report *ret)
{
	struct gathering g = { .gather = gather };
	struct error *err;

	diag_init(&g.diag, keep_message, &g);
	arena_init(&g.arena, 0);
	g.messages = arena_calloc(&g.arena, MAX_MESSAGES, sizeof(*g.messages));
	err = g.messages ? open_session(&g) : &error_no_memory;
	ret->name = base_name(gather->common.snapshot);
	if (!err)
		err = read_all(&g, ret);
	session_close(&g.session); /* says what could not be decoded */
	if (!err)
		err = pass_messages(&g, ret);
	arena_deinit(&g.arena);
	return err;
}

static void free_rows(const struct rows *r)
{
	struct rows rows;

	if (!r)
		return;
	rows = *r;
	rows_deinit(&rows);
}

void gather_free(struct report *r)
{
	free_rows(r->info);
	free_rows(r->crash);
	for (size_t i = 0; i < r->num_tables; i++)
		free_rows(&r->tables[i].rows);
}
