/* SPDX-License-Identifier: MIT */
#include "output/row_filter.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "output/cell_text.h"
#include "output/columns.h"

enum operator{ EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, MATCH, NO_MATCH };

/* Longer ones first: "<=" is not "<". */
static const struct {
	const char *text;
	enum operator op;
} operators[] = {
	{ "!=", NOT_EQUAL }, { "!~", NO_MATCH }, { "<=", LESS_EQUAL }, { ">=", GREATER_EQUAL },
	{ "=", EQUAL },	     { "<", LESS },	 { ">", GREATER },     { "~", MATCH },
};

struct condition {
	unsigned column;
	enum cell_type type;
	enum operator op;
	bool absent; /* the value is "-" */
	char *text;  /* owned */
	uint64_t number;
	int64_t signed_number;
	bool boolean;
	regex_t regex; /* MATCH, NO_MATCH */
	bool has_regex;
};

struct row_filter {
	struct condition *items;
	size_t count;
};

void row_filter_destroy(struct row_filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		if (f->items[i].has_regex)
			regfree(&f->items[i].regex);
		free(f->items[i].text);
	}
	free(f->items);
	free(f);
}

static bool is_match(enum operator op)
{
	return op == MATCH || op == NO_MATCH;
}

static bool is_negation(enum operator op)
{
	return op == NOT_EQUAL || op == NO_MATCH;
}

/* With or without 0x; fffff801`7afc2004 is how debuggers print them. */
static bool parse_address(const char *text, uint64_t *ret)
{
	bool has_prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char hex[64];
	int len = snprintf(hex, sizeof(hex), "0x%s", text + (has_prefix ? 2 : 0));

	return len > 0 && (size_t)len < sizeof(hex) && text_parse_u64(hex, ret);
}

static bool parse_signed(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t value;

	if (!text_parse_u64(text + negative, &value) || value > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = (int64_t)(negative ? -value : value);
	return true;
}

/* As much as is given of 2024-05-01T10:20:30.1234567Z; a space may stand for the T. */
static bool parse_time(char *text)
{
	static const char shape[] = "0000-00-00T00:00:00.0000000Z";
	size_t len = strlen(text);

	if (!len || len >= sizeof(shape))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (shape[i] == 'T' && (text[i] == ' ' || text[i] == 't'))
			text[i] = 'T';
		if (shape[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
			return false;
	}
	return true;
}

static bool parse_bool(const char *text, bool *ret)
{
	static const char *const words[][2] = { { "false", "true" },
						{ "no", "yes" },
						{ "0", "1" } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (unsigned value = 0; value < 2; value++) {
			if (strcasecmp(text, words[i][value]) != 0)
				continue;
			*ret = value;
			return true;
		}
	}
	return false;
}

/* Turns the value into what the column holds. */
static struct error *parse_value(struct condition *c)
{
	const char *expected = NULL;

	switch (c->type) {
	case CELL_U64:
		if (!text_parse_u64(c->text, &c->number))
			expected = "a number";
		break;
	case CELL_ADDR:
	case CELL_ADDRS:
	case CELL_EXPLAINED:
		if (!parse_address(c->text, &c->number))
			expected = "a hexadecimal address";
		break;
	case CELL_I64:
		if (!parse_signed(c->text, &c->signed_number))
			expected = "a number";
		break;
	case CELL_BOOL:
		if (!parse_bool(c->text, &c->boolean))
			expected = "true or false";
		break;
	case CELL_TIME:
		if (!parse_time(c->text))
			expected = "a time like 2024-05-01T10:20:30, or its beginning";
		break;
	case CELL_STR:
	case CELL_STRS:
	case CELL_BYTES:
		break;
	}
	if (!expected)
		return NULL;
	return error_new(ERROR_USAGE, "expected %s, found '%s'", expected, c->text);
}

static struct error *parse_regex(struct condition *c)
{
	int code = regcomp(&c->regex, c->text, REG_EXTENDED | REG_ICASE | REG_NOSUB);
	char why[128];

	if (!code) {
		c->has_regex = true;
		return NULL;
	}
	regerror(code, &c->regex, why, sizeof(why));
	return error_new(ERROR_USAGE, "regular expression '%s': %s", c->text, why);
}

static struct error *parse_condition(const struct column *columns, size_t num_columns,
				     const char *text, struct condition *c)
{
	size_t len = strcspn(text, "=<>~!"), i = 0;
	struct error *err = column_find(columns, num_columns, text, len, &c->column);

	if (err)
		return error_wrap(err, "condition '%s'", text);
	c->type = columns[c->column].type;
	while (i < ARRAY_SIZE(operators) &&
	       strncmp(text + len, operators[i].text, strlen(operators[i].text)) != 0)
		i++;
	if (i == ARRAY_SIZE(operators))
		return error_new(
			ERROR_USAGE,
			"condition '%s': expected COLUMN=VALUE, or !=, <, <=, >, >=, ~, !~", text);
	c->op = operators[i].op;
	c->text = strdup(text + len + strlen(operators[i].text));
	if (!c->text)
		return &error_no_memory;
	if (is_match(c->op))
		return error_wrap(parse_regex(c), "condition '%s'", text);
	c->absent = strcmp(c->text, "-") == 0 && (c->op == EQUAL || c->op == NOT_EQUAL);
	return c->absent ? NULL : error_wrap(parse_value(c), "condition '%s'", text);
}

struct error *row_filter_create(const struct column *columns, size_t num_columns,
				const char *const *conditions, size_t num_conditions,
				struct row_filter **ret)
{
	struct row_filter *f = calloc(1, sizeof(*f));
	struct error *err = NULL;

	if (f)
		f->items = calloc(num_conditions + 1, sizeof(*f->items));
	if (!f || !f->items) {
		row_filter_destroy(f);
		return &error_no_memory;
	}
	for (size_t i = 0; i < num_conditions && !err; i++) {
		f->count = i + 1;
		err = parse_condition(columns, num_columns, conditions[i], &f->items[i]);
	}
	if (err) {
		row_filter_destroy(f);
		return err;
	}
	*ret = f;
	return NULL;
}

void row_filter_mark(const struct row_filter *f, bool *columns)
{
	for (size_t i = 0; i < f->count; i++)
		columns[f->items[i].column] = true;
}

static bool holds(enum operator op, int order)
{
	switch (op) {
	case LESS:
		return order < 0;
	case LESS_EQUAL:
		return order <= 0;
	case GREATER:
		return order > 0;
	case GREATER_EQUAL:
		return order >= 0;
	case EQUAL:
	case NOT_EQUAL:
	case MATCH:
	case NO_MATCH:
		break;
	}
	return order == 0; /* negations are turned around by who asks */
}

/* What text compares by: a regular expression, as much of a time as is given, or all of it. */
static bool text_fits(const struct condition *c, const char *text)
{
	if (is_match(c->op))
		return regexec(&c->regex, text, 0, NULL, 0) == 0;
	if (c->type == CELL_TIME)
		return holds(c->op, strncmp(text, c->text, strlen(c->text)));
	return holds(c->op, strcasecmp(text, c->text));
}

static bool number_fits(const struct condition *c, uint64_t value)
{
	return holds(c->op, value < c->number ? -1 : value > c->number);
}

/* One value: a cell that is no list, or one item of a list. */
static struct error *value_fits(const struct condition *c, const struct cell *cell,
				struct arena *scratch, bool *ret)
{
	const char *text;

	if (!is_match(c->op)) {
		switch (c->type) {
		case CELL_U64:
		case CELL_ADDR:
			*ret = number_fits(c, cell->u64);
			return NULL;
		case CELL_ADDRS:
			*ret = number_fits(c, cell->addrs.items[0]);
			return NULL;
		case CELL_EXPLAINED:
			*ret = number_fits(c, cell->explained.items[0].value);
			return NULL;
		case CELL_I64:
			*ret = holds(c->op, cell->i64 < c->signed_number
						    ? -1
						    : cell->i64 > c->signed_number);
			return NULL;
		case CELL_BOOL:
			*ret = holds(c->op, cell->boolean - c->boolean);
			return NULL;
		case CELL_STR:
		case CELL_STRS:
		case CELL_BYTES:
		case CELL_TIME:
			break;
		}
	}
	text = cell_to_text(scratch, c->type, cell, CELL_STYLE_DATA);
	if (!text)
		return &error_no_memory;
	*ret = text_fits(c, text);
	return NULL;
}

static size_t num_values(enum cell_type type, const struct cell *cell)
{
	switch (type) {
	case CELL_ADDRS:
		return cell->addrs.count;
	case CELL_STRS:
		return cell->strs.count;
	case CELL_EXPLAINED:
		return cell->explained.count;
	default:
		return 1;
	}
}

static struct cell nth_value(enum cell_type type, const struct cell *cell, size_t n)
{
	switch (type) {
	case CELL_ADDRS:
		return cell_addrs(&cell->addrs.items[n], 1);
	case CELL_STRS:
		return cell_strs(&cell->strs.items[n], 1);
	case CELL_EXPLAINED:
		return cell_explained(&cell->explained.items[n], 1);
	default:
		return *cell;
	}
}

static struct error *condition_test(const struct condition *c, const struct cell *cell,
				    struct arena *scratch, bool *ret)
{
	bool fits = false;

	if (!cell_has_value(c->type, cell)) {
		fits = c->absent;
	} else if (!c->absent) {
		size_t count = num_values(c->type, cell);

		for (size_t i = 0; i < count && !fits; i++) {
			struct cell value = nth_value(c->type, cell, i);
			struct error *err = value_fits(c, &value, scratch, &fits);

			if (err)
				return err;
		}
	}
	*ret = fits != is_negation(c->op);
	return NULL;
}

struct error *row_filter_test(const struct row_filter *f, const struct cell *cells,
			      struct arena *scratch, bool *fits_ret)
{
	*fits_ret = true;
	for (size_t i = 0; i < f->count && *fits_ret; i++) {
		const struct condition *c = &f->items[i];
		struct error *err = condition_test(c, &cells[c->column], scratch, fits_ret);

		if (err)
			return err;
	}
	return NULL;
}
