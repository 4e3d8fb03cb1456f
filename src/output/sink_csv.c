/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "output/cell_text.h"
#include "output/sink_ops.h"

static bool needs_quotes(const char *s)
{
	size_t len = strlen(s);

	return strpbrk(s, ",\"\r\n") || (len && (s[0] == ' ' || s[len - 1] == ' '));
}

/* Valid UTF-8 whatever s holds; a NUL, which readers of CSV choke on, becomes its picture. */
static void put_text(FILE *out, const char *s)
{
	while (*s) {
		const char *start = s;

		if (strncmp(s, "\xc0\x80", 2) == 0) {
			fputs("\xe2\x90\x80", out);
			s += 2;
		} else if (text_next(&s) == 0xfffd) {
			fputs("\xef\xbf\xbd", out);
		} else {
			if (*start == '"')
				putc('"', out);
			fwrite(start, 1, (size_t)(s - start), out);
		}
	}
}

static bool holds_strings(enum cell_type type)
{
	return type == CELL_STR || type == CELL_STRS || type == CELL_EXPLAINED;
}

static bool put_field(struct sink *s, const struct column *column, const struct cell *cell)
{
	const char *text, *quote;

	if (!cell_has_value(column->type, cell))
		return true;
	text = cell_to_text(&s->scratch, column->type, cell, CELL_STYLE_DATA);
	if (text && holds_strings(column->type) && s->options.terminal)
		text = text_show(&s->scratch, text);
	if (!text)
		return false;
	/* "" is the empty string, nothing at all is absent. */
	quote = needs_quotes(text) || !*text ? "\"" : "";
	fputs(quote, s->out);
	put_text(s->out, text);
	fputs(quote, s->out);
	return true;
}

static bool csv_head(struct sink *s)
{
	for (size_t i = 0; i < s->num_shown; i++)
		fprintf(s->out, "%s%s", i ? "," : "", s->columns[s->shown[i]].key);
	putc('\n', s->out);
	return true;
}

static bool csv_row(struct sink *s, const struct cell *cells, unsigned depth)
{
	(void)depth;
	for (size_t i = 0; i < s->num_shown; i++) {
		if (i)
			putc(',', s->out);
		if (!put_field(s, &s->columns[s->shown[i]], &cells[s->shown[i]]))
			return false;
	}
	putc('\n', s->out);
	return true;
}

static bool csv_tail(struct sink *s)
{
	(void)s;
	return true;
}

const struct sink_ops sink_csv_ops = {
	.name = "csv",
	.head = csv_head,
	.row = csv_row,
	.tail = csv_tail,
};
