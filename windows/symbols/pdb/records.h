/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PDB_RECORDS_H
#define WINDOWS_PDB_RECORDS_H

#include "base/arena.h"
#include "base/cursor.h"
#include "windows/symbols/pdb/msf.h"

/*
 * A stream of CodeView records, types or symbols: each a 16-bit length (of what follows), a
 * 16-bit kind and data. Records stay where they are in the mapped file; only the few that cross
 * into a block that does not follow in the file are copied, once, when the stream is opened. So
 * bytes and names of records last as long as the stream.
 */
struct record {
	uint32_t offset; /* in the stream; names it to records_at() */
	uint16_t kind;
	struct cursor data;
};

struct record_stream {
	struct msf_stream stream;
	uint32_t begin, end;	    /* of the records in the stream */
	struct record_copy *copies; /* owned; by offset */
	size_t num_copies, capacity;
	struct arena arena; /* of the copies' bytes */
};

/* Called once for each record in order. */
typedef struct error *record_visit_fn(void *arg, const struct record *record);

/* Walks the records of [begin, end). CORRUPT where they do not add up, LIMIT, the visit's error. On
 * success records_deinit() frees. */
MUST_CHECK struct error *records_init(struct record_stream *ret, const struct msf_stream *stream,
				      uint32_t begin, uint32_t end, const char *what,
				      record_visit_fn *visit, void *arg);
void records_deinit(struct record_stream *rs); /* a zeroed one is fine */
/* The record at an offset that a visit has seen. */
MUST_CHECK bool records_at(const struct record_stream *rs, uint32_t offset, struct record *ret);
/* The record after this one; false at the end. Starts with a zeroed record. */
MUST_CHECK bool records_next(const struct record_stream *rs, struct record *record);

/* A NUL-terminated string; false if it has no end. Borrowed from the record. */
MUST_CHECK bool record_string(struct cursor *c, const char **ret);

#endif
