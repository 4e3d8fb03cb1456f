/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "output/cell_text.h"
#include "output/sink_ops.h"

enum {
	GAP = 2, /* spaces between columns */
	INDENT = 2,
	MAX_INDENT = 64, /* depths beyond look the same */
};

/* Where a line stands. A wide cell pushes its neighbours only as far as it must. */
struct line {
	size_t position; /* columns written */
	size_t start;	 /* where the next cell belongs */
};

static size_t column_width(const struct column *column)
{
	size_t header = strlen(column->header);
	size_t width = column->width > 0 ? (size_t)column->width : 0;

	return width > header ? width : header;
}

static void put_spaces(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

static void put_cell(struct sink *s, struct line *line, const struct column *column, size_t indent,
		     const char *text)
{
	size_t width = indent + text_width(text);
	size_t full = column_width(column);
	size_t at = line->start;

	if ((column->flags & COL_RIGHT) && width < full)
		at += full - width;
	if (line->position && at <= line->position)
		at = line->position + 1;
	line->start += full + GAP;
	if (!*text)
		return;
	put_spaces(s->out, at - line->position + indent);
	fputs(text, s->out);
	line->position = at + width;
}

static void text_head(struct sink *s)
{
	struct line line = { 0 };

	if (s->options.one_object)
		return;
	for (size_t i = 0; i < s->num_shown; i++) {
		const struct column *column = &s->columns[s->shown[i]];

		put_cell(s, &line, column, 0, column->header);
	}
	putc('\n', s->out);
}

static const char *shown_text(struct sink *s, const struct column *column, const struct cell *cell)
{
	if (!cell_has_value(column->type, cell))
		return "-";
	return cell_to_text(&s->scratch, column->type, cell, CELL_STYLE_TEXT);
}

static bool table_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	struct line line = { 0 };

	for (size_t i = 0; i < s->num_shown; i++) {
		const struct column *column = &s->columns[s->shown[i]];
		const char *text = shown_text(s, column, &cells[s->shown[i]]);
		size_t indent = 0;

		if (!text)
			return false;
		if (column->flags & COL_INDENT)
			indent = INDENT * (depth < MAX_INDENT ? depth : MAX_INDENT);
		put_cell(s, &line, column, indent, text);
	}
	putc('\n', s->out);
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
		if (i == 0)
			fprintf(s->out, "%s:", column->key);
		if (*text) {
			put_spaces(s->out, key_width + 2 - (i ? 0 : strlen(column->key) + 1));
			fputs(text, s->out);
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

static bool text_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	return s->options.one_object ? object_row(s, cells) : table_row(s, cells, depth);
}

static void text_tail(struct sink *s)
{
	(void)s;
}

const struct sink_ops sink_text_ops = {
	.name = "text",
	.skips_hidden = true,
	.head = text_head,
	.row = text_row,
	.tail = text_tail,
};
