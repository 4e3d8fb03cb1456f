/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/verify/command_line.h"
#include "cli/verify/expected.h"
#include "output/columns.h"

#define MEMORY (UINT64_C(64) << 20)

static const char head[] = "{\"schema\": \"ntscope-expected\", \"version\": 1, \"program\": \"x\","
			   "\"snapshot\": {\"name\": \"a\", \"size\": 1, \"sha256\": \"00\"},"
			   "\"profile\": {\"build\": 1, \"pdb_name\": null, \"pdb_guid\": null,"
			   "\"pdb_age\": null, \"symbols\": null},"
			   "\"options\": [], \"messages\": [], \"results\": [";
static const char tail[] = "]}";

static struct error *read_text(struct arena *a, const char *text, struct expected *ret)
{
	arena_init(a, 0);
	return expected_read(a, (const uint8_t *)text, strlen(text), MEMORY, ret);
}

/* A result with this between its parts. */
static struct error *read_result(struct arena *a, const char *result, struct expected *ret)
{
	const char *text;

	arena_init(a, 0);
	text = arena_printf(a, "%s%s%s", head, result, tail);
	return expected_read(a, (const uint8_t *)text, strlen(text), MEMORY, ret);
}

static const struct bad {
	const char *result, *message;
} bad_results[] = {
	{ "1", "'results' is not an array of objects" },
	{ "{}", "'command' is not an array of strings" },
	{ "{\"command\": []}", "'command' is empty" },
	{ "{\"command\": [1]}", "'command' is not an array of strings" },
	{ "{\"command\": [\"ps\"]}", "'status' is not a string" },
	{ "{\"command\": [\"ps\"], \"status\": \"fine\"}", "'status' is 'fine'" },
	{ "{\"command\": [\"ps\"], \"status\": \"ok\", \"messages\": {}}", "'messages' is not" },
	{ "{\"command\": [\"ps\"], \"status\": \"ok\", \"messages\": [], \"columns\": [1]}",
	  "'columns' is not an array of [key, type]" },
	{ "{\"command\": [\"ps\"], \"status\": \"ok\", \"messages\": [], "
	  "\"columns\": [[\"a\", \"float\"]]}",
	  "type 'float', which is not known" },
	{ "{\"command\": [\"ps\"], \"status\": \"ok\", \"messages\": [], "
	  "\"columns\": [[\"a\", \"u64\"], [\"a\", \"u64\"]]}",
	  "column 'a' is there twice" },
	{ "{\"command\": [\"ps\"], \"status\": \"ok\", \"messages\": [], "
	  "\"columns\": [[\"a\", \"u64\"]], \"rows\": [[1], [1, 2]]}",
	  "row 1 is not an array of 1 values" },
	{ "{\"command\": [\"ps\"], \"status\": \"ok\", \"messages\": [], "
	  "\"columns\": [[\"a\", \"u64\"]], \"rows\": [[\"x\"]]}",
	  "row 0: 'a' is not a value of type u64" },
	{ "{\"command\": [\"ps\"], \"status\": \"ok\", \"messages\": [], "
	  "\"columns\": [], \"rows\": [[]]}",
	  "1 rows without columns" },
};

Test(expected, wrong_results)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_results); i++) {
		struct expected e;
		struct arena a;
		struct error *err = read_result(&a, bad_results[i].result, &e);

		cr_assert(err, "%s", bad_results[i].result);
		cr_assert(strstr(error_message(err), bad_results[i].message), "%s",
			  error_message(err));
		error_destroy(err);
		arena_deinit(&a);
	}
}

static void check_refused(const char *text, enum error_code code, const char *message)
{
	struct expected e;
	struct arena a;
	struct error *err = read_text(&a, text, &e);

	cr_assert(err, "%s", text);
	cr_assert_eq(error_code(err), code, "%s", error_message(err));
	cr_assert(strstr(error_message(err), message), "%s", error_message(err));
	error_destroy(err);
	arena_deinit(&a);
}

Test(expected, other_versions)
{
	check_refused("{\"schema\": \"ntscope-expected\", \"version\": 0}", ERROR_UNSUPPORTED,
		      "version 0, older than 1");
	check_refused("{\"schema\": \"ntscope-expected\", \"version\": 2}", ERROR_UNSUPPORTED,
		      "version 2, newer than 1");
	check_refused("{\"schema\": \"ntscope-expected\", \"version\": \"1\"}", ERROR_CORRUPT,
		      "'version' is not a number");
	check_refused("{\"schema\": \"other\", \"version\": 1}", ERROR_UNSUPPORTED,
		      "not a recorded result");
	check_refused("[]", ERROR_UNSUPPORTED, "not a recorded result");
	check_refused("", ERROR_CORRUPT, "not JSON");
}

/* A small file that would need much memory, and one that is nested deeply. */
Test(expected, bombs)
{
	enum { COUNT = 1 << 20 };
	char *text = malloc(COUNT + 1);

	cr_assert(text != NULL);
	text[0] = '[';
	for (size_t i = 1; i + 2 < COUNT; i += 3)
		memcpy(text + i, "[],", 3);
	text[COUNT] = '\0';
	check_refused(text, ERROR_LIMIT, "--max-memory");
	memset(text, '[', COUNT);
	check_refused(text, ERROR_CORRUPT, "nested deeper");
	free(text);
}

static const char whole[] =
	"{\"command\": [\"ps\"], \"status\": \"partial\", \"messages\": [\"m\"],"
	"\"columns\": [[\"pid\", \"u64\"], [\"name\", \"string\"], [\"why\", \"explained\"]],"
	"\"rows\": [[\"18446744073709551615\", \"a\\u0000\\u00e9\", null],"
	"[4, null, [{\"meaning\": \"m\", \"value\": \"0x1\", \"detail\": null}]]]}";

Test(expected, values)
{
	struct arena a;
	struct expected e;
	const struct explained_value explained = { 1, "m", NULL };
	const struct cell cells[] = {
		cell_u64(UINT64_MAX), cell_str("a\xc0\x80\xc3\xa9"), CELL_ABSENT, cell_u64(4),
		CELL_ABSENT,	      cell_explained(&explained, 1),
	};
	const struct expected_result *r;
	const char *text;

	cr_assert_null(read_result(&a, whole, &e));
	cr_assert_eq(expected_exit_status(&e), 3);
	r = &e.results[0];
	cr_assert_eq(r->num_rows, 2);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		const char *value = expected_value(&a, r->columns[i % 3].type, &cells[i]);

		cr_assert_str_eq(value, r->values[i]);
	}
	cr_assert(expected_value_text(&a, r->values[1], &text));
	cr_assert_str_eq(text, cells[1].str);
	cr_assert(expected_value_text(&a, r->values[4], &text));
	cr_assert_null(text);
	arena_deinit(&a);
}

/* Cut anywhere it is an error, and none of a crash. */
Test(expected, cut)
{
	struct arena scratch;
	char *text;

	arena_init(&scratch, 0);
	text = arena_printf(&scratch, "%s%s%s", head, whole, tail);
	for (size_t len = 0; len < strlen(text); len++) {
		struct expected e;
		struct arena a;
		struct error *err;

		arena_init(&a, 0);
		err = expected_read(&a, (const uint8_t *)text, len, MEMORY, &e);
		cr_assert(err != NULL);
		error_destroy(err);
		arena_deinit(&a);
	}
	arena_deinit(&scratch);
}

Test(expected, command_words)
{
	struct word_list words;
	struct arena a;
	struct error *err;

	arena_init(&a, 0);
	cr_assert_null(command_line_split(&a, "registry  keys 'HKLM\\A B' \"it's\" ''", &words));
	cr_assert_eq(words.count, 5);
	cr_assert_str_eq(words.items[2], "HKLM\\A B");
	cr_assert_str_eq(words.items[3], "it's");
	cr_assert_str_eq(words.items[4], "");
	err = command_line_split(&a, "ps 'x", &words);
	cr_assert_eq(error_code(err), ERROR_USAGE);
	error_destroy(err);
	arena_deinit(&a);
}

/* Each command's key columns are columns of it. */
Test(expected, key_columns)
{
	for (size_t i = 0; i < num_commands; i++) {
		const struct command *c = commands[i];
		const unsigned *columns;
		struct arena a;
		size_t count;

		arena_init(&a, 0);
		if (c->key_columns)
			cr_assert_null(columns_select(&a, c->columns, c->num_columns,
						      c->key_columns, &columns, &count),
				       "%s", c->name);
		arena_deinit(&a);
	}
}
