/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERIFY_EXPECTED_H
#define CLI_VERIFY_EXPECTED_H

#include <stdio.h>

#include "output/table.h"

/*
 * A recorded result: what commands said of a snapshot. `record` writes it and `verify` compares it
 * with what they say now. The file is one JSON object in ASCII, with the members in this order and
 * one row a line, so that the same result has the same bytes:
 *
 *	{
 *	"schema": "ntscope-expected",
 *	"version": 1,
 *	"program": "ntscope 1.2.3",
 *	"snapshot": {"name": "memory.dmp", "size": 397312, "sha256": "6e3d..."},
 *	"profile": {"build": 19041, "pdb_name": ..., "pdb_guid": ..., "pdb_age": ..., "symbols":
 *...}, "options": ["--no-builtin-symbols"], "exit_status": 0, "messages": [], "results": [
 *	{"command": ["ps", "--scan"], "status": "ok",
 *	"messages": [],
 *	"columns": [["pid", "u64"], ["name", "string"]],
 *	"rows": [
 *	[4,"System"],
 *	[348,"smss.exe"]
 *	]}
 *	]
 *	}
 *
 * Values are as in the rows of --format json, but that a number above 2^63 - 1 is a string, as few
 * readers of JSON hold it. Messages say what could not be read; the snapshot's path in them is its
 * name. A reader refuses versions that it does not know, and members may be added to one that it
 * knows.
 */
enum {
	EXPECTED_VERSION = 1,
	EXPECTED_MAX_BYTES = 1 << 30, /* of a file */
	EXPECTED_MAX_DEPTH = 8,
	EXPECTED_MAX_COMMANDS = 256,
	EXPECTED_MAX_WORDS = 256,    /* of a command, and options of the whole */
	EXPECTED_MAX_COLUMNS = 1024, /* of a command */
	EXPECTED_MAX_MESSAGES = 256, /* of a command; more are counted by the last one */
};

extern const char expected_schema[];
const char *expected_type_name(enum cell_type type);
bool expected_type_from_name(const char *name, enum cell_type *ret);

struct word_list {
	const char *const *items;
	size_t count;
};

struct expected_column {
	const char *key;
	enum cell_type type;
};

enum expected_status { EXPECTED_OK, EXPECTED_PARTIAL, EXPECTED_FAILED, NUM_EXPECTED_STATUSES };
const char *expected_status_name(enum expected_status status);
bool expected_status_from_name(const char *name, enum expected_status *ret);

/* What one command said. */
struct expected_result {
	struct word_list command; /* its name, options and arguments */
	enum expected_status status;
	struct word_list messages;
	const struct expected_column *columns;
	size_t num_columns;
	/* Row by row, each value as compact JSON; "null" where it is absent. */
	const char *const *values;
	size_t num_rows;
};

/* Whose kernel it was, by which symbols: columns of info. */
enum {
	PROFILE_BUILD,
	PROFILE_PDB_NAME,
	PROFILE_PDB_GUID,
	PROFILE_PDB_AGE,
	PROFILE_SYMBOLS,
	NUM_EXPECTED_PROFILE
};
extern const char *const expected_profile_keys[NUM_EXPECTED_PROFILE];

struct expected {
	const char *program; /* what recorded it: name and version */
	struct {
		const char *name; /* without folders */
		uint64_t size;
		const char *sha256;
	} snapshot;
	const char *profile[NUM_EXPECTED_PROFILE]; /* values */
	struct word_list options;		   /* "--dtb=0x1ad000" */
	struct word_list messages;		   /* of opening it */
	struct expected_result *results;
	size_t num_results;
};

/* The exit status that the run had: 3 if any part of it was partial or failed, else 0. */
unsigned expected_exit_status(const struct expected *e);

/*
 * Reads a file's bytes; everything in *ret lives in the arena. max_memory bounds what reading may
 * take. Errors: UNSUPPORTED (another version, no such file at all), CORRUPT (with the line or the
 * member), LIMIT, NO_MEMORY.
 */
MUST_CHECK struct error *expected_read(struct arena *a, const uint8_t *bytes, size_t len,
				       uint64_t max_memory, struct expected *ret);

/* Writes it; write errors stay in the FILE. Error: NO_MEMORY. */
MUST_CHECK struct error *expected_write(FILE *out, const struct expected *e);

/* A cell as a value. NULL: out of memory. */
MUST_CHECK const char *expected_value(struct arena *a, enum cell_type type,
				      const struct cell *cell);
/* A value as people read it (as in CELL_STR); NULL in *ret: absent. False: out of memory. */
MUST_CHECK bool expected_value_text(struct arena *a, const char *value, const char **ret);

#endif
