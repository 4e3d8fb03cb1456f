/* SPDX-License-Identifier: MIT */
#include "cli/timeline/formats.h"

#include <string.h>

#include "base/filetime.h"
#include "output/table.h"

enum {
	MICROSECOND = FILETIME_SECOND / 1000000,
	SIX_DIGITS = 26, /* "2024-05-01T10:20:30.123456" */
};

const struct column timesketch_columns[NUM_TIMESKETCH_COLUMNS] = {
	[TIMESKETCH_MESSAGE] = { "message", "MESSAGE", CELL_STR, 0, 0, "what happened" },
	[TIMESKETCH_DATETIME] = { "datetime", "TIME", CELL_STR, 0, 0, "when, to the microsecond" },
	[TIMESKETCH_TIMESTAMP] = { "timestamp", "TIMESTAMP", CELL_I64, 0, 0,
				   "the same in microseconds since 1970" },
	[TIMESKETCH_DESC] = { "timestamp_desc", "DESCRIPTION", CELL_STR, 0, 0,
			      "what kind of time it is" },
	[TIMESKETCH_KIND] = { "kind", "KIND", CELL_STR, 0, 0, "the same in one word" },
	[TIMESKETCH_SOURCE] = { "source", "SOURCE", CELL_STR, 0, 0, "where it is from" },
	[TIMESKETCH_SUBJECT] = { "subject", "SUBJECT", CELL_STR, 0, 0, "what it happened to" },
	[TIMESKETCH_PID] = { "pid", "PID", CELL_U64, 0, 0, "process id" },
	[TIMESKETCH_TID] = { "tid", "TID", CELL_U64, 0, 0, "thread id" },
	[TIMESKETCH_OBJECT] = { "object", "OBJECT", CELL_ADDR, 0, 0, "its address" },
	[TIMESKETCH_PATH] = { "path", "PATH", CELL_STR, 0, 0, "of a file or key" },
	[TIMESKETCH_DETAIL] = { "detail", "DETAIL", CELL_STR, 0, 0, "what else is known" },
};

struct error *timesketch_cells(struct arena *scratch, const struct event *e, struct cell *ret,
			       bool *fits_ret)
{
	const struct timeline_kind_row *kind = &timeline_kinds[e->kind];
	int64_t since_1970 = (int64_t)(e->time - FILETIME_OF_1970);
	const char *message = event_message(scratch, e), *when;
	char text[FILETIME_TEXT_SIZE];

	*fits_ret = filetime_format(e->time, text);
	if (!*fits_ret)
		return NULL;
	when = arena_printf(scratch, "%.*s+00:00", SIX_DIGITS, text);
	if (!message || !when)
		return &error_no_memory;
	ret[TIMESKETCH_MESSAGE] = cell_str(message);
	ret[TIMESKETCH_DATETIME] = cell_str(when);
	ret[TIMESKETCH_TIMESTAMP] = cell_i64(since_1970 / MICROSECOND);
	ret[TIMESKETCH_DESC] = cell_str(kind->title);
	ret[TIMESKETCH_KIND] = cell_str(kind->name);
	ret[TIMESKETCH_SOURCE] = cell_str(e->source);
	ret[TIMESKETCH_SUBJECT] = cell_str(e->subject);
	ret[TIMESKETCH_PID] = cell_opt(e->pid);
	ret[TIMESKETCH_TID] = cell_opt(e->tid);
	ret[TIMESKETCH_OBJECT] = cell_opt(e->object);
	ret[TIMESKETCH_PATH] = cell_str(e->path);
	ret[TIMESKETCH_DETAIL] = cell_str(e->detail);
	return NULL;
}
