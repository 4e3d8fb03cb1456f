/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_STREAM_H
#define CONTAINER_STREAM_H

#include "container/container_input.h"

/* A decoder from the first byte to the last. */
struct stream_ops {
	/*
	 * Decodes on: *got bytes into out, at most `room`; 0 with no error is the end. The bytes
	 * are good also with an error, after which nothing more comes.
	 */
	struct error *(*read)(void *arg, uint8_t *out, size_t room, size_t *got);
	uint64_t (*position)(const void *arg); /* bytes of the packed file used so far */
};

/*
 * Decodes all of it to a temporary file without a name, whose zero pages are holes; says so to
 * diag, with `why`. Damage goes to diag and ends the file. Errors: CORRUPT when not one byte could
 * be decoded; LIMIT: max_unpacked, or the file system would be filled; OS.
 */
MUST_CHECK struct error *stream_spool(const struct container_input *in,
				      const struct stream_ops *ops, void *arg, uint64_t packed_size,
				      const char *why, struct file *ret);

bool bytes_are_zero(const uint8_t *bytes, size_t len);

#endif
