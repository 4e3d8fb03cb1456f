/* SPDX-License-Identifier: MIT */
#include "cli/timeline/sources.h"

#include <stdlib.h>
#include <string.h>

#include "output/cell_text.h"
#include "output/columns.h"
#include "windows/crash/stamp.h"
#include "windows/kernel/kernel.h"

/* What a process is called, by its object. */
struct process_name {
	uint64_t eprocess;
	const char *name; /* in the run's arena */
};

struct process_names {
	struct process_name *items;
	size_t count, capacity;
};
enum { MAX_PROCESS_NAMES = 1 << 20 };

/* What is read of a source's rows. */
enum source_column {
	SOURCE_SUBJECT,
	SOURCE_PATH,
	SOURCE_PID,
	SOURCE_TID,
	SOURCE_OBJECT,
	SOURCE_PROCESS,
	SOURCE_BASE,
	SOURCE_TIMES,
	SOURCE_DETAILS = SOURCE_TIMES + MAX_SOURCE_TIMES,
	NUM_SOURCE_COLUMNS = SOURCE_DETAILS + MAX_SOURCE_TIMES,
};
enum { NO_COLUMN = -1 };

/* A source while its command runs. */
struct collecting {
	struct command_run *run;
	struct event_list *events;
	struct process_names *names;
	const struct timeline_source *source;
	bool one_process;		 /* --pid */
	int columns[NUM_SOURCE_COLUMNS]; /* of the command, or NO_COLUMN */
	struct arena arena;		 /* of one row */
};

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

static bool wants_times(const struct timeline_source *s, const struct event_filter *filter)
{
	for (size_t i = 0; i < MAX_SOURCE_TIMES && s->times[i].column; i++) {
		if (filter->kinds[s->times[i].kind])
			return true;
	}
	return false;
}

/* Names of processes are wanted where events of others' are. */
static bool is_wanted(const struct timeline_source *s, const struct event_filter *filter)
{
	if (wants_times(s, filter))
		return true;
	for (size_t i = 0; i < num_timeline_sources && s->names_process; i++) {
		if (timeline_sources[i].process && wants_times(&timeline_sources[i], filter))
			return true;
	}
	return false;
}

/* The texts live as long as the row's arena, or the cells. */
static struct error *cell_text(struct collecting *c, const struct cell *cells, int column,
			       const char **ret)
{
	enum cell_type type;

	*ret = NULL;
	if (column == NO_COLUMN)
		return NULL;
	type = c->source->command->columns[column].type;
	if (!cell_has_value(type, &cells[column]))
		return NULL;
	if (type == CELL_STR)
		*ret = cells[column].str;
	else
		*ret = cell_to_text(&c->arena, type, &cells[column], CELL_STYLE_DATA);
	return *ret ? NULL : &error_no_memory;
}

static struct opt_u64 cell_number(const struct cell *cells, int column)
{
	struct opt_u64 ret = { 0 };

	if (column != NO_COLUMN && cells[column].present)
		ret = (struct opt_u64){ .present = true, .value = cells[column].u64 };
	return ret;
}

/* A linker's stamp becomes a time; one that is a hash is marked. */
static void read_stamp(const struct collecting *c, const struct cell *cells, struct event *e)
{
	static const char *const details[] = {
		[STAMP_DATE] = "by the linker's clock",
		[STAMP_HASH] = "no time: the stamp is a hash of the image",
		[STAMP_UNSURE] = "if the stamp is a time, and not a hash of the image",
	};
	struct opt_u64 base = cell_number(cells, c->columns[SOURCE_BASE]);
	struct space *space = c->run->kernel->space;
	uint32_t stamp = (uint32_t)e->time;
	struct pe_image pe;
	bool has_headers = false;
	enum stamp_kind kind;
	struct error *err;

	if (base.present) {
		err = pe_read(space, base.value, &pe);
		has_headers = !err && pe.time_date_stamp == stamp;
		error_destroy(err);
	}
	kind = stamp_kind_of(space, has_headers ? &pe : NULL, stamp, c->events->now);
	e->time = stamp_time(stamp);
	e->detail = details[kind];
	e->odd = kind == STAMP_HASH;
}

static struct error *add_time(struct collecting *c, const struct cell *cells,
			      const struct event *common, unsigned index)
{
	const struct timeline_time *time = &c->source->times[index];
	int column = c->columns[SOURCE_TIMES + index];
	struct event e = *common;
	struct error *err;

	if (!cells[column].present || !cells[column].u64 || (time->of_file && c->one_process))
		return NULL;
	if (time->of_file)
		e.pid = e.tid = e.object = (struct opt_u64){ 0 };
	e.time = cells[column].u64;
	e.kind = time->kind;
	if ((err = cell_text(c, cells, c->columns[SOURCE_DETAILS + index], &e.detail)))
		return err;
	if (c->source->command->columns[column].type == CELL_ADDR)
		read_stamp(c, cells, &e);
	return events_add(c->events, &e);
}

static struct error *keep_name(struct collecting *c, const struct event *e)
{
	struct process_names *names = c->names;
	struct process_name kept = { .eprocess = e->object.value };
	struct error *err;

	if (!c->source->names_process || !e->object.present || !e->subject)
		return NULL;
	if ((err = array_reserve(&names->items, &names->capacity, names->count + 1,
				 sizeof(*names->items), MAX_PROCESS_NAMES, "processes")))
		return err;
	kept.name = arena_strdup(c->run->arena, e->subject);
	if (!kept.name)
		return &error_no_memory;
	names->items[names->count++] = kept;
	return NULL;
}

/* The last part of a path that nothing else names. */
static const char *name_of_path(const char *path)
{
	const char *slash = path ? strrchr(path, '\\') : NULL;

	return slash && slash[1] ? slash + 1 : path;
}

static struct error *take_row(void *arg, const struct cell *cells, unsigned depth)
{
	struct collecting *c = arg;
	const int *columns = c->columns;
	struct event e = {
		.source = c->source->command->name,
		.pid = cell_number(cells, columns[SOURCE_PID]),
		.tid = cell_number(cells, columns[SOURCE_TID]),
		.object = cell_number(cells, columns[SOURCE_OBJECT]),
		.process = cell_number(cells, columns[SOURCE_PROCESS]).value,
	};
	struct error *err;

	(void)depth;
	if ((err = cell_text(c, cells, columns[SOURCE_SUBJECT], &e.subject)) ||
	    (err = cell_text(c, cells, columns[SOURCE_PATH], &e.path)))
		return err;
	if (columns[SOURCE_SUBJECT] == NO_COLUMN)
		e.subject = name_of_path(e.path);
	err = keep_name(c, &e);
	for (unsigned i = 0; i < MAX_SOURCE_TIMES && !err; i++) {
		if (columns[SOURCE_TIMES + i] != NO_COLUMN)
			err = add_time(c, cells, &e, i);
	}
	arena_reset(&c->arena);
	return err;
}

static struct error *find_column(const struct command *command, const char *key, int *ret)
{
	struct error *err;
	unsigned column;

	*ret = NO_COLUMN;
	if (!key)
		return NULL;
	if ((err = column_find(command->columns, command->num_columns, key, strlen(key), &column)))
		return err;
	*ret = (int)column;
	return NULL;
}

static struct error *find_columns(struct collecting *c)
{
	const struct timeline_source *s = c->source;
	const char *keys[NUM_SOURCE_COLUMNS] = {
		[SOURCE_SUBJECT] = s->subject, [SOURCE_PATH] = s->path,
		[SOURCE_PID] = s->pid,	       [SOURCE_TID] = s->tid,
		[SOURCE_OBJECT] = s->object,   [SOURCE_PROCESS] = s->process,
		[SOURCE_BASE] = s->base,
	};
	struct error *err = NULL;

	for (size_t i = 0; i < MAX_SOURCE_TIMES; i++) {
		keys[SOURCE_TIMES + i] = s->times[i].column;
		keys[SOURCE_DETAILS + i] = s->times[i].detail;
	}
	for (size_t i = 0; i < NUM_SOURCE_COLUMNS && !err; i++)
		err = find_column(s->command, keys[i], &c->columns[i]);
	return err;
}

/* A sink that wants just these columns: commands leave out what costs and nobody reads. */
static struct error *open_sink(struct collecting *c, struct sink **ret)
{
	unsigned selected[NUM_SOURCE_COLUMNS];
	struct sink_options options = { .selected = selected };
	struct error *err;

	for (size_t i = 0; i < ARRAY_SIZE(selected); i++) {
		if (c->columns[i] != NO_COLUMN)
			selected[options.num_selected++] = (unsigned)c->columns[i];
	}
	if ((err = sink_create_calls(&options, take_row, c, ret)))
		return err;
	return sink_begin(*ret, c->source->command->columns, c->source->command->num_columns);
}

/* Is the option about what is read, and not about what is printed of it? */
static bool passes(const struct timeline_source *s, const char *name)
{
	static const char *const kept_back[] = { "format", "columns", "where",
						 "sort",   "limit",   "command" };

	for (size_t i = 0; i < ARRAY_SIZE(kept_back); i++) {
		if (strcmp(name, kept_back[i]) == 0)
			return false;
	}
	return s->scans || strcmp(name, "scan") != 0;
}

/* The options of the whole, as its own. */
static struct error *source_options(const struct collecting *c, struct option_values *ret)
{
	const struct command *command = c->source->command;
	const struct option_table own = { command->options, command->num_options };
	const struct option_values *given = c->run->options;
	struct error *err = options_parse(c->run->arena, &own, 0, NULL, ret);

	for (size_t i = 0; i < ret->count && !err; i++) {
		struct option_value *v = &ret->items[i];

		v->given = c->source->flag && strcmp(v->row->name, c->source->flag) == 0;
		for (size_t k = 0; k < given->count && passes(c->source, v->row->name); k++) {
			if (given->items[k].given &&
			    strcmp(given->items[k].row->name, v->row->name) == 0)
				*v = given->items[k];
		}
	}
	return err;
}

static struct error *run_source(struct collecting *c)
{
	struct command_run run = *c->run;
	struct sink *sink CLEANUP(sink_cleanup) = NULL;
	struct option_values options;
	struct error *err;

	if ((err = find_columns(c)) || (err = open_sink(c, &sink)) ||
	    (err = source_options(c, &options)))
		return err;
	run.command = c->source->command;
	run.options = &options;
	run.args = NULL;
	run.num_args = 0;
	run.sink = sink;
	return run.command->run(&run);
}

static int compare_names(const void *a, const void *b)
{
	const struct process_name *x = a, *y = b;

	return x->eprocess < y->eprocess ? -1 : x->eprocess > y->eprocess;
}

static void name_processes(struct event_list *events, const struct process_names *names)
{
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	for (size_t i = 0; i < events->count && names->count; i++) {
		struct event *e = &events->items[i];
		struct process_name wanted = { .eprocess = e->process };
		const struct process_name *found;

		if (e->subject || !e->process)
			continue;
		found = bsearch(&wanted, names->items, names->count, sizeof(wanted), compare_names);
		e->subject = found ? found->name : NULL;
	}
}

static struct error *read_each(struct collecting *c)
{
	struct error *err = NULL;

	for (size_t i = 0; i < num_timeline_sources && !err; i++) {
		c->source = &timeline_sources[i];
		/* Of one process there are only events that say whose they are. */
		if (!is_wanted(c->source, c->events->filter) || (c->one_process && !c->source->pid))
			continue;
		err = run_source(c);
		if (err && error_code(err) != ERROR_NO_MEMORY &&
		    !(error_code(err) == ERROR_NOT_FOUND && c->one_process))
			diag_error(c->run->diag, take_ptr(err), "%s", c->source->command->name);
	}
	return err;
}

struct error *timeline_read_sources(struct command_run *run, struct event_list *events)
{
	struct process_names names = { 0 };
	struct collecting c = { .run = run, .events = events, .names = &names };
	struct error *err;
	uint64_t pid;

	c.one_process = option_u64(run->options, "pid", &pid);
	arena_init(&c.arena, 0);
	err = read_each(&c);
	if (!err)
		name_processes(events, &names);
	arena_deinit(&c.arena);
	free(names.items);
	return err;
}
