/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/filetime.h"
#include "cli/timeline/formats.h"
#include "cli/timeline/sources.h"
#include "output/columns.h"

/* 2024-05-01T10:20:30.1234567Z */
#define SOME_TIME   UINT64_C(133590324301234567)
#define SOME_SECOND "1714558830"
#define DAY	    (UINT64_C(86400) * FILETIME_SECOND)

/* Commands whose times are also in others' rows, in the header, or the kernel's clock. */
static const char *const told_elsewhere[] = { "info", "analyze", "registry get", "timeline" };

static struct event_filter all_kinds(void)
{
	struct event_filter filter = { 0 };

	memset(filter.kinds, true, sizeof(filter.kinds));
	return filter;
}

static void add(struct event_list *l, uint64_t time, enum timeline_kind kind, const char *subject)
{
	struct event e = { .time = time, .kind = kind, .subject = subject, .source = "test" };

	cr_assert(events_add(l, &e) == NULL);
}

static void check_subjects(const struct event_list *l, const char *expected)
{
	char found[256] = "";

	for (size_t i = 0; i < l->count; i++)
		strcat(found, l->items[i].subject);
	cr_assert_str_eq(found, expected);
}

static bool has_column(const struct command *command, const char *key)
{
	unsigned column;
	struct error *err;

	if (!key)
		return true;
	err = column_find(command->columns, command->num_columns, key, strlen(key), &column);
	error_destroy(err);
	return !err;
}

Test(timeline, sources_name_columns_that_are_there)
{
	for (size_t i = 0; i < num_timeline_sources; i++) {
		const struct timeline_source *s = &timeline_sources[i];
		const char *keys[] = { s->subject, s->path,    s->pid, s->tid,
				       s->object,  s->process, s->base };

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			cr_expect(has_column(s->command, keys[k]), "%s: %s", s->command->name,
				  keys[k]);
		for (size_t k = 0; k < MAX_SOURCE_TIMES; k++) {
			cr_expect(has_column(s->command, s->times[k].column), "%s: %s",
				  s->command->name, s->times[k].column);
			cr_expect(has_column(s->command, s->times[k].detail), "%s: %s",
				  s->command->name, s->times[k].detail);
		}
	}
}

static bool is_source(const struct command *command, const char *key)
{
	for (size_t i = 0; i < num_timeline_sources; i++) {
		const struct timeline_source *s = &timeline_sources[i];

		for (size_t k = 0; k < MAX_SOURCE_TIMES && s->times[k].column; k++) {
			if (s->command == command && strcmp(s->times[k].column, key) == 0)
				return true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(told_elsewhere); i++) {
		if (strcmp(told_elsewhere[i], command->name) == 0)
			return true;
	}
	return false;
}

Test(timeline, every_time_that_a_command_has_is_in_it)
{
	for (size_t i = 0; i < num_commands; i++) {
		for (size_t k = 0; k < commands[i]->num_columns; k++) {
			const struct column *column = &commands[i]->columns[k];

			if (column->type == CELL_TIME)
				cr_expect(is_source(commands[i], column->key), "%s: %s",
					  commands[i]->name, column->key);
		}
	}
}

Test(timeline, kinds_are_complete_and_found_by_name)
{
	bool kinds[NUM_TIMELINE_KINDS];
	struct error *err;

	for (size_t i = 0; i < NUM_TIMELINE_KINDS; i++) {
		const struct timeline_kind_row *row = &timeline_kinds[i];

		cr_assert(row->name && row->title && strchr("macb", row->meaning));
		cr_expect(strstr(TIMELINE_KIND_NAMES, row->name), "%s", row->name);
		cr_assert(timeline_kinds_parse(row->name, kinds) == NULL);
		for (size_t k = 0; k < NUM_TIMELINE_KINDS; k++)
			cr_expect_eq(kinds[k], k == i);
	}
	cr_assert(timeline_kinds_parse("boot,capture", kinds) == NULL);
	cr_expect(kinds[TIMELINE_BOOT] && kinds[TIMELINE_CAPTURE] && !kinds[TIMELINE_LINK]);
	err = timeline_kinds_parse("boot,captur", kinds);
	cr_assert_eq(error_code(err), ERROR_USAGE);
	cr_expect(strstr(error_message(err), "'capture'"));
	error_destroy(err);
}

Test(timeline, order_is_by_time_then_by_all_else_and_without_doubles)
{
	struct event_filter filter = all_kinds();
	struct event_list l;

	events_init(&l, &filter, SOME_TIME + 10);
	add(&l, SOME_TIME + 1, TIMELINE_PROCESS_EXIT, "d");
	add(&l, SOME_TIME + 1, TIMELINE_PROCESS_START, "b");
	add(&l, SOME_TIME, TIMELINE_PROCESS_EXIT, "a");
	add(&l, SOME_TIME + 1, TIMELINE_PROCESS_EXIT, "c");
	add(&l, SOME_TIME + 1, TIMELINE_PROCESS_START, "b");
	add(&l, SOME_TIME, TIMELINE_PROCESS_EXIT, "a");
	events_finish(&l);
	check_subjects(&l, "abcd");
	cr_assert_eq(l.num_odd, 0);
	events_deinit(&l);
}

static void add_odd_ones(struct event_list *l)
{
	add(l, 1, TIMELINE_BOOT, "1601");
	add(l, FILETIME_OF_1970, TIMELINE_BOOT, "1970");
	add(l, SOME_TIME + DAY / 2, TIMELINE_BOOT, "+");
	add(l, SOME_TIME + 2 * DAY, TIMELINE_BOOT, "late");
	add(l, SOME_TIME + 2 * DAY, TIMELINE_BOOT, "late");
	add(l, SOME_TIME + 2 * DAY, TIMELINE_TIMER_DUE, "due");
	add(l, SOME_TIME + 40000 * DAY, TIMELINE_TIMER_DUE, "NEVER");
	add(l, UINT64_MAX, TIMELINE_TIMER_DUE, "MAX");
	events_finish(l);
}

Test(timeline, times_that_cannot_be_are_counted_or_kept)
{
	struct event_filter filter = all_kinds();
	struct event_list l;

	events_init(&l, &filter, SOME_TIME);
	add_odd_ones(&l);
	check_subjects(&l, "+due");
	cr_assert_eq(l.num_odd, 5);
	events_deinit(&l);

	filter.all = true;
	events_init(&l, &filter, SOME_TIME);
	add_odd_ones(&l);
	check_subjects(&l, "16011970+latedueNEVERMAX");
	events_deinit(&l);
}

Test(timeline, filters_by_kind_and_time)
{
	struct event_filter filter = { .since = "2024-05-01T10:20:30", .until = "2024-05-01" };
	struct event_list l;

	filter.kinds[TIMELINE_BOOT] = true;
	events_init(&l, &filter, 0);
	add(&l, SOME_TIME, TIMELINE_BOOT, "a");
	add(&l, SOME_TIME, TIMELINE_CAPTURE, "b");
	add(&l, SOME_TIME - FILETIME_SECOND, TIMELINE_BOOT, "c");
	add(&l, SOME_TIME + DAY / 2, TIMELINE_BOOT, "d");
	add(&l, SOME_TIME + DAY, TIMELINE_BOOT, "e");
	events_finish(&l);
	check_subjects(&l, "ad");
	events_deinit(&l);
}

static void check_body(const struct event *e, bool expected_fits, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct arena arena;
	bool fits;

	cr_assert(out);
	arena_init(&arena, 0);
	cr_assert(body_put_event(out, &arena, e, &fits) == NULL);
	arena_deinit(&arena);
	fclose(out);
	cr_expect_eq(fits, expected_fits);
	cr_expect_str_eq(text, expected);
	free(text);
}

Test(timeline, body_line_holds_whatever_the_name_is)
{
	struct event e = {
		.time = SOME_TIME,
		.kind = TIMELINE_PROCESS_START,
		.subject = "a|b%7c\n\x1b[2J",
		.path = "C:\\x",
		.pid = { true, 7 },
		.object = { true, UINT64_C(0xffff800000001000) },
	};

	check_body(&e, true,
		   "0|process started: a%7Cb%257c\\x0a\\x1b[2J, pid 7, C:\\\\x|18446603336221200384"
		   "|0|0|0|0|0|0|0|" SOME_SECOND "\n");
	e = (struct event){ .time = SOME_TIME, .kind = TIMELINE_REGISTRY_WRITE, .detail = "x" };
	check_body(&e, true, "0|registry key written (x)|0|0|0|0|0|0|" SOME_SECOND "|0|0\n");
	e.time = FILETIME_OF_1970 - 1;
	check_body(&e, false, "");
}

Test(timeline, timesketch_dates_have_microseconds_and_a_zone)
{
	struct event e = { .time = SOME_TIME, .kind = TIMELINE_BOOT, .source = "header" };
	struct cell cells[NUM_TIMESKETCH_COLUMNS];
	struct arena arena;
	bool fits;

	arena_init(&arena, 0);
	cr_assert(timesketch_cells(&arena, &e, cells, &fits) == NULL);
	cr_assert(fits);
	cr_expect_str_eq(cells[TIMESKETCH_DATETIME].str, "2024-05-01T10:20:30.123456+00:00");
	cr_expect_eq(cells[TIMESKETCH_TIMESTAMP].i64, INT64_C(1714558830123456));
	cr_expect_str_eq(cells[TIMESKETCH_MESSAGE].str, "machine started");
	e.time = UINT64_MAX;
	cr_assert(timesketch_cells(&arena, &e, cells, &fits) == NULL);
	cr_expect(!fits);
	arena_deinit(&arena);
}

Test(timeline, times_as_people_give_them)
{
	static const char *const good[] = { "2024", "2024-", "2024-05-01T10:20:30.1234567Z" };
	static const char *const bad[] = { "",		"202",
					   "2024-5",	"2024-05-01 10",
					   "yesterday", "2024-05-01T10:20:30.1234567Z0" };

	cr_assert(event_time_check("since", NULL) == NULL);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect(event_time_check("since", good[i]) == NULL, "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error *err = event_time_check("since", bad[i]);

		cr_assert(err, "%s", bad[i]);
		cr_expect_eq(error_code(err), ERROR_USAGE);
		error_destroy(err);
	}
}
