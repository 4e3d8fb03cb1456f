/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_DEFLATE_INDEX_H
#define CONTAINER_DEFLATE_INDEX_H

#include "container/container_input.h"

/* Where deflated bytes are in a file, and what is known of them. */
struct deflate_range {
	bool is_gzip; /* members with headers and trailers, else one bare stream */
	uint64_t offset, end;
	/* Of a bare stream, unless nobody knows. */
	bool is_unchecked;
	uint64_t expected_size;
	uint32_t expected_crc;
};

/*
 * The content of a range, at any offset. One pass decodes all of it and notes places between
 * deflate blocks, with the 32 KiB before them (the method of zlib's examples/zran.c): so many that
 * they take a fraction of the cache's memory. What cannot be cut that small is spooled
 * (stream_spool()).
 */
MUST_CHECK struct error *deflate_open(const struct container_input *in,
				      const struct deflate_range *range, struct file *ret);

#endif
