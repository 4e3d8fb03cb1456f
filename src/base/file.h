/* SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/block_cache.h"

/*
 * A run of bytes that is read at any offset and never written to: a regular file or block device,
 * mapped as a whole; or what is decoded on demand from one (file_create()): a container's
 * content, compressed blocks laid end to end.
 */
struct file {
	char *path;	      /* owned */
	int fd;		      /* -1 where there is none */
	const uint8_t *bytes; /* the mapping, until file_close(); NULL when decoded, or size is 0 */
	uint64_t size;
	struct file_content *content; /* NULL: mapped */
	struct file *below;	      /* owned, on the heap: what it is decoded from; NULL: none */
	/* Offsets in it are no offsets of any file that a user could look at. */
	bool is_internal;
};

/* Errors: ERROR_OS with the path; ERROR_UNSUPPORTED for directories, FIFOs, sockets. */
MUST_CHECK struct error *file_open(struct file *ret, const char *path);
/* The same of an open descriptor, which is taken, also on failure; path is just its name. */
MUST_CHECK struct error *file_open_fd(struct file *ret, const char *path, int fd);
void file_close(struct file *f); /* a zeroed struct is fine */

/* How bytes are decoded. Safe across threads. */
struct file_ops {
	/* All of [offset, offset + len), which lies in the file and is at most FILE_MAX_VIEW long;
	 * borrowed until release() with the same pin. */
	struct error *(*view)(void *arg, uint64_t offset, size_t len, const uint8_t **ret,
			      void **pin);
	void (*release)(void *arg, void *pin);
	/* The next stretch that is not known to be zeros, as file_next_data(); NULL: all. */
	bool (*next_data)(void *arg, uint64_t offset, uint64_t *start, uint64_t *end);
	void (*destroy)(void *arg);
};
enum { FILE_MAX_VIEW = 1 << 20 };

/* A file of decoded bytes; cache is borrowed and pays for file_bytes(). Takes arg, which is
 * destroyed by file_close(), also on failure. */
MUST_CHECK struct error *file_create(struct file *ret, const char *path, uint64_t size,
				     struct block_cache *cache, const struct file_ops *ops,
				     void *arg);

/* A borrowed look at len bytes. */
struct file_view {
	const uint8_t *bytes;
	const struct file *file;
	void *pin;
};
/* All of [offset, offset + len), which must lie in the file; len <= FILE_MAX_VIEW. No copy where
 * the file is mapped. Errors: what decoding says. */
MUST_CHECK struct error *file_view(const struct file *f, uint64_t offset, size_t len,
				   struct file_view *ret);
void file_view_release(struct file_view *v); /* a zeroed one is fine */
/* Copies all of [offset, offset + len). Errors: CORRUPT past the end, what decoding says. */
MUST_CHECK struct error *file_read(const struct file *f, uint64_t offset, void *buf, size_t len);
/*
 * As a pointer that is good until file_close(), for headers and tables: the mapping itself, or a
 * copy that is kept and taken off the cache's memory (LIMIT). Errors: CORRUPT past the end. Safe
 * across threads. Ask once for a table, not once a row.
 */
MUST_CHECK struct error *file_bytes(const struct file *f, uint64_t offset, uint64_t len,
				    const uint8_t **ret);
/* The next stretch [*start, *end) at or after offset that is not a hole of a sparse file; the
 * whole rest where the file system cannot tell. False when there is none. */
bool file_next_data(const struct file *f, uint64_t offset, uint64_t *start, uint64_t *end);
/* If addr lies in a mapping of an open file: its path and offset. For a SIGBUS handler (a
 * mapped file that shrank or a failing disk), hence lock-free and async-signal-safe. */
bool file_of_address(const void *addr, const char **path_ret, uint64_t *offset_ret);

#endif
