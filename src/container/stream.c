/* SPDX-License-Identifier: MIT */
#include "container/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/progress.h"

enum {
	READ_SIZE = 1 << 20,	  /* decoded at once */
	HOLE_SIZE = 4 << 10,	  /* zeros of that length and alignment are not written */
	ROOM_INTERVAL = 64 << 20, /* of what is written: how often the room is looked at */
	ROOM_LEFT = 256 << 20,	  /* of the file system: other programs need some */
};

struct spool {
	const char *folder;
	int fd;
	uint64_t size;	     /* decoded */
	uint64_t written;    /* without holes */
	uint64_t room_known; /* `written` when it is to be looked at again */
};

static void spool_cleanup(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
}

static void free_cleanup(uint8_t **p)
{
	free(*p);
}

/* A file that goes away with its last descriptor, whatever happens to this process. */
static struct error *spool_create(struct spool *s)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];

	*s = (struct spool){ .folder = folder && *folder ? folder : "/tmp", .fd = -1 };
	s->fd = open(s->folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (s->fd >= 0)
		return NULL;
	/* Not every file system has O_TMPFILE. */
	if ((size_t)snprintf(path, sizeof(path), "%s/ntscope.XXXXXX", s->folder) >= sizeof(path))
		return error_new(ERROR_OS, "%s: the path is too long", s->folder);
	s->fd = mkostemp(path, O_CLOEXEC);
	if (s->fd < 0)
		return error_os(errno, "cannot make a temporary file in %s (see TMPDIR)",
				s->folder);
	unlink(path);
	return NULL;
}

/* Is there room for the next stretch, with something left for others? */
static struct error *check_room(struct spool *s)
{
	struct statvfs fs;

	if (s->written < s->room_known)
		return NULL;
	s->room_known = s->written + ROOM_INTERVAL;
	if (fstatvfs(s->fd, &fs) < 0)
		return error_os(errno, "%s", s->folder);
	if ((uint64_t)fs.f_bavail * fs.f_frsize >= (uint64_t)ROOM_INTERVAL + ROOM_LEFT)
		return NULL;
	return error_new(ERROR_LIMIT,
			 "no room for a temporary file in %s: %" PRIu64 " bytes written, %" PRIu64
			 " bytes free (see TMPDIR)",
			 s->folder, s->written, (uint64_t)fs.f_bavail * fs.f_frsize);
}

static struct error *write_all(struct spool *s, const uint8_t *bytes, size_t len, uint64_t offset)
{
	struct error *err = check_room(s);

	if (err)
		return err;
	s->written += len;
	while (len) {
		ssize_t got = pwrite(s->fd, bytes, len, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_os(errno, "temporary file in %s", s->folder);
		bytes += got;
		len -= (size_t)got;
		offset += (uint64_t)got;
	}
	return NULL;
}

bool bytes_are_zero(const uint8_t *bytes, size_t len)
{
	return !len || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

/* Stretches that are not zeros, in as few writes as they are stretches. */
static struct error *spool_write(struct spool *s, const uint8_t *bytes, size_t len)
{
	size_t start = 0, at = 0, part;
	struct error *err;

	for (; at < len; at += part) {
		part = HOLE_SIZE - (s->size + at) % HOLE_SIZE;
		if (part > len - at)
			part = len - at;
		if (!bytes_are_zero(bytes + at, part))
			continue;
		if (at > start && (err = write_all(s, bytes + start, at - start, s->size + start)))
			return err;
		start = at + part;
	}
	if (at > start && (err = write_all(s, bytes + start, at - start, s->size + start)))
		return err;
	s->size += len;
	return NULL;
}

static struct error *spool_all(const struct container_input *in, const struct stream_ops *ops,
			       void *arg, struct spool *s, struct progress *progress)
{
	uint8_t *buf CLEANUP(free_cleanup) = malloc(READ_SIZE);
	uint64_t before = ops->position(arg), now;
	struct error *err = NULL, *write_err;
	size_t got;

	if (!buf)
		return &error_no_memory;
	do {
		got = 0;
		err = ops->read(arg, buf, READ_SIZE, &got);
		write_err = container_check_size(in, s->size + got);
		if (!write_err)
			write_err = spool_write(s, buf, got);
		if (write_err) {
			error_destroy(err);
			return write_err;
		}
		now = ops->position(arg);
		progress_add(progress, now - before);
		before = now;
	} while (!err && got);
	if (err && s->size && error_code(err) == ERROR_CORRUPT) {
		diag_error(in->diag, err, "%s: %s: what follows 0x%" PRIx64 " is not there",
			   in->path, in->name, s->size);
		err = NULL;
	}
	return err;
}

struct error *stream_spool(const struct container_input *in, const struct stream_ops *ops,
			   void *arg, uint64_t packed_size, const char *why, struct file *ret)
{
	struct spool s CLEANUP(spool_cleanup) = { .fd = -1 };
	struct progress progress;
	struct error *err = spool_create(&s);

	if (err)
		return err;
	diag_note(in->diag, "%s: %s: %s, so all of it is unpacked to a temporary file in %s",
		  in->path, in->name, why, s.folder);
	progress_begin(&progress, "unpacking", packed_size, in->options->quiet);
	err = spool_all(in, ops, arg, &s, &progress);
	progress_end(&progress);
	if (err)
		return err;
	if (ftruncate(s.fd, (off_t)s.size) < 0)
		return error_os(errno, "temporary file in %s", s.folder);
	err = file_open_fd(ret, in->path, s.fd);
	s.fd = -1; /* taken */
	if (!err)
		ret->is_internal = true;
	return err;
}
