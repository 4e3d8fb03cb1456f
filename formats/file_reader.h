/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_FILE_READER_H
#define FORMATS_FILE_READER_H

#include "base/file.h"

/*
 * Reads a file from front to back in small pieces, such as the records of a stream: looks at a
 * stretch at a time, so that a file that is decoded on demand is decoded once. One thread.
 */
struct file_reader {
	const struct file *file; /* borrowed */
	uint64_t pos;		 /* of the next piece; may be set freely */
	/* the stretch that is looked at now */
	struct file_view view;
	uint64_t view_start;
	size_t view_len;
	/* Below here something cannot be decoded: stretches are short, so that it is not tried
	 * again and again. */
	uint64_t short_until;
};
enum { FILE_READER_MAX_PIECE = 64 << 10 };

void file_reader_init(struct file_reader *r, const struct file *file, uint64_t pos);
void file_reader_deinit(struct file_reader *r);
uint64_t file_reader_left(const struct file_reader *r);

/* The next len bytes, at most FILE_READER_MAX_PIECE, borrowed until the next call. Errors, which
 * move nothing: CORRUPT at the end of the file, what decoding says. */
MUST_CHECK struct error *file_reader_take(struct file_reader *r, size_t len, const uint8_t **ret);
/* The same of a number of 1 to 8 bytes. */
MUST_CHECK struct error *file_reader_big_endian(struct file_reader *r, size_t len, uint64_t *ret);
MUST_CHECK struct error *file_reader_little_endian(struct file_reader *r, size_t len,
						   uint64_t *ret);
/* Errors: CORRUPT when the file has less. */
MUST_CHECK struct error *file_reader_skip(struct file_reader *r, uint64_t len);

#endif
