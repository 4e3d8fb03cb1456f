/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_FEED_H
#define CONTAINER_FEED_H

#include "base/file.h"

/* The bytes of a stretch of a file in order, as decoders want them. */
struct feed {
	const struct file *file; /* borrowed */
	uint64_t at, end;	 /* offset of next[0]; where the stretch ends */
	const uint8_t *next;	 /* `avail` bytes, until the next call */
	size_t avail;
	struct file_view view;
};

void feed_init(struct feed *f, const struct file *file, uint64_t offset, uint64_t end);
void feed_deinit(struct feed *f);
/* Makes avail at least 1, unless the stretch has ended. Errors: what decoding the file says. */
MUST_CHECK struct error *feed_fill(struct feed *f);
void feed_skip(struct feed *f, size_t len); /* len <= avail */
/* The next len bytes; *ret false, and some are gone, where the stretch ends before. */
MUST_CHECK struct error *feed_get(struct feed *f, void *buf, size_t len, bool *ret);
/* Goes to an offset of the file; past the end is the end. */
void feed_seek(struct feed *f, uint64_t offset);

#endif
