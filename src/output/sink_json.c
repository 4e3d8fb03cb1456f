/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "output/cell_text.h"
#include "output/sink_ops.h"

/* Code points that are written as \uXXXX: what JSON demands, and what acts on a terminal (C1
 * controls, bidirectional and invisible format characters). */
static const struct {
	uint32_t first, last;
} escaped_ranges[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x061c, 0x061c },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
};

static bool is_escaped(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(escaped_ranges); i++) {
		if (c >= escaped_ranges[i].first && c <= escaped_ranges[i].last)
			return true;
	}
	return false;
}

/* One code point at p, which is not plain ASCII; returns where the next begins. */
static const char *put_special(FILE *out, const char *p)
{
	const char *next = p;
	uint32_t c;

	if (strncmp(p, "\xc0\x80", 2) == 0) {
		fputs("\\u0000", out);
		return p + 2;
	}
	c = text_next(&next);
	if (c == '"' || c == '\\')
		fprintf(out, "\\%c", (int)c);
	else if (is_escaped(c))
		fprintf(out, "\\u%04" PRIx32, c);
	else if (c == 0xfffd)
		fputs("\xef\xbf\xbd", out);
	else
		fwrite(p, 1, (size_t)(next - p), out);
	return next;
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_string(FILE *out, const char *s)
{
	putc('"', out);
	while (*s) {
		const char *start = s;

		while (is_plain(*s))
			s++;
		if (s != start)
			fwrite(start, 1, (size_t)(s - start), out);
		else
			s = put_special(out, s);
	}
	putc('"', out);
}

static void put_addresses(FILE *out, const struct cell *cell)
{
	putc('[', out);
	for (size_t i = 0; i < cell->addrs.count; i++)
		fprintf(out, "%s\"0x%" PRIx64 "\"", i ? ", " : "", cell->addrs.items[i]);
	putc(']', out);
}

static void put_string_or_null(FILE *out, const char *s)
{
	if (s)
		put_string(out, s);
	else
		fputs("null", out);
}

static void put_strings(FILE *out, const struct cell *cell)
{
	putc('[', out);
	for (size_t i = 0; i < cell->strs.count; i++) {
		if (i)
			fputs(", ", out);
		put_string_or_null(out, cell->strs.items[i]);
	}
	putc(']', out);
}

static void put_explained(FILE *out, const struct cell *cell)
{
	putc('[', out);
	for (size_t i = 0; i < cell->explained.count; i++) {
		const struct explained_value *v = &cell->explained.items[i];

		fprintf(out, "%s{\"value\": \"0x%" PRIx64 "\", \"meaning\": ", i ? ", " : "",
			v->value);
		put_string_or_null(out, v->meaning);
		fputs(", \"detail\": ", out);
		put_string_or_null(out, v->detail);
		putc('}', out);
	}
	putc(']', out);
}

/* JSON has these types bare; all others are strings. */
static bool is_bare(enum cell_type type)
{
	return type == CELL_U64 || type == CELL_I64 || type == CELL_BOOL;
}

static bool put_value(struct sink *s, enum cell_type type, const struct cell *cell)
{
	const char *text;

	if (!cell_has_value(type, cell)) {
		fputs("null", s->out);
		return true;
	}
	if (type == CELL_ADDRS) {
		put_addresses(s->out, cell);
		return true;
	}
	if (type == CELL_STRS) {
		put_strings(s->out, cell);
		return true;
	}
	if (type == CELL_EXPLAINED) {
		put_explained(s->out, cell);
		return true;
	}
	text = cell_to_text(&s->scratch, type, cell, CELL_STYLE_DATA);
	if (!text)
		return false;
	if (is_bare(type))
		fputs(text, s->out);
	else
		put_string(s->out, text);
	return true;
}

static bool put_object(struct sink *s, const struct cell *cells, const char *open,
		       const char *separator, const char *close)
{
	fputs(open, s->out);
	for (size_t i = 0; i < s->num_shown; i++) {
		const struct column *column = &s->columns[s->shown[i]];

		fprintf(s->out, "%s\"%s\": ", i ? separator : "", column->key);
		if (!put_value(s, column->type, &cells[s->shown[i]]))
			return false;
	}
	fputs(close, s->out);
	return true;
}

static void json_head(struct sink *s)
{
	if (!s->options.one_object)
		putc('[', s->out);
}

static bool json_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	(void)depth;
	if (s->options.one_object)
		return put_object(s, cells, "{\n\t", ",\n\t", "\n}");
	return put_object(s, cells, s->rows ? ",\n{" : "\n{", ", ", "}");
}

static void json_tail(struct sink *s)
{
	if (!s->options.one_object)
		fputs(s->rows ? "\n]" : "]", s->out);
	putc('\n', s->out);
}

const struct sink_ops sink_json_ops = {
	.name = "json",
	.head = json_head,
	.row = json_row,
	.tail = json_tail,
};

static void jsonl_head(struct sink *s)
{
	(void)s;
}

static bool jsonl_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	(void)depth;
	if (!s->options.label)
		return put_object(s, cells, "{", ", ", "}\n");
	fprintf(s->out, "{\"command\": \"%s\"", s->options.label);
	return put_object(s, cells, s->num_shown ? ", " : "", ", ", "}\n");
}

static void jsonl_tail(struct sink *s)
{
	(void)s;
}

const struct sink_ops sink_jsonl_ops = {
	.name = "jsonl",
	.head = jsonl_head,
	.row = jsonl_row,
	.tail = jsonl_tail,
};
