/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_RECORD_H
#define CLI_BATCH_RECORD_H

#include "cli/batch/inputs.h"
#include "cli/batch/plan.h"

/*
 * A record is what a batch says of one snapshot: one line of JSON, whose members are, in this
 * order, those of record_members[] and then the rows of each command under its name, null where
 * there are none. The same format is read for --resume and --merge, from files that may be cut off
 * or not ours at all.
 */
#define RECORD_SCHEMA "ntscope-batch"
enum { RECORD_VERSION = 1, RECORD_TIME_SIZE = 32 };

/* What describes a member, for the documentation. */
struct record_member {
	const char *key, *sql_type, *help;
};
extern const struct record_member record_members[];
extern const size_t num_record_members;

/* What a worker's end means. */
struct record_result {
	const char *status, *exit_reason; /* borrowed */
	const char *error;		  /* JSON; NULL: none */
	size_t error_len;
	bool has_seconds;
	double seconds;
};

/* The members that are the same in every record of a batch: the JSON of "run". */
MUST_CHECK char *record_run(struct arena *arena, const struct plan *plan, const char *options);

/*
 * Writes the record of an input without its line break. report, len: what the worker wrote
 * (worker.h); of a torn one what is whole. Write errors stay in the FILE.
 */
void record_write(FILE *out, const char *run, const struct input *input, const struct plan *plan,
		  const struct record_result *result, const char *report, size_t len);
/* The result that a report ends with. False: it does not; *ret then has just its error. */
MUST_CHECK bool record_read_result(struct arena *arena, const char *report, size_t len,
				   struct record_result *ret);

/* A stretch of JSON text; borrowed. */
struct span {
	const char *text;
	size_t len;
};

/* Takes the next `"key": value` of an object's inside, or the next value of an array's. *inside is
 * moved behind it. False at the end, or where that is no JSON. */
MUST_CHECK bool span_next_member(struct span *inside, struct span *key, struct span *value);
MUST_CHECK bool span_next_item(struct span *inside, struct span *value);
/* What is between the brackets of an object or array. */
MUST_CHECK bool span_inside(const struct span *value, char bracket, struct span *ret);
bool span_is(const struct span *s, const char *text);
/* The text of a JSON string; NULL: it is none, holds a NUL, or memory is out. */
const char *span_string(struct arena *arena, const struct span *value);

/* What a record is about. */
struct record_head {
	struct span run, modified, rest; /* rest: the members from "status" on */
	const char *path;		 /* arena; the bytes of the path */
	uint64_t size;
};
/* line: without its line break. ERROR_CORRUPT: no record; UNSUPPORTED: of another version. */
MUST_CHECK struct error *record_read(struct arena *arena, const struct span *line,
				     struct record_head *ret);
/* The path that "path_hex" holds, quotes around it; NULL: it is none, or memory is out. */
const char *record_path_from_hex(struct arena *arena, const struct span *value);
/* Is the record about this input, as it is now? */
bool record_is_of(const struct record_head *head, const struct input *input);

#endif
