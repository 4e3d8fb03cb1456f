/* SPDX-License-Identifier: MIT */
#include "cli/verify/compare.h"

#include <stdlib.h>
#include <string.h>

#include "cli/verify/row_diff.h"
#include "cli/verify/value.h"

/* Two results of a command with the columns that both have and that are looked at. */
struct comparison {
	const struct compare_options *options;
	struct compare_counts *counts;
	const char *command;
	const struct expected_column *columns; /* num_columns */
	size_t num_columns;
	size_t *before_at, *after_at; /* where each column is in the results */
	size_t *keys;		      /* indexes into columns */
	size_t num_keys;
	struct diff_table before, after;
	struct arena arena;   /* all of the above */
	struct arena scratch; /* of one difference */
};

static const char *const kind_names[NUM_DIFFERENCE_KINDS] = {
	[DIFFERENCE_REMOVED] = "removed",
	[DIFFERENCE_ADDED] = "added",
	[DIFFERENCE_CHANGED] = "changed",
	[DIFFERENCE_REORDERED] = "reordered",
	[DIFFERENCE_STATUS] = "status",
	[DIFFERENCE_MESSAGE_REMOVED] = "message_removed",
	[DIFFERENCE_MESSAGE_ADDED] = "message_added",
};

const char *difference_name(enum difference_kind kind)
{
	return kind_names[kind];
}

const char *command_text(struct arena *a, const struct word_list *words)
{
	const char *text = words->count ? words->items[0] : "";

	for (size_t i = 1; i < words->count && text; i++)
		text = arena_printf(a, "%s %s", text, words->items[i]);
	return text;
}

static struct error *report(const struct compare_options *options, struct compare_counts *counts,
			    const struct difference *d)
{
	counts->kinds[d->kind]++;
	counts->total++;
	return options->fn(options->arg, d);
}

/* "threads", "ps.threads". */
static bool is_ignored(const struct compare_options *options, const char *command, const char *key)
{
	for (size_t i = 0; i < options->ignored.count; i++) {
		const char *word = options->ignored.items[i], *dot = strrchr(word, '.');

		if (strcmp(dot ? dot + 1 : word, key) != 0)
			continue;
		if (!dot || (strncmp(command, word, (size_t)(dot - word)) == 0 &&
			     strchr(" ", command[dot - word])))
			return true;
	}
	return false;
}

static size_t find_column(const struct expected_result *r, const char *key)
{
	size_t i = 0;

	while (i < r->num_columns && strcmp(r->columns[i].key, key) != 0)
		i++;
	return i;
}

/* Where the new result has the recorded column; false, and said, where it has not. */
static bool find_partner(const struct comparison *c, const struct expected_column *column,
			 const struct expected_result *after, size_t *ret)
{
	*ret = find_column(after, column->key);
	if (*ret == after->num_columns)
		diag_partial(c->options->diag, "%s: there is no column '%s' now", c->command,
			     column->key);
	else if (after->columns[*ret].type != column->type)
		diag_partial(c->options->diag, "%s: column '%s' is %s now, recorded was %s",
			     c->command, column->key, expected_type_name(after->columns[*ret].type),
			     expected_type_name(column->type));
	else
		return true;
	c->counts->columns++;
	return false;
}

/* Columns that nothing was recorded of. */
static struct error *tell_new_columns(struct comparison *c, const struct expected_result *before,
				      const struct expected_result *after)
{
	const char *keys = "";

	for (size_t i = 0; i < after->num_columns && keys; i++) {
		const char *key = after->columns[i].key;

		if (find_column(before, key) < before->num_columns)
			continue;
		keys = arena_printf(&c->arena, "%s%s%s", keys, *keys ? ", " : "", key);
		c->counts->columns++;
	}
	if (!keys)
		return &error_no_memory;
	if (*keys)
		diag_note(c->options->diag, "%s: not recorded, hence not compared: %s", c->command,
			  keys);
	return NULL;
}

static struct error *choose_columns(struct comparison *c, const struct expected_result *before,
				    const struct expected_result *after)
{
	size_t max = before->num_columns + 1;
	struct expected_column *columns = arena_calloc(&c->arena, max, sizeof(*columns));

	c->before_at = arena_calloc(&c->arena, max, sizeof(*c->before_at));
	c->after_at = arena_calloc(&c->arena, max, sizeof(*c->after_at));
	if (!columns || !c->before_at || !c->after_at)
		return &error_no_memory;
	for (size_t i = 0; i < before->num_columns; i++) {
		const struct expected_column *column = &before->columns[i];

		if (is_ignored(c->options, c->command, column->key) ||
		    !find_partner(c, column, after, &c->after_at[c->num_columns]))
			continue;
		c->before_at[c->num_columns] = i;
		columns[c->num_columns++] = *column;
	}
	c->columns = columns;
	return tell_new_columns(c, before, after);
}

/* Either all of the key columns are there, or none is used. */
static struct error *choose_keys(struct comparison *c, const char *list)
{
	c->keys = arena_calloc(&c->arena, c->num_columns + 1, sizeof(*c->keys));
	if (!c->keys)
		return &error_no_memory;
	while (list && *list) {
		size_t len = strcspn(list, ","), i = 0;

		while (i < c->num_columns && (strlen(c->columns[i].key) != len ||
					      memcmp(c->columns[i].key, list, len) != 0))
			i++;
		if (i == c->num_columns) {
			c->num_keys = 0;
			return NULL;
		}
		c->keys[c->num_keys++] = i;
		list += len + (list[len] == ',');
	}
	return NULL;
}

static struct error *choose_cells(struct comparison *c, const struct expected_result *r,
				  const size_t *at, struct diff_table *ret)
{
	const char **cells =
		arena_calloc(&c->arena, r->num_rows * c->num_columns + 1, sizeof(*cells));

	if (!cells)
		return &error_no_memory;
	for (size_t i = 0; i < r->num_rows; i++) {
		for (size_t j = 0; j < c->num_columns; j++)
			cells[i * c->num_columns + j] = r->values[i * r->num_columns + at[j]];
	}
	*ret = (struct diff_table){ cells, r->num_rows };
	return NULL;
}

/* "pid=4 name=System", of the columns at which[0..count), without those that are absent. */
static const char *row_text(struct comparison *c, const char *const *cells, const size_t *which,
			    size_t count)
{
	const char **values = arena_calloc(&c->scratch, count + 1, sizeof(*values));
	size_t size = 1, used = 0;
	char *text;

	if (!values)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t j = which ? which[i] : i;

		if (!expected_value_text(&c->scratch, cells[j], &values[i]))
			return NULL;
		size += values[i] ? strlen(values[i]) + strlen(c->columns[j].key) + 2 : 0;
	}
	text = arena_alloc(&c->scratch, size);
	for (size_t i = 0; i < count && text; i++) {
		if (values[i])
			used += (size_t)snprintf(text + used, size - used, "%s%s=%s",
						 used ? " " : "",
						 c->columns[which ? which[i] : i].key, values[i]);
	}
	return text;
}

static const char *key_text(struct comparison *c, const char *const *cells, size_t row)
{
	if (c->num_keys)
		return row_text(c, cells, c->keys, c->num_keys);
	return arena_printf(&c->scratch, "row %zu", row + 1);
}

/* A row that only one of them has. */
static struct error *report_row(struct comparison *c, const struct row_change *change)
{
	bool is_old = change->new_row == ROW_NONE;
	size_t row = is_old ? change->old_row : change->new_row;
	const char *const *cells = (is_old ? c->before : c->after).cells + row * c->num_columns;
	const char *text = row_text(c, cells, NULL, c->num_columns);
	const struct difference d = {
		.command = c->command,
		.kind = is_old ? DIFFERENCE_REMOVED : DIFFERENCE_ADDED,
		.key = key_text(c, cells, row),
		.before = is_old ? text : NULL,
		.after = is_old ? NULL : text,
	};

	return text && d.key ? report(c->options, c->counts, &d) : &error_no_memory;
}

/* The columns in which a row changed. */
static struct error *report_cells(struct comparison *c, const struct row_change *change)
{
	const char *const *before = c->before.cells + change->old_row * c->num_columns;
	const char *const *after = c->after.cells + change->new_row * c->num_columns;
	struct difference d = {
		.command = c->command,
		.kind = DIFFERENCE_CHANGED,
		.key = key_text(c, before, change->old_row),
	};
	struct error *err = NULL;

	if (!d.key)
		return &error_no_memory;
	for (size_t i = 0; i < c->num_columns && !err; i++) {
		if (strcmp(before[i], after[i]) == 0)
			continue;
		d.column = c->columns[i].key;
		if (!expected_value_text(&c->scratch, before[i], &d.before) ||
		    !expected_value_text(&c->scratch, after[i], &d.after))
			return &error_no_memory;
		err = report(c->options, c->counts, &d);
	}
	return err;
}

static struct error *report_rows(struct comparison *c, const struct row_diff *diff)
{
	const struct difference reordered = { .command = c->command, .kind = DIFFERENCE_REORDERED };
	struct error *err = NULL;

	for (size_t i = 0; i < diff->count && !err; i++) {
		const struct row_change *change = &diff->items[i];

		if (change->old_row == ROW_NONE || change->new_row == ROW_NONE)
			err = report_row(c, change);
		else
			err = report_cells(c, change);
		arena_reset(&c->scratch);
	}
	if (!err && diff->reordered && !c->options->any_order)
		err = report(c->options, c->counts, &reordered);
	return err;
}

static struct error *compare_rows(struct comparison *c, const struct expected_result *before,
				  const struct expected_result *after, const char *key_columns)
{
	struct diff_options options;
	struct row_diff diff = { 0 };
	struct error *err;

	if ((err = choose_columns(c, before, after)) || (err = choose_keys(c, key_columns)) ||
	    (err = choose_cells(c, before, c->before_at, &c->before)) ||
	    (err = choose_cells(c, after, c->after_at, &c->after)))
		return err;
	options = (struct diff_options){ c->num_columns, c->keys, c->num_keys };
	if ((err = row_diff(&c->before, &c->after, &options, &diff)))
		return err;
	err = report_rows(c, &diff);
	row_diff_deinit(&diff);
	return err;
}

struct error *compare_messages(const char *command, const struct word_list *before,
			       const struct word_list *after, const struct compare_options *options,
			       struct compare_counts *counts)
{
	struct error *err = NULL;
	size_t i = 0, j = 0;

	while (!options->any_messages && (i < before->count || j < after->count) && !err) {
		struct difference d = { .command = command };
		int order = i == before->count	? 1
			    : j == after->count ? -1
						: strcmp(before->items[i], after->items[j]);

		if (order < 0) {
			d.kind = DIFFERENCE_MESSAGE_REMOVED;
			d.before = before->items[i];
		} else if (order > 0) {
			d.kind = DIFFERENCE_MESSAGE_ADDED;
			d.after = after->items[j];
		}
		i += order <= 0;
		j += order >= 0;
		if (order)
			err = report(options, counts, &d);
	}
	return err;
}

static struct error *compare_statuses(const char *command, const struct expected_result *before,
				      const struct expected_result *after,
				      const struct compare_options *options,
				      struct compare_counts *counts)
{
	const struct difference d = {
		.command = command,
		.kind = DIFFERENCE_STATUS,
		.before = expected_status_name(before->status),
		.after = expected_status_name(after->status),
	};

	bool failed = before->status == EXPECTED_FAILED || after->status == EXPECTED_FAILED;

	/* What cannot be read makes a result partial, and says so. */
	if (before->status == after->status || (options->any_messages && !failed))
		return NULL;
	return report(options, counts, &d);
}

struct error *compare_results(const struct expected_result *before,
			      const struct expected_result *after, const char *key_columns,
			      const struct compare_options *options, struct compare_counts *counts)
{
	struct comparison c = { .options = options, .counts = counts };
	struct error *err;

	arena_init(&c.arena, 0);
	arena_init(&c.scratch, 0);
	counts->rows += before->num_rows;
	c.command = command_text(&c.arena, &before->command);
	err = c.command ? compare_statuses(c.command, before, after, options, counts)
			: &error_no_memory;
	if (!err)
		err = compare_messages(c.command, &before->messages, &after->messages, options,
				       counts);
	if (!err)
		err = compare_rows(&c, before, after, key_columns);
	arena_deinit(&c.scratch);
	arena_deinit(&c.arena);
	return err;
}
