/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "output/sink.h"
#include "output/text_layout.h"

/* Tables on a terminal of so many columns. */

enum { ID, NAME, WHERE, STATE, PATH, NUM_COLUMNS };

static const struct column columns[NUM_COLUMNS] = {
	[ID] = { "id", "ID", CELL_U64, 6, COL_RIGHT, "number" },
	[NAME] = { "name", "NAME", CELL_STR, 20, COL_INDENT, "its name" },
	[WHERE] = { "where", "WHERE", CELL_ADDR, 18, COL_MINOR, "where" },
	[STATE] = { "state", "STATE", CELL_STR, 10, COL_STATE, "how" },
	[PATH] = { "path", "PATH", CELL_STR, 0, 0, "file" },
};

struct row {
	const char *name, *state, *path;
	unsigned depth;
};

static char *print(const struct row *rows, size_t count, const struct sink_options *options,
		   size_t *left_out_ret)
{
	struct cell cells[NUM_COLUMNS] = { [ID] = cell_u64(4), [WHERE] = cell_addr(0x123456789) };
	struct sink *sink;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(sink_create(SINK_TEXT, out, options, &sink) == NULL);
	cr_assert(sink_begin(sink, columns, NUM_COLUMNS) == NULL);
	for (size_t i = 0; i < count; i++) {
		cells[NAME] = cell_str(rows[i].name);
		cells[STATE] = cell_str(rows[i].state);
		cells[PATH] = cell_str(rows[i].path);
		cr_assert(sink_row(sink, cells, rows[i].depth) == NULL);
	}
	cr_assert(sink_end(sink) == NULL);
	*left_out_ret = sink_left_out(sink);
	sink_destroy(sink);
	fclose(out);
	return text;
}

static void expect(const struct row *rows, size_t count, unsigned width, size_t left_out,
		   const char *expected)
{
	const struct sink_options options = { .width = width };
	size_t out;
	char *text = print(rows, count, &options, &out);

	cr_expect_str_eq(text, expected, "%u:\n%s", width, text);
	cr_expect_eq(out, left_out, "%u: %zu", width, out);
	free(text);
}

static const struct row two[] = {
	{ "one", "waiting", "\\a\\rather\\long\\path\\to.sys", 0 },
	{ "twelve", NULL, "short", 1 },
};

Test(text_layout, columns_are_as_wide_as_their_cells)
{
	expect(two, 2, 100, 0,
	       "ID  NAME      WHERE        STATE    PATH\n"
	       " 4  one       0x123456789  waiting  \\a\\rather\\long\\path\\to.sys\n"
	       " 4    twelve  0x123456789  -        short\n");
}

Test(text_layout, the_last_text_is_cut_first)
{
	expect(two, 2, 56, 0,
	       "ID  NAME      WHERE        STATE    PATH\n"
	       " 4  one       0x123456789  waiting  \\a\\rather\\long\\path\u2026\n"
	       " 4    twelve  0x123456789  -        short\n");
}

Test(text_layout, minor_columns_are_left_out_first)
{
	expect(two, 2, 50, 1,
	       "ID  NAME      STATE    PATH\n"
	       " 4  one       waiting  \\a\\rather\\long\\path\\to.sys\n"
	       " 4    twelve  -        short\n");
}

Test(text_layout, then_the_last_ones)
{
	expect(two, 2, 22, 2, "ID  NAME      STATE\n 4  one       waiting\n 4    twelve  -\n");
	expect(two, 2, 13, 3, "ID  NAME\n 4  one\n 4    twelve\n");
	expect(two, 2, 2, 4, "ID\n 4\n 4\n");
}

/* The rows after those that the widths were taken from. */
Test(text_layout, later_rows_are_cut_at_their_limit)
{
	enum { COUNT = 300 };
	struct row rows[COUNT];
	const struct sink_options options = { .width = 40 };
	size_t left_out, lines = 0;
	char *text;

	for (size_t i = 0; i < COUNT; i++)
		rows[i] = (struct row){ "n", "s", "p", 0 };
	rows[COUNT - 1] = (struct row){
		"a name that is longer than a line of forty columns",
		"waiting",
		"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97",
		200,
	};
	text = print(rows, COUNT, &options, &left_out);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		cr_expect_leq(text_width(line), 40, "%s", line);
		lines++;
	}
	cr_expect_eq(lines, COUNT + 1);
	free(text);
}

Test(text_layout, every_width_holds)
{
	size_t left_out;

	for (unsigned width = 2; width < 120; width++) {
		const struct sink_options options = { .width = width };
		char *text = print(two, 2, &options, &left_out);

		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			cr_expect_leq(text_width(line), width, "%u: %s", width, line);
		free(text);
	}
}

Test(text_layout, no_rows)
{
	expect(NULL, 0, 80, 0, "ID  NAME  WHERE  STATE  PATH\n");
}

Test(text_layout, colors_are_ours_alone)
{
	static const struct row hostile = { "\x1b[31mred", "terminated", NULL, 0 };
	const struct sink_options options = { .width = 80, .color = true };
	size_t left_out;
	char *text = print(&hostile, 1, &options, &left_out);

	cr_expect_str_eq(text,
			 "\x1b[1mID\x1b[0m  \x1b[1mNAME\x1b[0m         \x1b[1mWHERE\x1b[0m        "
			 "\x1b[1mSTATE\x1b[0m       \x1b[1mPATH\x1b[0m\n"
			 " 4  \\x1b[31mred  0x123456789  \x1b[31mterminated\x1b[0m  "
			 "\x1b[2m-\x1b[0m\n",
			 "%s", text);
	free(text);
}

/* Without a width rows are whole and have the table's own widths. */
Test(text_layout, elsewhere_rows_are_whole)
{
	expect(two, 1, 0, 0,
	       "    ID  NAME                  WHERE               STATE       PATH\n"
	       "     4  one                   0x123456789         waiting     "
	       "\\a\\rather\\long\\path\\to.sys\n");
}
