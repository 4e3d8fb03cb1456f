/* SPDX-License-Identifier: MIT */
#include "cli/row_options.h"

#include "output/columns.h"

struct error *row_options_read(struct arena *a, const struct command *command,
			       const struct option_values *options, struct sink_options *ret)
{
	const char *columns = option_string(options, "columns");
	const char *order = option_string(options, "sort");
	struct sink_options o = { .one_object = command->flags & COMMAND_ONE_OBJECT };
	struct error *err;

	if (!columns && command->default_columns)
		columns = command->default_columns(options);
	if (columns && (err = columns_select(a, command->columns, command->num_columns, columns,
					     &o.selected, &o.num_selected)))
		return err;
	if (order && (err = columns_order(a, command->columns, command->num_columns, order, &o.sort,
					  &o.num_sort)))
		return err;
	o.num_where = option_list(options, "where", &o.where);
	if (option_u64(options, "limit", &o.limit) && !o.limit)
		return error_new(ERROR_USAGE, "option '--limit': expected at least 1, found 0");
	*ret = o;
	return NULL;
}

struct error *row_options_shown(struct arena *a, const struct command *command,
				const struct sink_options *sink_options, const unsigned **ret,
				size_t *count_ret)
{
	unsigned *shown;
	size_t count = 0;

	if (sink_options->selected) {
		*ret = sink_options->selected;
		*count_ret = sink_options->num_selected;
		return NULL;
	}
	shown = arena_calloc(a, command->num_columns + 1, sizeof(*shown));
	if (!shown)
		return &error_no_memory;
	for (size_t i = 0; i < command->num_columns; i++) {
		if (!(command->columns[i].flags & COL_ASKED))
			shown[count++] = (unsigned)i;
	}
	*ret = shown;
	*count_ret = count;
	return NULL;
}

struct error *row_options_refuse(const struct option_values *options, const char *why)
{
	static const char *const of_rows[] = { "columns", "where", "sort", "limit", "format" };

	for (size_t i = 0; i < ARRAY_SIZE(of_rows); i++) {
		if (option_flag(options, of_rows[i]))
			return error_new(ERROR_USAGE, "option '--%s' is about rows: %s", of_rows[i],
					 why);
	}
	return NULL;
}
