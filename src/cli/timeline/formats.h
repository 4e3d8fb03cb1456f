/* SPDX-License-Identifier: MIT */
#ifndef CLI_TIMELINE_FORMATS_H
#define CLI_TIMELINE_FORMATS_H

#include <stdio.h>

#include "cli/timeline/events.h"
#include "output/table.h"

/*
 * Time lines as other tools read them. Both return NO_MEMORY; write errors stay in the FILE.
 */

/*
 * A line of a body file (The Sleuth Kit, "Body file", version 3.x), with nothing but the field that
 * the kind's meaning names:
 *
 *	MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime
 *
 * name is event_message(), escaped as text_show() does, and then '|', '%' as %XX, which mactime
 * undoes. inode is the object's address in decimal, because mactime skips others. Times are whole
 * seconds since 1970; false in *fits_ret and no line: the time is before that.
 */
MUST_CHECK struct error *body_put_event(FILE *out, struct arena *scratch, const struct event *event,
					bool *fits_ret);

/* The columns of a time line for Timesketch ("Import timeline from CSV/JSONL"): message, datetime
 * and timestamp_desc are those that it asks for; timestamp is in microseconds. */
enum timesketch_column {
	TIMESKETCH_MESSAGE,
	TIMESKETCH_DATETIME,
	TIMESKETCH_TIMESTAMP,
	TIMESKETCH_DESC,
	TIMESKETCH_KIND,
	TIMESKETCH_SOURCE,
	TIMESKETCH_SUBJECT,
	TIMESKETCH_PID,
	TIMESKETCH_TID,
	TIMESKETCH_OBJECT,
	TIMESKETCH_PATH,
	TIMESKETCH_DETAIL,
	NUM_TIMESKETCH_COLUMNS
};
extern const struct column timesketch_columns[NUM_TIMESKETCH_COLUMNS];
MUST_CHECK struct error *timesketch_cells(struct arena *scratch, const struct event *event,
					  struct cell *ret, bool *fits_ret);

#endif
