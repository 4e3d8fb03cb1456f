/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "report/embedded.h"
#include "report/report_private.h"

#define HOSTILE "</script><img src=x onerror=alert(1)>\x1b[2J"

static const struct column columns[] = {
	{ "pid", "PID", CELL_U64, 0, 0, "process id" },
	{ "name", "NAME", CELL_STR, 0, 0, "its \"name\"" },
	{ "object", "OBJECT", CELL_ADDR, 0, 0, "address" },
	{ "time", "TIME", CELL_TIME, 0, 0, "when" },
	{ "list", "LIST", CELL_STRS, 0, 0, "words" },
	{ "known", "KNOWN", CELL_BOOL, 0, 0, "yes or no" },
};
static const unsigned all[] = { 0, 1, 2, 3, 4, 5 };

/* What a report of one table is made of. */
struct sample {
	struct rows none;
	struct report_table table;
	struct report report;
};

static void sample_init(struct sample *s, size_t count)
{
	static const char *const words[] = { "a", "b" };

	*s = (struct sample){ 0 };
	s->table = (struct report_table){
		.id = "t",
		.command = "t",
		.topic = "Topic",
		.title = "Title",
		.columns = all,
		.num_columns = ARRAY_SIZE(all),
	};
	rows_init(&s->table.rows, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < count; i++) {
		struct cell cells[] = {
			i ? cell_u64(i) : cell_u64(UINT64_MAX),
			cell_str(HOSTILE),
			cell_addr(0xfffff80000000000 + i),
			i ? CELL_ABSENT : cell_time(1),
			cell_strs(words, 2),
			cell_bool(true),
		};

		cr_assert_null(rows_add(&s->table.rows, cells, 0));
	}
	s->report = (struct report){
		.tool = "ntscope",
		.name = HOSTILE,
		.info = &s->none,
		.crash = &s->none,
		.tables = &s->table,
		.num_tables = 1,
		.max_rows = 1000,
		.max_bytes = 1 << 20,
	};
}

static char *write_page(const struct report *r, struct report_result *result)
{
	size_t len;
	char *page;
	FILE *out = open_memstream(&page, &len);

	cr_assert_null(report_write(r, out, result));
	fclose(out);
	return page;
}

static size_t count_of(const char *page, const char *part)
{
	size_t count = 0;

	for (; (page = strstr(page, part)) != NULL; page++)
		count++;
	return count;
}

Test(report, cells)
{
	uint64_t max_rows;
	struct sample s;
	size_t len;
	char *data;

	sample_init(&s, 2);
	cr_assert_null(report_data(&s.report, &data, &len, &max_rows));
	cr_assert_not_null(strstr(
		data, "[\"18446744073709551615\",0,\"fffff80000000000\",\"1601-01-01T00:00:00."
		      "0000001Z\",1,true],\n[1,0,\"fffff80000000001\",null,1,true]"));
	cr_assert_not_null(strstr(data, "\\u003c/script\\u003e"));
	cr_assert_not_null(strstr(data, "\\\\x1b[2J"));
	cr_assert_null(strchr(data, '<'));
	free(data);
	rows_deinit(&s.table.rows);
}

Test(report, hostile_strings_are_text)
{
	struct report_message message = { DIAG_PARTIAL, "<b>" HOSTILE };
	struct report_result result;
	struct sample s;
	char *page;

	sample_init(&s, 1);
	s.report.messages = &message;
	s.report.num_messages = 1;
	s.report.partial = 1;
	s.table.error = HOSTILE;
	page = write_page(&s.report, &result);
	cr_assert_null(strstr(page, "<img"));
	cr_assert_null(strstr(page, "<b>"));
	cr_assert_null(strchr(page, '\x1b'));
	cr_assert_eq(count_of(page, "</script>"), 2u);
	cr_assert_eq(count_of(page, "&lt;img src=x onerror=alert(1)&gt;\\x1b[2J"), 4u);
	free(page);
	rows_deinit(&s.table.rows);
}

Test(report, what_is_left_out_is_said)
{
	struct report_result result;
	struct sample s;
	char *page;

	sample_init(&s, 2000);
	page = write_page(&s.report, &result);
	cr_assert_eq(result.rows, 1000u);
	cr_assert_eq(result.left_out, 1000u);
	cr_assert_not_null(strstr(page, "1000 of 2000 rows are not in this file"));
	free(page);
	s.report.max_bytes = 5000;
	page = write_page(&s.report, &result);
	cr_assert_gt(result.rows, 10u);
	cr_assert_lt(result.rows, 200u);
	cr_assert_eq(result.rows + result.left_out, 2000u);
	free(page);
	s.report.max_bytes = 0;
	page = write_page(&s.report, &result);
	cr_assert_eq(result.rows, 0u);
	free(page);
	rows_deinit(&s.table.rows);
}

/* Nothing in the page's own parts ends the element that it stands in. */
Test(report, embedded_files)
{
	cr_assert_null(strstr(report_js, "</script"));
	cr_assert_null(strstr(report_js, "<!--"));
	cr_assert_null(strstr(report_js, "innerHTML"));
	cr_assert_null(strstr(report_js, "eval("));
	cr_assert_null(strstr(report_css, "</style"));
	cr_assert_null(strstr(report_css, "url("));
	cr_assert_null(strstr(report_css, "@import"));
	cr_assert_null(strstr(report_html, "://"));
}
