/* SPDX-License-Identifier: MIT */
#include "ntscope.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The public interface on the small synthetic Windows, through the shared library. */
#define SAMPLE TESTDATA_DIR "/small-windows.dmp"

#define WORDS(...)                              \
	((const char *const[]){ __VA_ARGS__ }), \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

static struct nts_snapshot *open_sample(void)
{
	struct nts_snapshot *s;

	cr_assert_null(nts_open(SAMPLE, NULL, 0, &s));
	return s;
}

static void expect_error(struct nts_error *err, enum nts_error_code code, const char *text)
{
	cr_assert_not_null(err);
	cr_expect_eq(nts_error_code(err), code, "%s", nts_error_message(err));
	cr_expect_not_null(strstr(nts_error_message(err), text), "%s", nts_error_message(err));
	nts_error_free(err);
}

static size_t column_of(const struct nts_table *t, const char *key)
{
	for (size_t i = 0; nts_table_column(t, i); i++) {
		if (strcmp(nts_column_key(nts_table_column(t, i)), key) == 0)
			return i;
	}
	cr_expect_fail("no column %s", key);
	return SIZE_MAX;
}

Test(api, library)
{
	const char *version;
	size_t count = 0;

	cr_expect_eq(nts_interface(), NTS_INTERFACE);
	while (nts_library(count, &version))
		count++;
	cr_expect_gt(count, 3);
}

Test(api, commands_describe_themselves)
{
	const struct nts_command *ps = nts_command_find("ps");
	const struct nts_command *c;

	cr_assert_not_null(ps);
	cr_expect_str_eq(nts_column_key(nts_command_column(ps, 0)), "pid");
	cr_expect_eq(nts_column_type(nts_command_column(ps, 0)), NTS_U64);
	cr_expect(nts_command_takes_snapshot(ps));
	cr_expect_not(nts_command_one_object(ps));
	cr_expect_null(nts_command_find("pss"));
	cr_expect_null(nts_command_find(NULL));
	for (size_t i = 0; (c = nts_command(i)); i++) {
		cr_expect_eq(nts_command_find(nts_command_name(c)), c);
		cr_expect_not_null(nts_command_summary(c));
		for (size_t k = 0; nts_command_column(c, k); k++)
			cr_expect_not_null(nts_column_help(nts_command_column(c, k)));
		for (size_t k = 0; nts_command_option(c, k); k++)
			cr_expect_not_null(nts_option_help(nts_command_option(c, k)));
	}
	cr_expect_str_eq(nts_option_name(nts_command_option(NULL, 0)), "format");
}

Test(api, processes)
{
	struct nts_snapshot *s = open_sample();
	struct nts_table *t;
	uint64_t value = 7;
	size_t name;

	cr_assert_null(nts_run(s, "ps", NULL, 0, &t));
	nts_close(s); /* the table does not need it */
	cr_assert_eq(nts_table_rows(t), 5);
	cr_expect_eq(nts_table_status(t), 0);
	cr_expect_null(nts_table_message(t, 0, NULL));
	cr_expect(nts_cell_u64(t, 1, column_of(t, "pid"), 0, &value));
	cr_expect_eq(value, 348);
	name = column_of(t, "name");
	cr_expect_str_eq(nts_cell_text(t, 1, name, 0), "smss.exe");
	cr_expect_eq(nts_cell_count(t, 1, name), 1);
	cr_expect_not(nts_cell_present(t, 1, column_of(t, "depth")));
	/* what is not there is absent */
	value = 7;
	cr_expect_not(nts_cell_u64(t, 5, 0, 0, &value));
	cr_expect_not(nts_cell_u64(t, 0, 999, 0, &value));
	cr_expect_not(nts_cell_u64(t, 0, 0, 1, &value));
	cr_expect_not(nts_cell_u64(t, 0, name, 0, &value));
	cr_expect_eq(value, 7);
	cr_expect_null(nts_cell_text(t, 0, 0, 0));
	cr_expect_null(nts_cell_detail(t, 0, 0, 0));
	cr_expect_null(nts_cell_bytes(t, 0, name));
	nts_table_free(t);
}

Test(api, rows_as_the_options_say)
{
	struct nts_snapshot *s = open_sample();
	struct nts_table *t;
	uint64_t first = 0;

	cr_assert_null(nts_run(
		s, "ps",
		WORDS("--columns=name,pid", "--sort", "-pid", "--where", "pid>300", "--limit=2"),
		&t));
	cr_assert_eq(nts_table_rows(t), 2);
	cr_expect_null(nts_table_column(t, 2));
	cr_expect(nts_cell_u64(t, 0, 1, 0, &first));
	cr_expect_eq(first, 3560);
	nts_table_free(t);
	nts_close(s);
}

Test(api, lists_and_explained_values)
{
	struct nts_snapshot *s = open_sample();
	struct nts_table *t;
	uint64_t value = 0;

	cr_assert_null(nts_run(s, "info", NULL, 0, &t));
	cr_assert_eq(nts_table_rows(t), 1);
	cr_expect_eq(nts_cell_count(t, 0, column_of(t, "bugcheck_parameters")), 4);
	cr_expect(nts_cell_u64(t, 0, column_of(t, "bugcheck_parameters"), 1, &value));
	cr_expect_eq(value, 0x1122334455667788);
	nts_table_free(t);
	cr_assert_null(nts_run(s, "read", WORDS("--length=16", "fffff80042a00000"), &t));
	cr_expect_eq(nts_cell_count(t, 0, column_of(t, "bytes")), 16);
	cr_expect_eq(memcmp(nts_cell_bytes(t, 0, column_of(t, "bytes")), "MZ", 2), 0);
	nts_table_free(t);
	nts_close(s);
}

Test(api, bytes_in_place_of_rows)
{
	struct nts_snapshot *s = open_sample();
	struct nts_table *t;
	size_t size = 0;

	cr_assert_null(nts_run(s, "read", WORDS("--raw", "-l2", "fffff80042a00000"), &t));
	cr_expect_eq(memcmp(nts_table_output(t, &size), "MZ", 2), 0);
	cr_expect_eq(size, 2);
	cr_expect_eq(nts_table_rows(t), 0);
	nts_table_free(t);
	nts_close(s);
}

Test(api, whole_columns)
{
	struct nts_snapshot *s = open_sample();
	struct nts_table *t;
	const uint64_t *values;
	size_t size, rows = 5;
	uint8_t *column;

	cr_assert_null(nts_run(s, "ps", WORDS("--columns=pid,name,depth"), &t));
	size = nts_table_copy_column(t, 0, NULL, 0);
	cr_assert_eq(size, rows * 9);
	column = malloc(size);
	values = (const uint64_t *)column;
	cr_expect_eq(nts_table_copy_column(t, 0, column, size), size);
	cr_expect_eq(values[1], 348);
	cr_expect_eq(column[rows * 8 + 1], 1);
	cr_expect_eq(nts_table_copy_column(t, 2, column, size), size);
	cr_expect_eq(column[rows * 8 + 1], 0);
	free(column);
	size = nts_table_copy_column(t, 1, NULL, 0);
	column = malloc(size);
	values = (const uint64_t *)column;
	cr_expect_eq(nts_table_copy_column(t, 1, column, size - 1), size);
	cr_expect_eq(nts_table_copy_column(t, 1, column, size), size);
	cr_expect_eq(values[0], 6);
	cr_expect_eq(memcmp(column + rows * 9, "Systemsmss.exe", 14), 0);
	free(column);
	cr_expect_eq(nts_table_copy_column(t, 3, NULL, 0), 0);
	nts_table_free(t);
	nts_close(s);
}

Test(api, commands_without_a_snapshot)
{
	struct nts_table *t;

	cr_assert_null(nts_run(NULL, "formats", NULL, 0, &t));
	cr_expect_gt(nts_table_rows(t), 5);
	nts_table_free(t);
	expect_error(nts_run(NULL, "ps", NULL, 0, &t), NTS_ERROR_USAGE, "needs a snapshot");
	expect_error(nts_run(NULL, "batch", WORDS("."), &t), NTS_ERROR_UNSUPPORTED, "program");
}

Test(api, what_is_wrong_is_an_error)
{
	struct nts_snapshot *s = NULL;
	struct nts_table *t = NULL;

	expect_error(nts_open(NULL, NULL, 0, &s), NTS_ERROR_USAGE, "path");
	expect_error(nts_open("/nonexistent", NULL, 0, &s), NTS_ERROR_OS, "/nonexistent");
	expect_error(nts_open(SAMPLE, WORDS("--pid=4"), &s), NTS_ERROR_USAGE, "--pid");
	expect_error(nts_open(SAMPLE, WORDS("symbols"), &s), NTS_ERROR_USAGE, "symbols");
	expect_error(nts_open(SAMPLE, WORDS("--symbols"), &s), NTS_ERROR_USAGE, "needs a value");
	expect_error(nts_open(SAMPLE, NULL, 1, &s), NTS_ERROR_USAGE, "NULL");
	expect_error(nts_open(SAMPLE, WORDS("-q", NULL), &s), NTS_ERROR_USAGE, "NULL");
	expect_error(nts_open(SAMPLE, NULL, SIZE_MAX, &s), NTS_ERROR_NO_MEMORY, "memory");
	cr_assert_null(s);
	s = open_sample();
	expect_error(nts_run(s, NULL, NULL, 0, &t), NTS_ERROR_USAGE, "unknown command");
	expect_error(nts_run(s, "pss", NULL, 0, &t), NTS_ERROR_USAGE, "pss");
	expect_error(nts_run(s, "formats", NULL, 0, &t), NTS_ERROR_USAGE, "formats");
	expect_error(nts_run(s, "ps", WORDS("x"), &t), NTS_ERROR_USAGE, "too many");
	expect_error(nts_run(s, "read", NULL, 0, &t), NTS_ERROR_USAGE, "missing");
	expect_error(nts_run(s, "ps", WORDS("--no-such"), &t), NTS_ERROR_USAGE, "--no-such");
	expect_error(nts_run(s, "ps", WORDS("--format=csv"), &t), NTS_ERROR_USAGE, "--format");
	expect_error(nts_run(s, "ps", WORDS("--symbols=x"), &t), NTS_ERROR_USAGE, "--symbols");
	expect_error(nts_run(s, "ps", WORDS("--columns=x"), &t), NTS_ERROR_USAGE, "'x'");
	expect_error(nts_run(s, "ps", WORDS("--pid=77"), &t), NTS_ERROR_NOT_FOUND, "77");
	cr_assert_null(t);
	nts_close(s);
}

Test(api, a_wrong_dtb_is_refused_with_the_reason)
{
	struct nts_snapshot *s;
	struct nts_table *t;

	cr_assert_null(nts_open(SAMPLE, WORDS("--dtb=0x1000"), &s));
	cr_expect_str_eq(nts_format_name(s), "crash-dump");
	for (int i = 0; i < 2; i++)
		expect_error(nts_run(s, "ps", NULL, 0, &t), NTS_ERROR_NOT_FOUND, "0x1000");
	nts_close(s);
}

static struct nts_space *open_space(struct nts_snapshot *s, const char *word)
{
	struct nts_space *space;

	cr_assert_null(nts_space_open(s, &word, word != NULL, &space));
	return space;
}

Test(api, spaces)
{
	struct nts_snapshot *s = open_sample();
	struct nts_space *kernel = open_space(s, NULL), *none;
	struct nts_space *process = open_space(s, "--pid=348");
	struct nts_space *root = open_space(s, "--dtb=0x1ad000");
	struct nts_space *physical = open_space(s, "--physical");
	struct nts_error *err;
	uint64_t pa = 0, va = 0;
	char mz[2];
	int has_pa;

	expect_error(nts_space_open(s, WORDS("--pid=77"), &none), NTS_ERROR_NOT_FOUND, "77");
	expect_error(nts_space_open(s, WORDS("--dtb=0x1000", "--levels=3"), &none), NTS_ERROR_USAGE,
		     "levels");
	nts_close(s); /* the spaces keep it */
	cr_assert_null(nts_read(kernel, 0xfffff80042a00000, mz, sizeof(mz)));
	cr_expect_eq(memcmp(mz, "MZ", 2), 0);
	cr_expect_str_eq(nts_translate(process, 0x614000, &pa, &has_pa), "mapped");
	cr_expect(has_pa && pa == 0x119000);
	cr_expect_str_eq(nts_translate(kernel, 0x614000, &pa, &has_pa), "not_present");
	cr_expect_not(has_pa);
	cr_assert_null(nts_read(root, 0xfffff80042a00000, mz, sizeof(mz)));
	cr_assert_null(nts_read(physical, 0x140000, mz, sizeof(mz)));
	cr_expect_eq(memcmp(mz, "MZ", 2), 0);
	err = nts_read(root, 0x1000, mz, sizeof(mz));
	cr_assert_not_null(err);
	cr_expect(nts_error_address(err, &va));
	cr_expect_eq(va, 0x1000);
	expect_error(err, NTS_ERROR_FAULT, "0x1000");
	nts_space_free(physical);
	nts_space_free(root);
	nts_space_free(process);
	nts_space_free(kernel);
}

struct gaps {
	size_t count;
	uint64_t first, bytes;
	const char *reason;
};

static void count_gap(void *arg, uint64_t address, uint64_t length, const char *reason)
{
	struct gaps *g = arg;

	if (!g->count++)
		g->first = address;
	g->bytes += length;
	g->reason = reason;
}

Test(api, partial_reads)
{
	struct nts_snapshot *s = open_sample();
	struct nts_space *physical = open_space(s, "--physical");
	struct gaps gaps = { 0 };
	char buf[0x6000];

	/* the sample has pages at 0x142000 and from 0x146000 on */
	cr_expect_eq(nts_read_partial(physical, 0x142000, buf, sizeof(buf), count_gap, &gaps),
		     0x3000);
	cr_expect_eq(gaps.first, 0x143000);
	cr_expect_eq(gaps.bytes, 0x3000);
	cr_expect_str_eq(gaps.reason, "not_captured");
	cr_expect_eq(nts_read_partial(physical, 0x142000, buf, sizeof(buf), NULL, NULL), 0x3000);
	nts_space_free(physical);
	nts_close(s);
}

/* What is said of a damaged snapshot is said in each run. */
Test(api, messages)
{
	enum nts_message_kind kind = NTS_NOTE;
	struct nts_snapshot *s = open_sample();
	struct nts_table *t;

	for (int i = 0; i < 2; i++) {
		cr_assert_null(nts_run(s, "read", WORDS("--length=32", "1000"), &t));
		cr_expect_eq(nts_table_status(t), 3);
		cr_expect_not_null(nts_table_message(t, 0, &kind));
		cr_expect_eq(kind, NTS_PARTIAL);
		cr_expect_null(nts_message(s, NTS_MAX_MESSAGES, NULL));
		nts_table_free(t);
	}
	cr_assert_null(nts_run(s, "ps", NULL, 0, &t));
	cr_expect_eq(nts_table_status(t), 0);
	nts_table_free(t);
	nts_close(s);
}

static void *run_often(void *arg)
{
	struct nts_snapshot *s = arg;
	struct nts_space *space = open_space(s, "--pid=348");
	struct nts_table *t;
	char mz[2];

	for (int i = 0; i < 20; i++) {
		cr_assert_null(nts_run(s, i % 2 ? "ps" : "modules", NULL, 0, &t));
		cr_expect_eq(nts_table_rows(t), i % 2 ? 5 : 4);
		nts_table_free(t);
		cr_assert_null(nts_read(space, 0xfffff80042a00000, mz, sizeof(mz)));
	}
	nts_space_free(space);
	return NULL;
}

Test(api, several_threads)
{
	struct nts_snapshot *s = open_sample();
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, run_often, s), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	nts_close(s);
}
