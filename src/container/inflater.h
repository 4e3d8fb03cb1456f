/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_INFLATER_H
#define CONTAINER_INFLATER_H

#include <zlib.h>

#include "container/container_input.h"
#include "container/feed.h"

/*
 * Deflate streams (RFC 1951), bare as in zip or as members of a gzip file (RFC 1952) one after
 * the other, decoded from their beginning or from a place between two deflate blocks.
 */
enum { INFLATE_WINDOW = 32 << 10 };

/* Where decoding can begin: between two blocks of a member. */
struct inflate_place {
	uint64_t offset; /* of the first byte of which no bit is used yet */
	uint8_t bits;	 /* the high bits of the byte before it that are still to be used */
};

struct inflater {
	const struct container_input *in;
	struct feed feed;
	z_stream z;
	bool is_gzip;	/* else one bare stream */
	bool in_member; /* between its header and its end */
	bool at_start;	/* just behind its header */
	bool ended;
	bool checks; /* sizes and CRCs of members go to diag when they are off */
	uint64_t member_start, member_out;
	uint32_t crc;
	/* A bare stream's, as its directory says. */
	uint64_t expected_out;
	uint32_t expected_crc;
};

/* Of the bytes [offset, end) of in->file. in is borrowed. */
MUST_CHECK struct error *inflater_init(struct inflater *i, const struct container_input *in,
				       bool is_gzip, uint64_t offset, uint64_t end);
void inflater_deinit(struct inflater *i);
/* Goes on at a place within a member, whose output before it ends in window (at most
 * INFLATE_WINDOW bytes). Nothing is checked from there on. */
MUST_CHECK struct error *inflater_resume(struct inflater *i, const struct inflate_place *place,
					 const uint8_t *window, size_t window_len);
/*
 * As stream_ops.read. With stops it also returns between two blocks, and before the first one of a
 * member; *got may be 0 then without the end: see `ended`.
 */
MUST_CHECK struct error *inflater_read(struct inflater *i, bool stops, uint8_t *out, size_t room,
				       size_t *got);
/* Is it between two blocks? */
bool inflater_place(const struct inflater *i, struct inflate_place *ret);

#endif
