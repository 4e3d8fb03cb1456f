/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/cell_text.h"
#include "report/escape.h"
#include "report/report_private.h"
#include "report/string_table.h"

/* Integers up to here are exact in JavaScript. */
#define MAX_EXACT (UINT64_C(1) << 53)

/* How the page shows a type, and compares it. */
static const char *const type_names[] = {
	[CELL_U64] = "number",	   [CELL_I64] = "number", [CELL_ADDR] = "address",
	[CELL_STR] = "text",	   [CELL_TIME] = "time",  [CELL_BOOL] = "bool",
	[CELL_ADDRS] = "text",	   [CELL_BYTES] = "text", [CELL_STRS] = "text",
	[CELL_EXPLAINED] = "text",
};

struct data {
	FILE *out;
	struct string_table strings;
	struct arena scratch; /* of one row */
};

static void put_number(FILE *out, enum cell_type type, const struct cell *cell)
{
	if (type == CELL_I64)
		fprintf(out, "%" PRId64, cell->i64);
	else if (cell->u64 <= MAX_EXACT)
		fprintf(out, "%" PRIu64, cell->u64);
	else
		fprintf(out, "\"%" PRIu64 "\"", cell->u64);
}

static struct error *put_text(struct data *d, enum cell_type type, const struct cell *cell)
{
	const char *text = cell_to_text(&d->scratch, type, cell, CELL_STYLE_TEXT);
	struct error *err;
	size_t number;

	if (!text)
		return &error_no_memory;
	if ((err = string_table_add(&d->strings, text, &number)) != NULL)
		return err;
	fprintf(d->out, "%zu", number);
	return NULL;
}

static struct error *put_cell(struct data *d, enum cell_type type, const struct cell *cell)
{
	if (!cell_has_value(type, cell)) {
		fputs("null", d->out);
		return NULL;
	}
	switch (type) {
	case CELL_U64:
	case CELL_I64:
		put_number(d->out, type, cell);
		return NULL;
	case CELL_ADDR:
		fprintf(d->out, "\"%" PRIx64 "\"", cell->u64);
		return NULL;
	case CELL_BOOL:
		fputs(cell->boolean ? "true" : "false", d->out);
		return NULL;
	case CELL_TIME: {
		const char *text = cell_to_text(&d->scratch, type, cell, CELL_STYLE_DATA);

		if (!text)
			return &error_no_memory;
		escape_json(d->out, text);
		return NULL;
	}
	default:
		return put_text(d, type, cell);
	}
}

static void put_columns(FILE *out, const struct report_table *t)
{
	fputs("\"columns\":[", out);
	for (size_t i = 0; i < t->num_columns; i++) {
		const struct column *c = &t->rows.columns[t->columns[i]];

		fputs(i ? ",[" : "[", out);
		escape_json(out, c->key);
		putc(',', out);
		escape_json(out, c->header);
		putc(',', out);
		escape_json(out, type_names[c->type]);
		putc(',', out);
		escape_json(out, c->help);
		putc(']', out);
	}
	fputs("],\n", out);
}

static struct error *put_row(struct data *d, const struct report_table *t,
			     const struct kept_row *row)
{
	struct error *err;

	for (size_t i = 0; i < t->num_columns; i++) {
		unsigned column = t->columns[i];

		putc(i ? ',' : '[', d->out);
		err = put_cell(d, t->rows.columns[column].type, &row->cells[column]);
		if (err)
			return err;
	}
	putc(']', d->out);
	arena_reset(&d->scratch);
	return NULL;
}

static struct error *put_table(struct data *d, const struct report_table *t, uint64_t max_rows)
{
	uint64_t shown = report_shown(t, max_rows);
	struct error *err;

	fputs("{\"id\":", d->out);
	escape_json(d->out, t->id);
	fputs(",\"title\":", d->out);
	escape_json(d->out, t->title);
	fprintf(d->out, ",\"tree\":%s,\n", t->tree ? "true" : "false");
	put_columns(d->out, t);
	fputs("\"rows\":[", d->out);
	for (uint64_t i = 0; i < shown; i++) {
		fputs(i ? ",\n" : "\n", d->out);
		if ((err = put_row(d, t, &t->rows.items[i])) != NULL)
			return err;
	}
	fputs("],\n\"depths\":[", d->out);
	for (uint64_t i = 0; i < shown && t->tree; i++)
		fprintf(d->out, "%s%u", i ? "," : "", t->rows.items[i].depth);
	fputs("]}", d->out);
	return NULL;
}

static struct error *put_data(struct data *d, const struct report *r, uint64_t max_rows)
{
	struct error *err;

	fputs("{\"tables\":[", d->out);
	for (size_t i = 0; i < r->num_tables; i++) {
		fputs(i ? ",\n" : "\n", d->out);
		if ((err = put_table(d, &r->tables[i], max_rows)) != NULL)
			return err;
	}
	fputs("],\n\"strings\":[", d->out);
	for (size_t i = 0; i < d->strings.count; i++) {
		fputs(i ? ",\n" : "\n", d->out);
		escape_json(d->out, d->strings.items[i]);
	}
	fputs("]}", d->out);
	return NULL;
}

static struct error *make_data(const struct report *r, uint64_t max_rows, char **ret,
			       size_t *len_ret)
{
	struct data d = { .out = open_memstream(ret, len_ret) };
	struct error *err;
	bool failed;

	if (!d.out)
		return &error_no_memory;
	string_table_init(&d.strings);
	arena_init(&d.scratch, 0);
	err = put_data(&d, r, max_rows);
	arena_deinit(&d.scratch);
	string_table_deinit(&d.strings);
	failed = ferror(d.out);
	if (fclose(d.out) != 0 || failed) {
		error_destroy(err);
		err = &error_no_memory;
	}
	if (err) {
		free(*ret);
		*ret = NULL;
	}
	return err;
}

static uint64_t longest_table(const struct report *r)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < r->num_tables; i++) {
		if (r->tables[i].rows.count > longest)
			longest = r->tables[i].rows.count;
	}
	return longest;
}

struct error *report_data(const struct report *r, char **ret, size_t *len_ret,
			  uint64_t *max_rows_ret)
{
	uint64_t max_rows = longest_table(r);
	struct error *err;

	if (max_rows > r->max_rows)
		max_rows = r->max_rows;
	while (!(err = make_data(r, max_rows, ret, len_ret))) {
		if (*len_ret <= r->max_bytes || max_rows == 0)
			break;
		/* The longest tables lose rows, the others keep theirs. */
		max_rows -= (max_rows + 3) / 4;
		free(*ret);
		*ret = NULL;
	}
	*max_rows_ret = max_rows;
	return err;
}
