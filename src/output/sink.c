/* SPDX-License-Identifier: MIT */
#include "output/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/sink_ops.h"

static const struct sink_ops *const kinds[NUM_SINK_KINDS] = {
	[SINK_TEXT] = &sink_text_ops,
	[SINK_JSON] = &sink_json_ops,
	[SINK_JSONL] = &sink_jsonl_ops,
	[SINK_CSV] = &sink_csv_ops,
};

const char *sink_kind_name(enum sink_kind kind)
{
	return kinds[kind]->name;
}

bool sink_kind_from_name(const char *name, enum sink_kind *ret)
{
	for (unsigned i = 0; i < NUM_SINK_KINDS; i++) {
		if (strcmp(kinds[i]->name, name) == 0) {
			*ret = (enum sink_kind)i;
			return true;
		}
	}
	return false;
}

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

static void *copy_array(const void *items, size_t count, size_t size)
{
	void *copy = calloc(count + 1, size);

	if (copy && count)
		memcpy(copy, items, count * size);
	return copy;
}

static struct error *create(const struct sink_options *options, struct sink **ret)
{
	struct sink *s CLEANUP(sink_cleanup) = calloc(1, sizeof(*s));

	if (!s)
		return &error_no_memory;
	s->options = *options;
	arena_init(&s->scratch, 0);
	if (options->selected) {
		s->selected =
			copy_array(options->selected, options->num_selected, sizeof(*s->selected));
		if (!s->selected)
			return &error_no_memory;
	}
	if (options->num_sort) {
		s->sort = copy_array(options->sort, options->num_sort, sizeof(*s->sort));
		if (!s->sort)
			return &error_no_memory;
		s->keep = &s->sorting;
	}
	*ret = take_ptr(s);
	return NULL;
}

struct error *sink_create(enum sink_kind kind, FILE *out, const struct sink_options *options,
			  struct sink **ret)
{
	struct error *err = create(options, ret);

	if (err)
		return err;
	(*ret)->ops = kinds[kind];
	(*ret)->out = out;
	return NULL;
}

struct error *sink_create_rows(const struct sink_options *options, struct rows *keep,
			       struct sink **ret)
{
	struct error *err = create(options, ret);

	if (err)
		return err;
	(*ret)->keep = keep;
	return NULL;
}

struct error *sink_create_calls(const struct sink_options *options, sink_row_fn *fn, void *arg,
				struct sink **ret)
{
	struct error *err = create(options, ret);

	if (err)
		return err;
	(*ret)->fn = fn;
	(*ret)->fn_arg = arg;
	return NULL;
}

void sink_destroy(struct sink *s)
{
	if (!s)
		return;
	arena_deinit(&s->scratch);
	row_filter_destroy(s->filter);
	rows_deinit(&s->sorting);
	rows_deinit(&s->waiting);
	text_layout_deinit(&s->layout);
	free(s->needed);
	free(s->sort);
	free(s->selected);
	free(s->shown);
	free(s);
}

static bool shown_by_default(const struct sink *s, const struct column *column)
{
	if (column->flags & COL_ASKED)
		return false;
	return !s->ops || !s->ops->skips_hidden || s->options.one_object ||
	       !(column->flags & COL_HIDDEN);
}

static struct error *choose_columns(struct sink *s, size_t n)
{
	size_t count = s->selected ? s->options.num_selected : n;

	free(s->shown);
	s->shown = calloc(count + 1, sizeof(*s->shown));
	if (!s->shown)
		return &error_no_memory;
	s->num_shown = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned column = s->selected ? s->selected[i] : (unsigned)i;

		if (column >= n)
			return error_new(ERROR_USAGE, "column %u: the table has %zu", column, n);
		if (s->selected || shown_by_default(s, &s->columns[column]))
			s->shown[s->num_shown++] = column;
	}
	return NULL;
}

/* What conditions and the order look at. */
static struct error *choose_needed(struct sink *s, size_t n)
{
	free(s->needed);
	s->needed = calloc(n + 1, sizeof(*s->needed));
	if (!s->needed)
		return &error_no_memory;
	if (s->filter)
		row_filter_mark(s->filter, s->needed);
	for (size_t i = 0; i < s->options.num_sort; i++) {
		if (s->sort[i].column >= n)
			return error_new(ERROR_USAGE, "column %u: the table has %zu",
					 s->sort[i].column, n);
		s->needed[s->sort[i].column] = true;
	}
	return NULL;
}

struct error *sink_begin(struct sink *s, const struct column *columns, size_t n)
{
	struct error *err;

	s->columns = columns;
	s->num_columns = n;
	if ((err = choose_columns(s, n)))
		return err;
	row_filter_destroy(take_ptr(s->filter));
	if (s->options.num_where && (err = row_filter_create(columns, n, s->options.where,
							     s->options.num_where, &s->filter)))
		return err;
	if (s->keep) {
		rows_deinit(&s->sorting);
		rows_init(s->keep, columns, n);
	}
	return choose_needed(s, n);
}

static struct error *write_error(const struct sink *s)
{
	if (!ferror(s->out))
		return NULL;
	return error_os(errno ? errno : EIO, "cannot write the output");
}

static bool write_head(struct sink *s)
{
	if (s->head_written)
		return true;
	s->head_written = true;
	return s->ops->head(s);
}

static struct error *write_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	bool ok;

	if (s->fn) {
		s->rows++;
		return s->fn(s->fn_arg, cells, depth);
	}
	errno = 0;
	ok = write_head(s) && s->ops->row(s, cells, depth);
	s->rows++;
	arena_reset(&s->scratch);
	return ok ? write_error(s) : &error_no_memory;
}

struct error *sink_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	struct error *err;
	bool fits;

	if (sink_full(s))
		return NULL;
	if (s->filter) {
		err = row_filter_test(s->filter, cells, &s->scratch, &fits);
		arena_reset(&s->scratch);
		if (err || !fits)
			return err;
	}
	return s->keep ? rows_add(s->keep, cells, depth) : write_row(s, cells, depth);
}

bool sink_shows(const struct sink *s, unsigned column)
{
	if (s->needed[column])
		return true;
	for (size_t i = 0; i < s->num_shown; i++) {
		if (s->shown[i] == column)
			return true;
	}
	return false;
}

bool sink_full(const struct sink *s)
{
	/* Which rows come first is known when all are sorted. */
	return s->options.limit && !s->sort && sink_rows(s) >= s->options.limit;
}

uint64_t sink_rows(const struct sink *s)
{
	return s->keep ? s->keep->count : s->rows;
}

/* Sorts what waits, and writes it unless the caller keeps it. */
static struct error *end_waiting(struct sink *s)
{
	uint64_t limit = s->options.limit;
	struct error *err;

	if (s->sort && (err = rows_sort(s->keep, s->sort, s->options.num_sort)))
		return err;
	if (limit && s->keep->count > limit)
		s->keep->count = limit;
	if (s->keep != &s->sorting)
		return NULL;
	for (size_t i = 0; i < s->sorting.count; i++) {
		if ((err = write_row(s, s->sorting.items[i].cells, s->sorting.items[i].depth)))
			return err;
	}
	return NULL;
}

struct error *sink_end(struct sink *s)
{
	struct error *err = s->keep ? end_waiting(s) : NULL;

	if (err || !s->ops)
		return err;
	errno = 0;
	if (!write_head(s) || !s->ops->tail(s))
		return &error_no_memory;
	fflush(s->out);
	return write_error(s);
}

size_t sink_left_out(const struct sink *s)
{
	return s->layout.left_out;
}
