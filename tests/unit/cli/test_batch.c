/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/batch/meter.h"
#include "cli/batch/record.h"
#include "cli/batch/results.h"
#include "cli/commands.h"

static struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

/* A folder of its own, as the current one. */
static void enter_folder(void)
{
	char path[] = "/tmp/batch-unit-XXXXXX";

	cr_assert_not_null(mkdtemp(path));
	cr_assert_eq(chdir(path), 0);
}

static void leave_folder(void)
{
	cr_assert_eq(system("rm -rf \"$PWD\""), 0);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static void check_paths(const struct inputs *in, const char *const *paths, size_t count)
{
	cr_assert_eq(in->count, count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(in->items[i].path, paths[i]);
}

Test(inputs, walk)
{
	static const char *const paths[] = { "./d/B", "./d/a", "./d/e/fifo", "./d/e/f",
					     "./d/link" };
	static const char *const sorted[] = { "./d/B",	    "./d/a",	"./d/e/f",
					      "./d/e/fifo", "./d/e/up", "./d/link" };
	struct arena arena;
	struct inputs in;

	enter_folder();
	cr_assert_eq(mkdir("d", 0755) | mkdir("d/e", 0755), 0);
	write_file(paths[0], "x");
	write_file(paths[1], "");
	write_file(paths[3], "yy");
	cr_assert_eq(mkfifo(paths[2], 0600), 0);
	cr_assert_eq(symlink("..", "d/e/up") | symlink("e/f", "d/link"), 0);
	write_file("d/out", "results");
	arena_init(&arena, 0);
	inputs_init(&in, &arena);
	inputs_leave_out(&in, "d/out");
	cr_assert_null(inputs_add(&in, "./d"));
	cr_assert_null(inputs_add(&in, "./d/a"));
	inputs_sort(&in);
	check_paths(&in, sorted, ARRAY_SIZE(sorted));
	cr_expect_str_eq(in.items[2].relative, "e/f");
	cr_expect_eq(in.items[2].size, 2);
	cr_expect_null(in.items[2].problem);
	cr_expect_str_eq(in.items[1].problem, "an empty file");
	cr_expect_str_eq(in.items[3].problem, "a pipe, not a file");
	cr_expect_str_eq(in.items[4].problem, "a link to a folder, not followed");
	cr_expect_eq(in.items[5].size, 2);
	inputs_deinit(&in);
	arena_deinit(&arena);
	leave_folder();
}

Test(inputs, missing)
{
	struct arena arena;
	struct inputs in;

	arena_init(&arena, 0);
	inputs_init(&in, &arena);
	cr_assert_null(inputs_add(&in, "/nowhere/at all"));
	cr_assert_eq(in.count, 1);
	cr_expect_str_eq(in.items[0].relative, "at all");
	cr_expect_not_null(in.items[0].problem);
	inputs_deinit(&in);
	arena_deinit(&arena);
}

Test(shard, parse)
{
	static const char *const wrong[] = { "",   "1",	 "/",	 "0/1", "2/1",	 "1/0",
					     "1/", "/1", "-1/2", "a/b", "1/2/3", "1 /2" };
	struct shard s;

	cr_assert(shard_parse("3/8", &s));
	cr_expect_eq(s.index, 3);
	cr_expect_eq(s.count, 8);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		cr_expect_not(shard_parse(wrong[i], &s), "%s", wrong[i]);
}

/* Every path is in one shard, the same wherever its folder is, today and tomorrow. */
Test(shard, shares)
{
	const struct shard all = { 0 };
	size_t counts[4] = { 0 };
	char name[16];

	for (int i = 0; i < 1000; i++) {
		struct input input = { .path = name, .relative = name };

		snprintf(name, sizeof(name), "%d.dmp", i);
		cr_expect(shard_has(&all, &input));
		for (uint64_t k = 0; k < 4; k++)
			counts[k] += shard_has(&(struct shard){ k + 1, 4 }, &input);
	}
	cr_expect_eq(counts[0] + counts[1] + counts[2] + counts[3], 1000);
	for (size_t k = 0; k < 4; k++)
		cr_expect(counts[k] > 150 && counts[k] < 350);
	cr_expect(shard_has(&(struct shard){ 1, 2 }, &(struct input){ .relative = "a.dmp" }) !=
		  shard_has(&(struct shard){ 2, 2 }, &(struct input){ .relative = "a.dmp" }));
	/* FNV-1a of "foobar" is 85944171f73967e8 */
	cr_expect(shard_has(&(struct shard){ 0xe8 + 1, 256 },
			    &(struct input){ .relative = "foobar" }));
}

/* A record, as read back. */
static void check_round_trip(const char *path)
{
	const struct input input = { .path = path, .relative = path, .size = 5, .modified = 1 };
	const char report[] = "T\"ps\": [{\"pid\": 4}]\nN\"note\"\nE\"info\": \"why\"\nhalf";
	struct record_result result = { .status = "ok", .exit_reason = "exit 0" };
	struct plan plan = { .count = 0 };
	struct record_head head;
	struct arena arena;
	struct span line;
	char *text = NULL;
	FILE *out = open_memstream(&text, &line.len);

	arena_init(&arena, 0);
	record_write(out, "{}", &input, &plan, &result, report, strlen(report));
	fclose(out);
	line.text = text;
	cr_assert_null(record_read(&arena, &line, &head));
	cr_expect(record_is_of(&head, &input));
	cr_expect_str_eq(head.path, path);
	cr_expect_not_null(
		strstr(text, "\"errors\": {\"info\": \"why\"}, \"ps\": [{\"pid\": 4}]}"));
	cr_expect_null(strstr(text, "half"));
	/* of a line that is cut, either the head is whole or there is none */
	for (size_t len = 0; len < line.len; len++) {
		const struct span cut = { line.text, len };
		struct error *err = record_read(&arena, &cut, &head);

		cr_expect(err || record_is_of(&head, &input), "%zu", len);
		error_destroy(err);
	}
	arena_deinit(&arena);
	free(text);
}

Test(record, round_trip)
{
	check_round_trip("a.dmp");
	check_round_trip("a \"b\" \\ \n \xe2\x82\xac.dmp");
	check_round_trip("a\xff\xc0\x80");
}

Test(record, other_versions)
{
	static const struct {
		const char *line;
		enum error_code code;
	} cases[] = {
		{ "{\"schema\": \"ntscope-batch\", \"version\": 2}", ERROR_UNSUPPORTED },
		{ "{\"schema\": \"ntscope-batch\", \"version\": 11}", ERROR_UNSUPPORTED },
		{ "{\"schema\": \"else\", \"version\": 1}", ERROR_CORRUPT },
		{ "{\"schema\": \"ntscope-batch\", \"version\": 1}", ERROR_CORRUPT },
		{ "{}", ERROR_CORRUPT },
		{ "[", ERROR_CORRUPT },
		{ "", ERROR_CORRUPT },
	};
	struct record_head head;
	struct arena arena;

	arena_init(&arena, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct span line = span_of(cases[i].line);
		struct error *err = record_read(&arena, &line, &head);

		cr_assert_not_null(err, "%s", cases[i].line);
		cr_expect_eq(error_code(err), cases[i].code, "%s", cases[i].line);
		error_destroy(err);
	}
	arena_deinit(&arena);
}

Test(record, torn_reports_have_no_result)
{
	static const char whole[] = "T\"ps\": []\nF\"why\"\nDfailed\tmemory limit\n";
	struct record_result result;
	struct arena arena;

	arena_init(&arena, 0);
	cr_assert(record_read_result(&arena, whole, strlen(whole), &result));
	cr_expect_str_eq(result.status, "failed");
	cr_expect_str_eq(result.exit_reason, "memory limit");
	cr_expect_eq(result.error_len, strlen("\"why\""));
	for (size_t len = 0; len < strlen(whole); len++)
		cr_expect_not(record_read_result(&arena, whole, len, &result), "%zu", len);
	arena_deinit(&arena);
}

Test(plan, words)
{
	static const struct option_table none = { NULL, 0 };
	static const char *const wrong[] = { "",       ",",	      "ps,",	  "nosuch",
					     "ps,ps",  "batch",	      "convert",  "ps x",
					     "read",   "ps --nosuch", "registry", "ps --sort pid",
					     "formats" };
	struct option_values common;
	struct plan plan = { 0 };
	struct arena arena;
	struct error *err;

	arena_init(&arena, 0);
	cr_assert_null(options_parse(&arena, &none, 0, NULL, &common));
	cr_assert_null(plan_add(&plan, &arena, plan_triage, &common));
	plan.count = 0;
	cr_assert_null(plan_add(&plan, &arena,
				"ps  --where 'name=a b,c' , registry values 'HKLM\\A B'", &common));
	cr_assert_eq(plan.count, 2);
	cr_expect_str_eq(plan.items[0].words, "ps --where name=a b,c");
	cr_expect_str_eq(plan.items[1].command->name, "registry values");
	cr_expect_str_eq(plan.items[1].options.args[0], "HKLM\\A B");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct plan other = { 0 };

		err = plan_add(&other, &arena, wrong[i], &common);
		cr_expect(err && error_code(err) == ERROR_USAGE, "%s", wrong[i]);
		error_destroy(err);
	}
	arena_deinit(&arena);
}

/* A command's table and columns have names of their own. */
Test(sql, names)
{
	static const char *const tables[] = { "snapshots", "messages", "errors" };
	static const char *const columns[] = { "snapshot_id", "row_number" };

	for (size_t i = 0; i < num_commands; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(tables); k++)
			cr_expect_str_neq(commands[i]->name, tables[k]);
		for (size_t k = 0; k < num_record_members; k++)
			cr_expect_str_neq(commands[i]->name, record_members[k].key);
		for (size_t c = 0; c < commands[i]->num_columns; c++) {
			for (size_t k = 0; k < ARRAY_SIZE(columns); k++)
				cr_expect_str_neq(commands[i]->columns[c].key, columns[k]);
		}
	}
}

Test(results, kinds)
{
	cr_expect_eq(results_kind("a.sqlite"), &results_sqlite);
	cr_expect_eq(results_kind("a.b/c.db"), &results_sqlite);
	cr_expect_eq(results_kind("a.jsonl"), &results_jsonl);
	cr_expect_eq(results_kind(".db"), &results_jsonl);
}

Test(meter, text)
{
	struct meter m;
	char text[160];

	meter_begin(&m, NULL, false, 220, 20, 100);
	meter_format(&m, 20, 100, 0, text, sizeof(text));
	cr_expect_str_eq(text, "20/220 9%, 0.0/s");
	meter_format(&m, 120, 110, 4, text, sizeof(text));
	cr_expect_str_eq(text, "[##..] 120/220 55%, 10.0/s, 0:10 left");
	meter_format(&m, 21, 3700, 0, text, sizeof(text));
	cr_expect_str_eq(text, "21/220 10%, 0.0/s, 199:00:00 left");
	meter_begin(&m, NULL, true, 0, 0, 0);
	meter_format(&m, 0, 0, 24, text, sizeof(text));
	cr_expect_str_eq(text, "[########################] 0/0 100%, 0.0/s");
}
