/* SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"

/* A regular file or block device mapped read-only as a whole. Never written to. */
struct file {
	char *path; /* owned */
	int fd;
	const uint8_t *bytes; /* NULL when size is 0; valid until file_close() */
	uint64_t size;
};

/* Errors: ERROR_OS with the path; ERROR_UNSUPPORTED for directories, FIFOs, sockets. */
MUST_CHECK struct error *file_open(struct file *ret, const char *path);
void file_close(struct file *f); /* a zeroed struct is fine */
/* The next stretch [*start, *end) at or after offset that is not a hole of a sparse file; the
 * whole rest where the file system cannot tell. False when there is none. */
bool file_next_data(const struct file *f, uint64_t offset, uint64_t *start, uint64_t *end);
/* If addr lies in a mapping of an open file: its path and offset. For a SIGBUS handler (a
 * mapped file that shrank or a failing disk), hence lock-free and async-signal-safe. */
bool file_of_address(const void *addr, const char **path_ret, uint64_t *offset_ret);

#endif
