/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "output/cell_text.h"
#include "output/sink_ops.h"

/*
 * On a terminal the first rows wait, so that the columns get the width that they need, and rows
 * fit its lines: see text_layout_fit(). Elsewhere columns have the widths that the table says and
 * rows stream.
 */
enum {
	LOOK_AHEAD = 200, /* rows that wait */
	INDENT = 2,
	MAX_INDENT = 64, /* depths beyond look the same */
};

static const char cut_mark[] = "\xe2\x80\xa6"; /* an ellipsis, one column wide */

enum style { STYLE_PLAIN, STYLE_HEADER, STYLE_ABSENT, STYLE_ALERT };

/* Escape sequences (ECMA-48 SGR) are only these; strings have none, by text_show(). */
static const char *const style_starts[] = {
	[STYLE_PLAIN] = "",
	[STYLE_HEADER] = "\x1b[1m",
	[STYLE_ABSENT] = "\x1b[2m",
	[STYLE_ALERT] = "\x1b[31m",
};
static const char style_end[] = "\x1b[0m";

/* What stands out in columns that are COL_STATE; there, false says that something is missing. */
static const char *const alert_words[] = { "false", "hidden",	"unlinked", "terminated",
					   "freed", "unloaded", "pool_scan" };

static enum style style_of(const struct sink *s, const struct column *column, bool has_value,
			   const char *text)
{
	if (!s->options.color)
		return STYLE_PLAIN;
	if (!has_value)
		return STYLE_ABSENT;
	for (size_t i = 0; (column->flags & COL_STATE) && i < ARRAY_SIZE(alert_words); i++) {
		if (strcmp(alert_words[i], text) == 0)
			return STYLE_ALERT;
	}
	return STYLE_PLAIN;
}

/* The first bytes of a text, in a style. */
static void put_styled(FILE *out, enum style style, const char *text, size_t len)
{
	fputs(style_starts[style], out);
	fwrite(text, 1, len, out);
	if (style != STYLE_PLAIN)
		fputs(style_end, out);
}

/* Where a line stands. A wide cell pushes its neighbours only as far as it must. */
struct line {
	size_t position; /* columns written */
	size_t start;	 /* where the next cell belongs */
	bool full;	 /* nothing more fits */
};

static void put_spaces(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

/* A cell on the line where `at` is its place: cut at the limit, or else a mark that it has no room.
 */
static void put_limited(struct sink *s, struct line *line, const struct text_column *item,
			const char *text, enum style style)
{
	size_t room = item->limit > line->position ? item->limit - line->position : 0;
	size_t fit = room ? room - 1 : 0, len = 0;

	if (text_can_be_cut(s->columns[item->index].type) && fit)
		len = text_fit(text, &fit);
	else
		fit = 0;
	put_styled(s->out, style, text, len);
	fputs(cut_mark, s->out);
	line->position += fit + 1;
}

static void put_cell(struct sink *s, struct line *line, const struct text_column *item,
		     size_t indent, const char *text, enum style style)
{
	const struct column *column = &s->columns[item->index];
	size_t width = indent + text_width(text), at = line->start;

	if ((column->flags & COL_RIGHT) && width < item->width)
		at += item->width - width;
	if (line->position && at <= line->position)
		at = line->position + 1;
	line->start += item->width + TEXT_GAP;
	if (!*text || line->full)
		return;
	if (item->limit && at + indent >= item->limit) {
		/* Others pushed it off the line. */
		line->full = at >= s->layout.line;
		if (line->full)
			return;
		indent = 0;
	}
	put_spaces(s->out, at - line->position + indent);
	line->position = at + indent;
	if (item->limit && at + width > item->limit) {
		put_limited(s, line, item, text, style);
	} else {
		put_styled(s->out, style, text, strlen(text));
		line->position = at + width;
	}
}

static void put_head(struct sink *s)
{
	struct line line = { 0 };

	for (size_t i = 0; i < s->layout.count; i++) {
		const struct text_column *item = &s->layout.items[i];

		put_cell(s, &line, item, 0, s->columns[item->index].header,
			 s->options.color ? STYLE_HEADER : STYLE_PLAIN);
	}
	putc('\n', s->out);
}

static bool looks_ahead(const struct sink *s)
{
	return s->options.width && !s->options.one_object;
}

static bool text_head(struct sink *s)
{
	struct error *err;

	if (s->options.one_object)
		return true;
	err = text_layout_create(s->columns, s->shown, s->num_shown, &s->layout);
	if (err) {
		error_destroy(err);
		return false;
	}
	if (looks_ahead(s))
		rows_init(&s->waiting, s->columns, s->num_columns);
	else
		put_head(s);
	return true;
}

static const char *shown_text(struct sink *s, const struct column *column, const struct cell *cell)
{
	if (!cell_has_value(column->type, cell))
		return "-";
	return cell_to_text(&s->scratch, column->type, cell, CELL_STYLE_TEXT);
}

static size_t indent_of(const struct column *column, unsigned depth)
{
	if (!(column->flags & COL_INDENT))
		return 0;
	return INDENT * (depth < MAX_INDENT ? depth : MAX_INDENT);
}

static bool table_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	struct line line = { 0 };

	for (size_t i = 0; i < s->layout.count; i++) {
		const struct text_column *item = &s->layout.items[i];
		const struct column *column = &s->columns[item->index];
		const struct cell *cell = &cells[item->index];
		const char *text = shown_text(s, column, cell);

		if (!text)
			return false;
		put_cell(s, &line, item, indent_of(column, depth), text,
			 style_of(s, column, cell_has_value(column->type, cell), text));
	}
	putc('\n', s->out);
	return true;
}

/* What the cells of the rows that wait need. */
static bool measure(struct sink *s, struct text_column *item)
{
	const struct column *column = &s->columns[item->index];

	item->width = strlen(column->header);
	for (size_t i = 0; i < s->waiting.count; i++) {
		const struct kept_row *row = &s->waiting.items[i];
		const char *text = shown_text(s, column, &row->cells[item->index]);
		size_t width;

		if (!text)
			return false;
		width = indent_of(column, row->depth) + text_width(text);
		item->width = width > item->width ? width : item->width;
		arena_reset(&s->scratch);
	}
	return true;
}

/* The head and the rows that waited. */
static bool end_wait(struct sink *s)
{
	for (size_t i = 0; i < s->layout.count; i++) {
		if (!measure(s, &s->layout.items[i]))
			return false;
	}
	text_layout_fit(&s->layout, s->columns, s->options.width);
	put_head(s);
	for (size_t i = 0; i < s->waiting.count; i++) {
		if (!table_row(s, s->waiting.items[i].cells, s->waiting.items[i].depth))
			return false;
		arena_reset(&s->scratch);
	}
	rows_deinit(&s->waiting);
	s->options.width = 0; /* nothing waits any more */
	return true;
}

static size_t list_length(const struct column *column, const struct cell *cell)
{
	if (!cell->present)
		return 0;
	if (column->type == CELL_ADDRS)
		return cell->addrs.count;
	if (column->type == CELL_STRS)
		return cell->strs.count;
	return column->type == CELL_EXPLAINED ? cell->explained.count : 0;
}

static struct cell list_item(const struct column *column, const struct cell *cell, size_t index)
{
	if (column->type == CELL_ADDRS)
		return cell_addrs(&cell->addrs.items[index], 1);
	if (column->type == CELL_STRS)
		return cell_strs(&cell->strs.items[index], 1);
	return cell_explained(&cell->explained.items[index], 1);
}

/* "key:   value"; each item of a list on a line of its own. */
static bool put_property(struct sink *s, const struct column *column, const struct cell *cell,
			 size_t key_width)
{
	size_t lines = list_length(column, cell);

	if (lines == 0)
		lines = 1;
	for (size_t i = 0; i < lines; i++) {
		struct cell item = *cell;
		const char *text;

		if (lines > 1)
			item = list_item(column, cell, i);
		text = shown_text(s, column, &item);
		if (!text)
			return false;
		if (i == 0) {
			put_styled(s->out, s->options.color ? STYLE_HEADER : STYLE_PLAIN,
				   column->key, strlen(column->key));
			putc(':', s->out);
		}
		if (*text) {
			put_spaces(s->out, key_width + 2 - (i ? 0 : strlen(column->key) + 1));
			put_styled(s->out,
				   style_of(s, column, cell_has_value(column->type, &item), text),
				   text, strlen(text));
		}
		putc('\n', s->out);
	}
	return true;
}

static bool object_row(struct sink *s, const struct cell *cells)
{
	size_t key_width = 0;

	for (size_t i = 0; i < s->num_shown; i++) {
		size_t width = strlen(s->columns[s->shown[i]].key);

		key_width = width > key_width ? width : key_width;
	}
	for (size_t i = 0; i < s->num_shown; i++) {
		const struct column *column = &s->columns[s->shown[i]];
		const struct cell *cell = &cells[s->shown[i]];

		if (!s->selected && (column->flags & COL_HIDDEN) &&
		    !cell_has_value(column->type, cell))
			continue;
		if (!put_property(s, column, cell, key_width))
			return false;
	}
	return true;
}

static bool waiting_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	struct error *err = rows_add(&s->waiting, cells, depth);

	if (err) {
		error_destroy(err);
		return false;
	}
	return s->waiting.count < LOOK_AHEAD || end_wait(s);
}

static bool text_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	if (s->options.one_object)
		return object_row(s, cells);
	return looks_ahead(s) ? waiting_row(s, cells, depth) : table_row(s, cells, depth);
}

static bool text_tail(struct sink *s)
{
	return !looks_ahead(s) || end_wait(s);
}

const struct sink_ops sink_text_ops = {
	.name = "text",
	.skips_hidden = true,
	.head = text_head,
	.row = text_row,
	.tail = text_tail,
};
