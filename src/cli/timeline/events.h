/* SPDX-License-Identifier: MIT */
#ifndef CLI_TIMELINE_EVENTS_H
#define CLI_TIMELINE_EVENTS_H

#include "base/opt.h"
#include "cli/timeline/kinds.h"

/*
 * What happened, as far as the snapshot tells. Events are collected in any order, in memory, and
 * then put in theirs.
 */
struct event {
	uint64_t time; /* FILETIME, not 0 */
	enum timeline_kind kind;
	bool odd;	     /* no time that this could have happened at */
	const char *source;  /* static: the command that lists it, or what else has it */
	const char *subject; /* what it happened to; this and all that follows: absent is NULL */
	const char *path, *detail;
	struct opt_u64 pid, tid, object;
	uint64_t process; /* EPROCESS that names the subject where nothing else does; 0: none */
};

/* One machine has some 100,000 registry keys and a few thousand of everything else. */
enum { EVENTS_MAX = 1 << 22 };
#define EVENTS_MAX_BYTES (UINT64_C(1) << 30) /* of their texts */

struct event_filter {
	bool kinds[NUM_TIMELINE_KINDS];
	bool all;		   /* also odd ones */
	const char *since, *until; /* beginnings of ISO 8601 times; NULL: none */
};

struct event_list {
	struct event *items; /* owned */
	size_t count, capacity;
	size_t num_odd; /* that were left out by events_finish() */
	uint64_t now;	/* FILETIME of the capture; 0: unknown */
	const struct event_filter *filter;
	struct arena arena; /* of texts */
};

void events_init(struct event_list *l, const struct event_filter *filter, uint64_t now);
void events_deinit(struct event_list *l);

/*
 * Copies the event with its texts if the filter wants it. Errors: LIMIT (EVENTS_MAX,
 * EVENTS_MAX_BYTES), NO_MEMORY.
 */
MUST_CHECK struct error *events_add(struct event_list *l, const struct event *event);

/*
 * Sorts: by time, then by all else, so that the order is always the same. What is there twice
 * becomes one, and odd ones go unless the filter wants them.
 */
void events_finish(struct event_list *l);

/* Checks what --since and --until are given: as much of 2024-05-01T10:20:30.1234567Z as one likes,
 * from the year on. ERROR_USAGE. */
MUST_CHECK struct error *event_time_check(const char *option, const char *text);

/* "process started: notepad.exe, pid 972, C:\..." for formats that have one text for all. NULL when
 * memory is out. */
MUST_CHECK const char *event_message(struct arena *a, const struct event *event);
/* "process started: "C:\..."": what happened, without whom to. */
MUST_CHECK const char *event_description(struct arena *a, const struct event *event);

#endif
