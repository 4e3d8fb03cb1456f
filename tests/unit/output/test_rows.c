/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include "output/row_filter.h"
#include "output/sink.h"

/* 2024-05-01T10:20:30.1234567Z */
#define SOME_TIME UINT64_C(133590324301234567)

enum { PID, NAME, BASE, TIME, LIST, WORDS, BYTES, FLAG, DELTA, WHY, NUM_COLUMNS };

static const struct column columns[NUM_COLUMNS] = {
	[PID] = { "pid", "PID", CELL_U64, 0, 0, "" },
	[NAME] = { "name", "NAME", CELL_STR, 0, 0, "" },
	[BASE] = { "base", "BASE", CELL_ADDR, 0, 0, "" },
	[TIME] = { "time", "TIME", CELL_TIME, 0, 0, "" },
	[LIST] = { "list", "LIST", CELL_ADDRS, 0, 0, "" },
	[WORDS] = { "words", "WORDS", CELL_STRS, 0, 0, "" },
	[BYTES] = { "bytes", "BYTES", CELL_BYTES, 0, 0, "" },
	[FLAG] = { "flag", "FLAG", CELL_BOOL, 0, 0, "" },
	[DELTA] = { "delta", "DELTA", CELL_I64, 0, 0, "" },
	[WHY] = { "why", "WHY", CELL_EXPLAINED, 0, COL_ASKED, "" },
};

static const uint64_t list[] = { 0x10, 0x20 };
static const char *const words[] = { "SeDebugPrivilege", "SeTcbPrivilege" };
static const uint8_t bytes[] = { 0x4d, 0x5a };
static const struct explained_value why[] = { { 0x1a, "code", "MEMORY_MANAGEMENT" } };

/* Row 1 has everything, row 2 nothing, row 3 is small. */
static void make_row(unsigned number, struct cell *cells)
{
	memset(cells, 0, NUM_COLUMNS * sizeof(*cells));
	if (number == 2)
		return;
	cells[PID] = cell_u64(number == 1 ? 400 : 8);
	cells[NAME] = cell_str(number == 1 ? "lsass.exe" : "Idle");
	if (number == 3)
		return;
	cells[BASE] = cell_addr(UINT64_C(0xfffff80000001000));
	cells[TIME] = cell_time(SOME_TIME);
	cells[LIST] = cell_addrs(list, 2);
	cells[WORDS] = cell_strs(words, 2);
	cells[BYTES] = cell_bytes(bytes, 2);
	cells[FLAG] = cell_bool(true);
	cells[DELTA] = cell_i64(-5);
	cells[WHY] = cell_explained(why, 1);
}

/* Which of the three rows come out, as in "13". */
static struct error *run(const struct sink_options *options, char ret[8])
{
	struct rows rows = { 0 };
	struct cell cells[NUM_COLUMNS];
	struct sink *sink;
	struct error *err = sink_create_rows(options, &rows, &sink);

	cr_assert_null(err);
	err = sink_begin(sink, columns, NUM_COLUMNS);
	for (unsigned i = 1; i <= 3 && !err; i++) {
		make_row(i, cells);
		err = sink_row(sink, cells, i);
	}
	if (!err)
		err = sink_end(sink);
	for (size_t i = 0; i < rows.count; i++)
		ret[i] = (char)('0' + rows.items[i].depth);
	ret[rows.count] = '\0';
	sink_destroy(sink);
	rows_deinit(&rows);
	return err;
}

static const struct condition_row {
	const char *condition, *rows;
} conditions[] = {
	{ "pid=400", "1" },
	{ "pid=0x190", "1" },
	{ "pid!=400", "23" },
	{ "pid<400", "3" },
	{ "pid<=400", "13" },
	{ "pid>8", "1" },
	{ "pid>=8", "13" },
	{ "pid~^4", "1" },
	{ "pid=-", "2" },
	{ "pid!=-", "13" },
	{ "name=LSASS.EXE", "1" },
	{ "name!=lsass.exe", "23" },
	{ "name~ss\\.", "1" },
	{ "name!~ss", "23" },
	{ "name=", "" },
	{ "base=fffff80000001000", "1" },
	{ "base>=0xfffff80000000000", "1" },
	{ "base<0xfffff80000000000", "" },
	{ "time=2024-05-01", "1" },
	{ "time=2024-05-02", "" },
	{ "time>2024-04", "1" },
	{ "time<2024-05-01T10:20:31", "1" },
	{ "time>=2024-05-01T10:20:30.1234567Z", "1" },
	{ "list=20", "1" },
	{ "list=30", "" },
	{ "list!=30", "123" },
	{ "words=sedebugprivilege", "1" },
	{ "words~tcb", "1" },
	{ "words!~tcb", "23" },
	{ "bytes=4d5a", "1" },
	{ "bytes~^4d", "1" },
	{ "flag=yes", "1" },
	{ "flag=false", "" },
	{ "flag!=true", "23" },
	{ "delta=-5", "1" },
	{ "delta<0", "1" },
	{ "time>=2024-05-01 10:20", "1" },
	{ "base=0x10`00000000", "" },
	{ "delta>0", "" },
	{ "why=1a", "1" },
	{ "why!=1a", "23" },
};

ParameterizedTestParameters(rows, conditions_choose_rows)
{
	return cr_make_param_array(struct condition_row, (struct condition_row *)conditions,
				   ARRAY_SIZE(conditions));
}

ParameterizedTest(struct condition_row *row, rows, conditions_choose_rows)
{
	const struct sink_options options = { .where = &row->condition, .num_where = 1 };
	char got[8];

	cr_assert_null(run(&options, got));
	cr_expect_str_eq(got, row->rows, "%s: %s", row->condition, got);
}

Test(rows, all_conditions_must_hold)
{
	static const char *const both[] = { "pid>1", "name~i" };
	const struct sink_options options = { .where = both, .num_where = 2 };
	char got[8];

	cr_assert_null(run(&options, got));
	cr_expect_str_eq(got, "3");
}

Test(rows, conditions_have_no_octal_numbers)
{
	static const struct column column = { "pid", "PID", CELL_U64, 6, 0, "" };
	static const char *const one = "pid=010";
	const struct cell ten = cell_u64(10);
	struct row_filter *f = NULL;
	struct arena a CLEANUP(arena_deinit);
	bool fits = false;

	arena_init(&a, 0);
	cr_assert_null(row_filter_create(&column, 1, &one, 1, &f));
	cr_assert_null(row_filter_test(f, &ten, &a, &fits));
	cr_expect(fits);
	row_filter_destroy(f);
}

static const struct condition_row wrong[] = {
	{ "nothing=1", "'nothing'" },
	{ "pid", "expected COLUMN=VALUE" },
	{ "pid!5", "expected COLUMN=VALUE" },
	{ "pid=x", "a number" },
	{ "pid=-1", "a number" },
	{ "pid=", "a number" },
	{ "pid=99999999999999999999", "a number" },
	{ "base=zz", "a hexadecimal address" },
	{ "delta=", "a number" },
	{ "delta=--5", "a number" },
	{ "delta=9223372036854775808", "a number" },
	{ "pid==5", "condition 'pid==5'" },
	{ "base=-1", "a hexadecimal address" },
	{ "time=", "a time" },
	{ "time>yesterday", "a time" },
	{ "time>2024/05/01", "a time" },
	{ "time<2024-05-01T10:20:30.1234567Z+", "a time" },
	{ "flag=perhaps", "true or false" },
	{ "name~(", "regular expression" },
	{ "=5", "''" },
};

ParameterizedTestParameters(rows, conditions_that_are_none)
{
	return cr_make_param_array(struct condition_row, (struct condition_row *)wrong,
				   ARRAY_SIZE(wrong));
}

ParameterizedTest(struct condition_row *row, rows, conditions_that_are_none)
{
	const struct sink_options options = { .where = &row->condition, .num_where = 1 };
	char got[8];
	struct error *err = run(&options, got);

	cr_assert_not_null(err, "%s", row->condition);
	cr_expect_eq(error_code(err), ERROR_USAGE);
	cr_expect_not_null(strstr(error_message(err), row->rows), "%s", error_message(err));
	error_destroy(err);
}

static void expect_order(unsigned column, bool descending, uint64_t limit, const char *expected)
{
	const struct sort_key key = { column, descending };
	const struct sink_options options = { .sort = &key, .num_sort = 1, .limit = limit };
	char got[8];

	cr_assert_null(run(&options, got));
	cr_expect_str_eq(got, expected, "column %u: %s", column, got);
}

Test(rows, absent_cells_come_last_in_either_order)
{
	expect_order(PID, false, 0, "312");
	expect_order(PID, true, 0, "132");
	expect_order(NAME, false, 0, "312");
	expect_order(TIME, true, 0, "123");
}

Test(rows, equal_rows_keep_their_order)
{
	expect_order(FLAG, false, 0, "123");
	expect_order(FLAG, true, 0, "123");
}

Test(rows, the_limit_is_of_sorted_rows)
{
	expect_order(PID, false, 1, "3");
	expect_order(PID, true, 2, "13");
}

Test(rows, the_limit_is_of_rows_that_fit)
{
	static const char *const one = "name=Idle";
	const struct sink_options options = { .where = &one, .num_where = 1, .limit = 1 };
	char got[8];

	cr_assert_null(run(&options, got));
	cr_expect_str_eq(got, "3");
}

Test(rows, what_is_kept_does_not_need_its_source)
{
	struct rows rows;
	char name[] = "first";
	uint64_t numbers[] = { 1, 2 };
	struct cell cells[NUM_COLUMNS] = { 0 };

	rows_init(&rows, columns, NUM_COLUMNS);
	cells[NAME] = cell_str(name);
	cells[LIST] = cell_addrs(numbers, 2);
	cells[WHY] = cell_explained(why, 1);
	cr_assert_null(rows_add(&rows, cells, 0));
	strcpy(name, "other");
	numbers[0] = 7;
	cr_expect_str_eq(rows.items[0].cells[NAME].str, "first");
	cr_expect_eq(rows.items[0].cells[LIST].addrs.items[0], 1);
	cr_expect_str_eq(rows.items[0].cells[WHY].explained.items[0].detail, "MEMORY_MANAGEMENT");
	cr_expect_neq(rows.items[0].cells[WHY].explained.items, why);
	rows_deinit(&rows);
}

Test(rows, columns_that_conditions_need_are_asked_for)
{
	static const char *const one = "why=1a";
	const struct sink_options options = { .where = &one, .num_where = 1 };
	struct rows rows;
	struct sink *sink;

	cr_assert_null(sink_create_rows(&options, &rows, &sink));
	cr_assert_null(sink_begin(sink, columns, NUM_COLUMNS));
	cr_expect(sink_shows(sink, WHY));
	sink_destroy(sink);
	rows_deinit(&rows);
}

Test(rows, sorted_rows_are_written_at_the_end)
{
	const struct sort_key key = { PID, false };
	const unsigned shown[] = { PID, NAME };
	const struct sink_options options = {
		.sort = &key, .num_sort = 1, .selected = shown, .num_selected = 2
	};
	struct cell cells[NUM_COLUMNS];
	struct sink *sink;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_null(sink_create(SINK_JSON, out, &options, &sink));
	cr_assert_null(sink_begin(sink, columns, NUM_COLUMNS));
	for (unsigned i = 1; i <= 3; i++) {
		make_row(i, cells);
		cr_assert_null(sink_row(sink, cells, 0));
	}
	cr_assert_null(sink_end(sink));
	sink_destroy(sink);
	fclose(out);
	cr_expect_str_eq(text, "[\n{\"pid\": 8, \"name\": \"Idle\"},\n"
			       "{\"pid\": 400, \"name\": \"lsass.exe\"},\n"
			       "{\"pid\": null, \"name\": null}\n]\n");
	free(text);
}
