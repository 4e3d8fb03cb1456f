/* SPDX-License-Identifier: MIT */
#ifndef TESTS_MEMFILE_H
#define TESTS_MEMFILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

enum { MEMFILE_PATH_SIZE = 64 };

/* Bytes as a file that has a path in this process; the number is its descriptor, to be closed. */
static inline int memfile_create(const void *bytes, size_t size, char path_ret[MEMFILE_PATH_SIZE])
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
	    (size && pwrite(fd, bytes, size, 0) != (ssize_t)size))
		abort();
	snprintf(path_ret, MEMFILE_PATH_SIZE, "/proc/self/fd/%d", fd);
	return fd;
}

/* The same, opened; file_close() ends it. */
static inline void memfile_open(struct file *ret, const void *bytes, size_t size)
{
	char path[MEMFILE_PATH_SIZE];
	int fd = memfile_create(bytes, size, path);
	struct error *err = file_open(ret, path);

	if (err)
		abort();
	close(fd);
}

#endif
