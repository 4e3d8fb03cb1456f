/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "output/cell_text.h"
#include "output/json_text.h"
#include "output/sink_ops.h"

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
		json_put_string(out, s);
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
		json_put_string(s->out, text);
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

static bool json_head(struct sink *s)
{
	if (!s->options.one_object)
		putc('[', s->out);
	return true;
}

static bool json_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	(void)depth;
	if (s->options.one_object)
		return put_object(s, cells, "{\n\t", ",\n\t", "\n}");
	return put_object(s, cells, s->rows ? ",\n{" : "\n{", ", ", "}");
}

static bool json_tail(struct sink *s)
{
	if (!s->options.one_object)
		fputs(s->rows ? "\n]" : "]", s->out);
	else if (!s->rows)
		fputs("null", s->out);
	putc('\n', s->out);
	return true;
}

const struct sink_ops sink_json_ops = {
	.name = "json",
	.head = json_head,
	.row = json_row,
	.tail = json_tail,
};

static bool jsonl_head(struct sink *s)
{
	(void)s;
	return true;
}

static bool jsonl_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	(void)depth;
	if (!s->options.label)
		return put_object(s, cells, "{", ", ", "}\n");
	fprintf(s->out, "{\"command\": \"%s\"", s->options.label);
	return put_object(s, cells, s->num_shown ? ", " : "", ", ", "}\n");
}

static bool jsonl_tail(struct sink *s)
{
	(void)s;
	return true;
}

const struct sink_ops sink_jsonl_ops = {
	.name = "jsonl",
	.head = jsonl_head,
	.row = jsonl_row,
	.tail = jsonl_tail,
};
