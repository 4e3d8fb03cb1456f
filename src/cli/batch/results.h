/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_RESULTS_H
#define CLI_BATCH_RESULTS_H

#include "cli/batch/record.h"

/*
 * Where records go, in their order, each complete or not there at all: an end of this process at
 * any moment loses none that were added before, and an end of the machine those of the last
 * RESULTS_SYNC_SECONDS (SQLite: since its last checkpoint).
 */
enum { RESULTS_SYNC_SECONDS = 1 };

struct results;

/* Takes what an earlier run left there, one record after the other. */
typedef struct error *results_done_fn(void *arg, const struct record_head *head);

struct results_ops {
	/* A new file; replaces one that is there with force. */
	struct error *(*create)(const char *path, bool force, struct results **ret);
	/* One that an earlier run left, whose records are handed to done. NOT_FOUND: there is none.
	 * CORRUPT, UNSUPPORTED: no results, or of another version of the schema. */
	struct error *(*resume)(const char *path, results_done_fn *done, void *arg,
				struct results **ret);
	struct error *(*add)(struct results *r, const struct span *record);
	/* Frees r; after NULL err all of it is on the disk. */
	struct error *(*close)(struct results *r);
};

/* What all kinds begin with. */
struct results {
	const struct results_ops *ops;
};

extern const struct results_ops results_jsonl, results_sqlite;
/* By the name: .sqlite, .sqlite3 and .db are SQLite; everything else is JSON lines. */
const struct results_ops *results_kind(const char *path);
/* Records to an open stream, which is borrowed: standard output. */
MUST_CHECK struct error *results_to_stream(FILE *out, struct results **ret);

/*
 * The schema of the SQLite file, whose PRAGMA user_version is RECORD_VERSION. sql_put_base():
 * tables snapshots, messages and errors. sql_put_table(): that of a command, called by its name
 * with '_' for ' ', with a column for each of the command's. All refer to snapshots by
 * snapshot_id, which counts records from 1, and count rows from 1 in row_number.
 *
 *	addresses	TEXT of one length, "0x000000000012d000", so that they sort
 *	numbers		INTEGER; above 2^63 - 1 TEXT as addresses
 *	times		TEXT, ISO 8601, as in JSON
 *	yes or no	INTEGER 1 or 0
 *	text		TEXT; an embedded NUL is U+2400
 *	bytes		TEXT, hexadecimal
 *	lists		TEXT, JSON
 *	absent		NULL
 */
void sql_put_base(FILE *out);
void sql_put_table(FILE *out, const struct command *command);
/* "INSERT INTO table VALUES (?, ...)" with that many values. */
void sql_put_insert(FILE *out, const char *table, size_t values);
/* The name of a command's table. */
void sql_put_name(FILE *out, const struct command *command);
enum { SQL_FIRST_COLUMN = 2 };	      /* after snapshot_id and row_number */
#define SQL_APPLICATION_ID 0x6e747363 /* "ntsc", in the file's header */

#endif
