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

struct error *sink_create(enum sink_kind kind, FILE *out, const struct sink_options *options,
			  struct sink **ret)
{
	struct sink *s CLEANUP(sink_cleanup) = calloc(1, sizeof(*s));

	if (!s)
		return &error_no_memory;
	s->ops = kinds[kind];
	s->out = out;
	s->options = *options;
	arena_init(&s->scratch, 0);
	if (options->selected) {
		s->selected = calloc(options->num_selected + 1, sizeof(*s->selected));
		if (!s->selected)
			return &error_no_memory;
		for (size_t i = 0; i < options->num_selected; i++)
			s->selected[i] = options->selected[i];
	}
	*ret = take_ptr(s);
	return NULL;
}

void sink_destroy(struct sink *s)
{
	if (!s)
		return;
	arena_deinit(&s->scratch);
	free(s->selected);
	free(s->shown);
	free(s);
}

static bool shown_by_default(const struct sink *s, const struct column *column)
{
	if (column->flags & COL_ASKED)
		return false;
	return !s->ops->skips_hidden || s->options.one_object || !(column->flags & COL_HIDDEN);
}

struct error *sink_begin(struct sink *s, const struct column *columns, size_t n)
{
	size_t count = s->selected ? s->options.num_selected : n;
	unsigned *shown = calloc(count + 1, sizeof(*shown));

	if (!shown)
		return &error_no_memory;
	free(s->shown);
	s->shown = shown;
	s->num_shown = 0;
	s->columns = columns;
	for (size_t i = 0; i < count; i++) {
		unsigned column = s->selected ? s->selected[i] : (unsigned)i;

		if (column >= n)
			return error_new(ERROR_USAGE, "column %u: the table has %zu", column, n);
		if (s->selected || shown_by_default(s, &columns[column]))
			shown[s->num_shown++] = column;
	}
	return NULL;
}

static struct error *write_error(const struct sink *s)
{
	if (!ferror(s->out))
		return NULL;
	return error_os(errno ? errno : EIO, "cannot write the output");
}

static void write_head(struct sink *s)
{
	if (!s->head_written)
		s->ops->head(s);
	s->head_written = true;
}

struct error *sink_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	bool ok;

	if (sink_full(s))
		return NULL;
	errno = 0;
	write_head(s);
	ok = s->ops->row(s, cells, depth);
	s->rows++;
	arena_reset(&s->scratch);
	return ok ? write_error(s) : &error_no_memory;
}

bool sink_shows(const struct sink *s, unsigned column)
{
	for (size_t i = 0; i < s->num_shown; i++) {
		if (s->shown[i] == column)
			return true;
	}
	return false;
}

bool sink_full(const struct sink *s)
{
	return s->options.limit && s->rows >= s->options.limit;
}

uint64_t sink_rows(const struct sink *s)
{
	return s->rows;
}

struct error *sink_end(struct sink *s)
{
	errno = 0;
	if (!s->options.one_object)
		write_head(s);
	if (s->head_written)
		s->ops->tail(s);
	fflush(s->out);
	return write_error(s);
}
