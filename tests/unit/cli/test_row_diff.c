/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verify/row_diff.h"

/* Tables as text: rows of one-letter cells with blanks between them, "ax bx". */
enum { MAX_CELLS = 64, MAX_TEXT = 256 };

struct table {
	char texts[MAX_CELLS][2];
	const char *cells[MAX_CELLS];
	struct diff_table table;
};

static void make_table(const char *text, size_t columns, struct table *ret)
{
	size_t count = 0;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		ret->texts[count][0] = *text;
		ret->texts[count][1] = '\0';
		ret->cells[count] = ret->texts[count];
		count++;
	}
	ret->table = (struct diff_table){ ret->cells, count / columns };
}

/* "0>1" changed, "-2" removed, "+3" added, "~" reordered. */
static void check_diff(size_t columns, size_t num_keys, const char *before, const char *after,
		       const char *expected)
{
	static const size_t keys[] = { 0, 1 };
	const struct diff_options options = { columns, keys, num_keys };
	struct table old_table, new_table;
	struct row_diff diff;
	char text[MAX_TEXT] = "";
	size_t used = 0;

	make_table(before, columns, &old_table);
	make_table(after, columns, &new_table);
	cr_assert_null(row_diff(&old_table.table, &new_table.table, &options, &diff));
	for (size_t i = 0; i < diff.count; i++) {
		const struct row_change *c = &diff.items[i];
		char *at = text + used;
		size_t room = sizeof(text) - used;

		if (c->new_row == ROW_NONE)
			used += (size_t)snprintf(at, room, "-%zu ", c->old_row);
		else if (c->old_row == ROW_NONE)
			used += (size_t)snprintf(at, room, "+%zu ", c->new_row);
		else
			used += (size_t)snprintf(at, room, "%zu>%zu ", c->old_row, c->new_row);
	}
	if (diff.reordered)
		snprintf(text + used, sizeof(text) - used, "~ ");
	cr_assert_str_eq(text, expected, "%s to %s: %s, expected %s", before, after, text,
			 expected);
	row_diff_deinit(&diff);
}

Test(row_diff, by_key)
{
	check_diff(2, 1, "ax bx", "ax bx", "");
	check_diff(2, 1, "ax bx cx", "ax by cx", "1>1 ");
	check_diff(2, 1, "ax bx cx", "ax cx", "-1 ");
	check_diff(2, 1, "ax cx", "ax bx cx", "+1 ");
	check_diff(2, 1, "", "ax", "+0 ");
	check_diff(2, 1, "ax", "", "-0 ");
	check_diff(2, 1, "", "", "");
	check_diff(2, 1, "ax bx cx", "cx ax by", "1>2 ~ ");
	check_diff(3, 2, "abx acx", "acy abx", "1>0 ~ ");
}

Test(row_diff, several_rows_of_one_key)
{
	check_diff(2, 1, "ax ay az", "ax ay az", "");
	check_diff(2, 1, "ax ay az", "ay az", "-0 ");
	check_diff(2, 1, "ax ay az", "ax aw az", "1>1 ");
	check_diff(2, 1, "ax ax ax", "ax ax", "-2 ");
	check_diff(2, 1, "ax ay", "aw av", "0>0 1>1 ");
}

Test(row_diff, by_place)
{
	check_diff(2, 0, "ax bx cx", "ax bx cx", "");
	check_diff(2, 0, "ax bx cx", "ax cx", "-1 ");
	check_diff(2, 0, "ax cx", "ax bx cx", "+1 ");
	check_diff(2, 0, "ax bx cx", "ax by cx", "1>1 ");
	check_diff(2, 0, "ax bx cx", "ax dy cx", "-1 +1 ");
	check_diff(2, 0, "ax", "by", "0>0 ");
	check_diff(2, 0, "", "ax bx", "+0 +1 ");
	check_diff(2, 0, "ax bx", "", "-0 -1 ");
	check_diff(1, 0, "abcabba", "cbabac", "-0 -1 -5 +1 +5 ");
}

/* Any two sequences: what is not told as removed or added is the same in both, in order. */
Test(row_diff, random_sequences)
{
	const struct diff_options options = { 1, NULL, 0 };

	srand(1);
	for (unsigned round = 0; round < 2000; round++) {
		char before[MAX_CELLS] = "", after[MAX_CELLS] = "", left[MAX_CELLS],
		     kept[MAX_CELLS];
		struct table old_table, new_table;
		struct row_diff diff;
		size_t num_left = 0, num_kept = 0;

		for (int i = rand() % 30; i > 0; i--)
			before[i - 1] = (char)('a' + rand() % 4);
		for (int i = rand() % 30; i > 0; i--)
			after[i - 1] = (char)('a' + rand() % 4);
		make_table(before, 1, &old_table);
		make_table(after, 1, &new_table);
		cr_assert_null(row_diff(&old_table.table, &new_table.table, &options, &diff));
		for (size_t i = 0; i < diff.count; i++) {
			/* Rows of one cell are similar just when each table has one row. */
			if (diff.items[i].old_row != ROW_NONE)
				before[diff.items[i].old_row] = ' ';
			if (diff.items[i].new_row != ROW_NONE)
				after[diff.items[i].new_row] = ' ';
		}
		for (size_t i = 0; i < old_table.table.num_rows; i++) {
			if (before[i] != ' ')
				left[num_left++] = before[i];
		}
		for (size_t i = 0; i < new_table.table.num_rows; i++) {
			if (after[i] != ' ')
				kept[num_kept++] = after[i];
		}
		cr_assert_eq(num_left, num_kept);
		cr_assert_eq(memcmp(left, kept, num_left), 0);
		cr_assert_not(diff.reordered);
		row_diff_deinit(&diff);
	}
}

/* Past the bounded number of edits equal rows are still found. */
Test(row_diff, many_edits)
{
	enum { COUNT = 6000 };
	const struct diff_options options = { 1, NULL, 0 };
	const char **before = calloc(COUNT, sizeof(*before)), **after;
	char(*texts)[8] = calloc(COUNT, sizeof(*texts));
	struct row_diff diff;

	after = calloc(COUNT, sizeof(*after));
	cr_assert(before && after && texts);
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%zu", i);
		before[i] = texts[i];
		after[COUNT - 1 - i] = i % 2 ? texts[i] : "new";
	}
	cr_assert_null(row_diff(&(struct diff_table){ before, COUNT },
				&(struct diff_table){ after, COUNT }, &options, &diff));
	cr_assert(diff.reordered);
	cr_assert_eq(diff.count, COUNT);
	row_diff_deinit(&diff);
	free(before);
	free(after);
	free(texts);
}
