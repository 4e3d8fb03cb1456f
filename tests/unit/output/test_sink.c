/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/sink.h"

/* 2024-05-01T10:20:30.1234567Z */
#define SOME_TIME UINT64_C(133590324301234567)

enum { PID, NAME, BASE, TIME, LIST, BYTES, FLAG, DELTA, SECRET, NUM_COLUMNS };

static const struct column columns[NUM_COLUMNS] = {
	[PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[NAME] = { "name", "NAME", CELL_STR, 8, COL_INDENT, "its name" },
	[BASE] = { "base", "BASE", CELL_ADDR, 6, 0, "where" },
	[TIME] = { "time", "TIME", CELL_TIME, 0, 0, "when" },
	[LIST] = { "list", "LIST", CELL_ADDRS, 0, 0, "some" },
	[BYTES] = { "bytes", "BYTES", CELL_BYTES, 0, 0, "bytes" },
	[FLAG] = { "flag", "FLAG", CELL_BOOL, 0, 0, "yes or no" },
	[DELTA] = { "delta", "DELTA", CELL_I64, 0, COL_RIGHT, "signed" },
	[SECRET] = { "secret", "SECRET", CELL_STR, 0, COL_HIDDEN, "not in text" },
};

static const uint64_t list[] = { 1, UINT64_MAX };
static const uint8_t bytes[] = { 0x4d, 0x5a };

static void full_row(struct cell *cells, const char *name)
{
	cells[PID] = cell_u64(4);
	cells[NAME] = cell_str(name);
	cells[BASE] = cell_addr(0x1000);
	cells[TIME] = cell_time(SOME_TIME);
	cells[LIST] = cell_addrs(list, 2);
	cells[BYTES] = cell_bytes(bytes, 2);
	cells[FLAG] = cell_bool(true);
	cells[DELTA] = cell_i64(-1);
	cells[SECRET] = cell_str("s");
}

struct capture {
	char *text;
	size_t size;
	FILE *out;
	struct sink *sink;
};

static void capture_open(struct capture *c, enum sink_kind kind, const struct sink_options *options)
{
	c->out = open_memstream(&c->text, &c->size);
	cr_assert(c->out);
	cr_assert(sink_create(kind, c->out, options, &c->sink) == NULL);
	cr_assert(sink_begin(c->sink, columns, NUM_COLUMNS) == NULL);
}

static void capture_row(struct capture *c, const struct cell *cells, unsigned depth)
{
	cr_assert(sink_row(c->sink, cells, depth) == NULL);
}

static void capture_expect(struct capture *c, const char *expected)
{
	cr_assert(sink_end(c->sink) == NULL);
	sink_destroy(c->sink);
	fclose(c->out);
	cr_assert_str_eq(c->text, expected);
	free(c->text);
}

/* A full row, one of absent cells, and the end. */
static void expect_rows(enum sink_kind kind, const struct sink_options *options,
			const char *expected)
{
	struct cell full[NUM_COLUMNS], absent[NUM_COLUMNS] = { 0 };
	struct capture c;

	capture_open(&c, kind, options);
	full_row(full, "smss.exe");
	capture_row(&c, full, 0);
	capture_row(&c, absent, 1);
	capture_expect(&c, expected);
}

static const struct sink_options plain = { 0 };
static const struct sink_options object = { .one_object = true };

Test(sink, text_table)
{
	expect_rows(SINK_TEXT, &plain,
		    "   PID  NAME      BASE    TIME  LIST  BYTES  FLAG  DELTA\n"
		    "     4  smss.exe  0x1000  2024-05-01T10:20:30.1234567Z "
		    "0x1,0xffffffffffffffff 4d 5a true -1\n"
		    "     -    -       -       -     -     -      -         -\n");
}

Test(sink, json_array)
{
	expect_rows(SINK_JSON, &plain,
		    "[\n{\"pid\": 4, \"name\": \"smss.exe\", \"base\": \"0x1000\", "
		    "\"time\": \"2024-05-01T10:20:30.1234567Z\", "
		    "\"list\": [\"0x1\", \"0xffffffffffffffff\"], \"bytes\": \"4d5a\", "
		    "\"flag\": true, \"delta\": -1, \"secret\": \"s\"},\n"
		    "{\"pid\": null, \"name\": null, \"base\": null, \"time\": null, "
		    "\"list\": null, \"bytes\": null, \"flag\": null, \"delta\": null, "
		    "\"secret\": null}\n]\n");
}

Test(sink, csv_rows)
{
	expect_rows(SINK_CSV, &plain,
		    "pid,name,base,time,list,bytes,flag,delta,secret\n"
		    "4,smss.exe,0x1000,2024-05-01T10:20:30.1234567Z,"
		    "0x1 0xffffffffffffffff,4d5a,true,-1,s\n"
		    ",,,,,,,,\n");
}

Test(sink, columns_are_selected_in_order)
{
	static const unsigned selected[] = { SECRET, PID };
	const struct sink_options options = { .selected = selected, .num_selected = 2 };

	expect_rows(SINK_TEXT, &options, "SECRET     PID\ns            4\n-            -\n");
	expect_rows(SINK_JSONL, &options,
		    "{\"secret\": \"s\", \"pid\": 4}\n{\"secret\": null, \"pid\": null}\n");
	expect_rows(SINK_CSV, &options, "secret,pid\ns,4\n,\n");
}

Test(sink, unknown_column_is_refused)
{
	static const unsigned selected[] = { NUM_COLUMNS };
	const struct sink_options options = { .selected = selected, .num_selected = 1 };
	struct sink *s;
	struct error *err;

	cr_assert(sink_create(SINK_CSV, stdout, &options, &s) == NULL);
	err = sink_begin(s, columns, NUM_COLUMNS);
	cr_assert(err);
	cr_expect_eq(error_code(err), ERROR_USAGE);
	error_destroy(err);
	sink_destroy(s);
}

Test(sink, one_object)
{
	static const unsigned selected[] = { NAME, LIST, TIME };
	const struct sink_options options = { .one_object = true,
					      .selected = selected,
					      .num_selected = 3 };
	static const struct {
		enum sink_kind kind;
		const char *expected;
	} rows[] = {
		{ SINK_TEXT, "name: smss.exe\nlist: 0x1\n      0xffffffffffffffff\n"
			     "time: 2024-05-01T10:20:30.1234567Z\n" },
		{ SINK_JSON, "{\n\t\"name\": \"smss.exe\",\n\t\"list\": [\"0x1\", "
			     "\"0xffffffffffffffff\"],\n\t\"time\": "
			     "\"2024-05-01T10:20:30.1234567Z\"\n}\n" },
		{ SINK_JSONL, "{\"name\": \"smss.exe\", \"list\": [\"0x1\", "
			      "\"0xffffffffffffffff\"], \"time\": "
			      "\"2024-05-01T10:20:30.1234567Z\"}\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cell cells[NUM_COLUMNS];
		struct capture c;

		capture_open(&c, rows[i].kind, &options);
		full_row(cells, "smss.exe");
		capture_row(&c, cells, 0);
		capture_expect(&c, rows[i].expected);
	}
}

Test(sink, object_shows_hidden_columns_that_are_present)
{
	struct cell cells[NUM_COLUMNS] = { 0 };
	struct capture c;

	capture_open(&c, SINK_TEXT, &object);
	cells[PID] = cell_u64(1);
	capture_row(&c, cells, 0);
	capture_expect(&c, "pid:    1\nname:   -\nbase:   -\ntime:   -\nlist:   -\n"
			   "bytes:  -\nflag:   -\ndelta:  -\n");
	capture_open(&c, SINK_TEXT, &object);
	cells[SECRET] = cell_str("x");
	capture_row(&c, cells, 0);
	capture_expect(&c, "pid:    1\nname:   -\nbase:   -\ntime:   -\nlist:   -\n"
			   "bytes:  -\nflag:   -\ndelta:  -\nsecret: x\n");
}

static const struct column explained_columns[] = {
	{ "id", "ID", CELL_U64, 2, 0, "number" },
	{ "why", "WHY", CELL_EXPLAINED, 4, 0, "values with their meaning" },
	{ "asked", "ASKED", CELL_U64, 0, COL_ASKED, "only when it is asked for" },
};
static const struct explained_value explained[] = {
	{ 0x50, "access", "read" },
	{ UINT64_MAX, "driver \"\x1b\"", NULL },
	{ 0, NULL, "so" },
	{ 7, NULL, NULL },
};

static void expect_explained(enum sink_kind kind, const struct sink_options *options, size_t count,
			     const char *expected)
{
	const struct cell cells[] = { cell_u64(1), cell_explained(explained, count), cell_u64(2) };
	struct capture c;

	c.out = open_memstream(&c.text, &c.size);
	cr_assert(c.out);
	cr_assert_null(sink_create(kind, c.out, options, &c.sink));
	cr_assert_null(sink_begin(c.sink, explained_columns, ARRAY_SIZE(explained_columns)));
	capture_row(&c, cells, 0);
	capture_expect(&c, expected);
}

Test(sink, explained_values)
{
	expect_explained(
		SINK_JSONL, &plain, 4,
		"{\"id\": 1, \"why\": [{\"value\": \"0x50\", \"meaning\": \"access\", "
		"\"detail\": \"read\"}, {\"value\": \"0xffffffffffffffff\", \"meaning\": "
		"\"driver \\\"\\u001b\\\"\", \"detail\": null}, {\"value\": \"0x0\", "
		"\"meaning\": null, \"detail\": \"so\"}, {\"value\": \"0x7\", \"meaning\": "
		"null, \"detail\": null}]}\n");
	expect_explained(SINK_JSONL, &plain, 0, "{\"id\": 1, \"why\": []}\n");
	expect_explained(SINK_TEXT, &object, 4,
			 "id:  1\nwhy: 0x50  access: read\n"
			 "     0xffffffffffffffff  driver \"\\x1b\"\n     0x0  so\n     0x7\n");
	expect_explained(SINK_TEXT, &plain, 2,
			 "ID  WHY\n1   0x50  access: read; 0xffffffffffffffff  driver \"\\x1b\"\n");
	expect_explained(SINK_CSV, &plain, 2,
			 "id,why\n1,\"0x50=access: read; 0xffffffffffffffff=driver "
			 "\"\"\x1b\"\"\"\n");
}

static const struct column strs_columns[] = {
	{ "id", "ID", CELL_U64, 2, 0, "number" },
	{ "names", "NAMES", CELL_STRS, 4, 0, "several names" },
};
static const char *const names[] = { "SeDebugPrivilege", "a \"\x1b\"", NULL, "" };

static void expect_strs(enum sink_kind kind, const struct sink_options *options, size_t count,
			const char *expected)
{
	const struct cell cells[] = { cell_u64(1), cell_strs(names, count) };
	struct capture c;

	c.out = open_memstream(&c.text, &c.size);
	cr_assert(c.out);
	cr_assert_null(sink_create(kind, c.out, options, &c.sink));
	cr_assert_null(sink_begin(c.sink, strs_columns, ARRAY_SIZE(strs_columns)));
	capture_row(&c, cells, 0);
	capture_expect(&c, expected);
}

Test(sink, lists_of_strings)
{
	const struct sink_options terminal = { .terminal = true };

	expect_strs(SINK_JSONL, &plain, 4,
		    "{\"id\": 1, \"names\": [\"SeDebugPrivilege\", "
		    "\"a \\\"\\u001b\\\"\", null, \"\"]}\n");
	expect_strs(SINK_JSONL, &plain, 0, "{\"id\": 1, \"names\": []}\n");
	expect_strs(SINK_TEXT, &plain, 2, "ID  NAMES\n1   SeDebugPrivilege,a \"\\x1b\"\n");
	expect_strs(SINK_TEXT, &object, 2,
		    "id:    1\nnames: SeDebugPrivilege\n       a \"\\x1b\"\n");
	expect_strs(SINK_TEXT, &object, 0, "id:    1\nnames:\n");
	expect_strs(SINK_CSV, &plain, 2, "id,names\n1,\"SeDebugPrivilege;a \"\"\x1b\"\"\"\n");
	expect_strs(SINK_CSV, &terminal, 2, "id,names\n1,\"SeDebugPrivilege;a \"\"\\x1b\"\"\"\n");
	expect_strs(SINK_CSV, &plain, 4, "id,names\n1,\"SeDebugPrivilege;a \"\"\x1b\"\";;\"\n");
}

Test(sink, a_terminal_gets_no_control_characters_in_csv)
{
	const struct sink_options terminal = { .terminal = true };

	expect_explained(SINK_CSV, &terminal, 2,
			 "id,why\n1,\"0x50=access: read; 0xffffffffffffffff=driver "
			 "\"\"\\x1b\"\"\"\n");
}

Test(sink, asked_columns_are_shown_when_selected)
{
	static const unsigned selected[] = { 2, 0 };
	const struct sink_options options = { .selected = selected, .num_selected = 2 };

	expect_explained(SINK_CSV, &options, 0, "asked,id\n2,1\n");
	expect_explained(SINK_TEXT, &options, 0, "ASKED  ID\n2      1\n");
}

Test(sink, nothing_at_all)
{
	static const struct {
		enum sink_kind kind;
		const char *rows, *object;
	} empty[] = {
		{ SINK_TEXT, "   PID  NAME      BASE    TIME  LIST  BYTES  FLAG  DELTA\n", "" },
		{ SINK_JSON, "[]\n", "null\n" },
		{ SINK_JSONL, "", "" },
		{ SINK_CSV, "pid,name,base,time,list,bytes,flag,delta,secret\n",
		  "pid,name,base,time,list,bytes,flag,delta,secret\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		struct capture c;

		capture_open(&c, empty[i].kind, &plain);
		capture_expect(&c, empty[i].rows);
		capture_open(&c, empty[i].kind, &object);
		capture_expect(&c, empty[i].object);
	}
}

static void expect_name(enum sink_kind kind, bool terminal, const char *name, const char *expected)
{
	static const unsigned selected[] = { NAME };
	const struct sink_options options = { .terminal = terminal,
					      .selected = selected,
					      .num_selected = 1 };
	struct cell cells[NUM_COLUMNS] = { [NAME] = cell_str(name) };
	struct capture c;

	capture_open(&c, kind, &options);
	capture_row(&c, cells, 0);
	capture_expect(&c, expected);
}

Test(sink, hostile_strings)
{
	static const struct {
		const char *name, *text, *jsonl, *csv, *csv_terminal;
	} rows[] = {
		/* escape sequence, newline */
		{ "a\x1b[31m\nb", "a\\x1b[31m\\x0ab", "a\\u001b[31m\\u000ab", "\"a\x1b[31m\nb\"",
		  "a\\x1b[31m\\x0ab" },
		/* quote, comma, backslash */
		{ "\\a\",b", "\\a\",b", "\\\\a\\\",b", "\"\\a\"\",b\"", "\"\\a\"\",b\"" },
		/* embedded NUL */
		{ "a\xc0\x80"
		  "b",
		  "a\\x00b", "a\\u0000b",
		  "a\xe2\x90\x80"
		  "b",
		  "a\\x00b" },
		/* not UTF-8 */
		{ "a\xff"
		  "b",
		  "a\\xffb",
		  "a\xef\xbf\xbd"
		  "b",
		  "a\xef\xbf\xbd"
		  "b",
		  "a\\xffb" },
		/* right-to-left override */
		{ "a\xe2\x80\xae"
		  "b",
		  "a\\u{202e}b", "a\\u202eb",
		  "a\xe2\x80\xae"
		  "b",
		  "a\\u{202e}b" },
		/* C1 control sequence introducer */
		{ "\xc2\x9b"
		  "2J",
		  "\\u{009b}2J", "\\u009b2J",
		  "\xc2\x9b"
		  "2J",
		  "\\u{009b}2J" },
		/* what only looks like an escape is told from one */
		{ "\\x1b", "\\\\x1b", "\\\\x1b", "\\x1b", "\\\\x1b" },
		{ "", "", "", "\"\"", "\"\"" },
		{ " a", " a", " a", "\" a\"", "\" a\"" },
	};
	char expected[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(expected, sizeof(expected), "NAME\n%s\n", rows[i].text);
		expect_name(SINK_TEXT, false, rows[i].name, expected);
		snprintf(expected, sizeof(expected), "{\"name\": \"%s\"}\n", rows[i].jsonl);
		expect_name(SINK_JSONL, false, rows[i].name, expected);
		snprintf(expected, sizeof(expected), "name\n%s\n", rows[i].csv);
		expect_name(SINK_CSV, false, rows[i].name, expected);
		snprintf(expected, sizeof(expected), "name\n%s\n", rows[i].csv_terminal);
		expect_name(SINK_CSV, true, rows[i].name, expected);
	}
}

Test(sink, text_wide_cells_push_only_as_far_as_they_must)
{
	static const unsigned selected[] = { PID, NAME, BASE, FLAG };
	const struct sink_options options = { .selected = selected, .num_selected = 4 };
	struct cell cells[NUM_COLUMNS];
	struct capture c;

	capture_open(&c, SINK_TEXT, &options);
	full_row(cells, "a.longer.name");
	capture_row(&c, cells, 0);
	full_row(cells, "\xe6\xbc\xa2\xe5\xad\x97"); /* two wide characters */
	capture_row(&c, cells, 2);
	full_row(cells, "");
	capture_row(&c, cells, 0);
	capture_expect(&c, "   PID  NAME      BASE    FLAG\n"
			   "     4  a.longer.name 0x1000 true\n"
			   "     4      \xe6\xbc\xa2\xe5\xad\x97  0x1000  true\n"
			   "     4            0x1000  true\n");
}

Test(sink, indent_is_bounded)
{
	static const unsigned selected[] = { NAME };
	const struct sink_options options = { .selected = selected, .num_selected = 1 };
	struct cell cells[NUM_COLUMNS] = { [NAME] = cell_str("x") };
	struct capture c;

	capture_open(&c, SINK_TEXT, &options);
	capture_row(&c, cells, UINT32_MAX);
	cr_assert(sink_end(c.sink) == NULL);
	cr_expect_eq(c.size, strlen("NAME\n") + 2 * 64 + strlen("x\n"));
	sink_destroy(c.sink);
	fclose(c.out);
	free(c.text);
}

Test(sink, numbers_at_their_ends)
{
	static const unsigned selected[] = { PID, BASE, TIME, DELTA, LIST, BYTES };
	const struct sink_options options = { .selected = selected, .num_selected = 6 };
	struct cell cells[NUM_COLUMNS] = {
		[PID] = cell_u64(UINT64_MAX),	[BASE] = cell_addr(0),
		[TIME] = cell_time(UINT64_MAX), [DELTA] = cell_i64(INT64_MIN),
		[LIST] = cell_addrs(NULL, 0),	[BYTES] = cell_bytes(NULL, 0),
	};
	struct capture c;

	capture_open(&c, SINK_JSONL, &options);
	capture_row(&c, cells, 0);
	capture_expect(&c, "{\"pid\": 18446744073709551615, \"base\": \"0x0\", \"time\": null, "
			   "\"delta\": -9223372036854775808, \"list\": [], \"bytes\": \"\"}\n");
}

Test(sink, limit)
{
	const struct sink_options options = { .limit = 2 };
	struct cell cells[NUM_COLUMNS] = { 0 };
	struct capture c;

	capture_open(&c, SINK_CSV, &options);
	for (unsigned i = 0; i < 5; i++) {
		cr_expect_eq(sink_full(c.sink), i >= 2);
		capture_row(&c, cells, 0);
	}
	cr_expect_eq(sink_rows(c.sink), 2);
	capture_expect(&c, "pid,name,base,time,list,bytes,flag,delta,secret\n,,,,,,,,\n,,,,,,,,\n");
}

Test(sink, kinds_by_name)
{
	enum sink_kind kind;

	for (unsigned i = 0; i < NUM_SINK_KINDS; i++) {
		cr_assert(sink_kind_from_name(sink_kind_name((enum sink_kind)i), &kind));
		cr_expect_eq(kind, i);
	}
	cr_expect_not(sink_kind_from_name("xml", &kind));
}

Test(sink, write_errors_are_told)
{
	struct cell cells[NUM_COLUMNS] = { 0 };
	FILE *full = fopen("/dev/full", "w");
	struct sink *s;
	struct error *err = NULL;

	if (!full)
		cr_skip("no /dev/full");
	cr_assert(sink_create(SINK_JSON, full, &plain, &s) == NULL);
	cr_assert(sink_begin(s, columns, NUM_COLUMNS) == NULL);
	for (unsigned i = 0; i < 10000 && !err; i++)
		err = sink_row(s, cells, 0);
	cr_assert(err);
	cr_expect_eq(error_code(err), ERROR_OS);
	cr_expect_eq(error_errno(err), ENOSPC);
	error_destroy(err);
	sink_destroy(s);
	fclose(full);
}
