/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/file_content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The open mappings of this process. The one mutable global of the library: a SIGBUS handler
 * gets nothing but the address of the fault, and must name the file without taking a lock or
 * allocating. A slot's owner writes path and size before it publishes start, and clears start
 * before they go away; a handler only follows the slot whose mapping its own thread was just
 * reading, which is open.
 */
enum { MAX_LISTED_MAPPINGS = 256 }; /* further files open as well and are not listed */

struct mapping {
	bool taken;
	uintptr_t start; /* 0: not published */
	uint64_t size;
	const char *path;
};
static struct mapping mappings[MAX_LISTED_MAPPINGS];

static void mapping_publish(const struct file *f)
{
	for (size_t i = 0; i < MAX_LISTED_MAPPINGS; i++) {
		struct mapping *m = &mappings[i];

		if (__atomic_exchange_n(&m->taken, true, __ATOMIC_ACQUIRE))
			continue;
		m->path = f->path;
		m->size = f->size;
		__atomic_store_n(&m->start, (uintptr_t)f->bytes, __ATOMIC_RELEASE);
		return;
	}
}

static void mapping_withdraw(const struct file *f)
{
	for (size_t i = 0; i < MAX_LISTED_MAPPINGS; i++) {
		struct mapping *m = &mappings[i];

		if (__atomic_load_n(&m->start, __ATOMIC_ACQUIRE) != (uintptr_t)f->bytes)
			continue;
		__atomic_store_n(&m->start, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&m->taken, false, __ATOMIC_RELEASE);
		return;
	}
}

bool file_of_address(const void *addr, const char **path_ret, uint64_t *offset_ret)
{
	for (size_t i = 0; i < MAX_LISTED_MAPPINGS; i++) {
		const struct mapping *m = &mappings[i];
		uintptr_t start = __atomic_load_n(&m->start, __ATOMIC_ACQUIRE);

		if (!start || (uintptr_t)addr < start || (uintptr_t)addr - start >= m->size)
			continue;
		*path_ret = m->path;
		*offset_ret = (uintptr_t)addr - start;
		return true;
	}
	return false;
}

static struct error *check_type(const char *path, mode_t mode)
{
	if (S_ISREG(mode) || S_ISBLK(mode))
		return NULL;
	return error_new(ERROR_UNSUPPORTED, "%s: expected a file or block device, found %s", path,
			 S_ISDIR(mode)	  ? "a directory"
			 : S_ISFIFO(mode) ? "a pipe"
			 : S_ISSOCK(mode) ? "a socket"
			 : S_ISCHR(mode)  ? "a character device"
					  : "something else");
}

/* Fills size and bytes of f, whose path and fd are set. */
static struct error *file_map(struct file *f)
{
	struct error *err;
	struct stat st;
	void *bytes;
	off_t size;

	if (fstat(f->fd, &st) < 0)
		return error_os(errno, "%s", f->path);
	if ((err = check_type(f->path, st.st_mode)))
		return err;
	size = lseek(f->fd, 0, SEEK_END); /* a block device has no st_size */
	if (size < 0)
		return error_os(errno, "%s: cannot tell the size", f->path);
	if (size == 0)
		return NULL;
	bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, f->fd, 0);
	if (bytes == MAP_FAILED)
		return error_os(errno, "%s: cannot map %lld bytes", f->path, (long long)size);
	f->bytes = bytes;
	f->size = (uint64_t)size;
	return NULL;
}

static struct error *open_path(struct file *f)
{
	struct error *err;
	struct stat st;

	/* Before opening: a socket cannot be opened, and opening a device may do things. */
	if (stat(f->path, &st) < 0)
		return error_os(errno, "%s", f->path);
	if ((err = check_type(f->path, st.st_mode)))
		return err;
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return f->fd < 0 ? error_os(errno, "%s", f->path) : file_map(f);
}

/* Hands out f, or closes what err left of it. */
static struct error *finish_open(struct file *f, struct error *err, struct file *ret)
{
	if (err) {
		file_close(f);
		return err;
	}
	if (f->bytes)
		mapping_publish(f);
	*ret = *f;
	return NULL;
}

struct error *file_open(struct file *ret, const char *path)
{
	struct file f = { .fd = -1, .path = strdup(path) };

	return finish_open(&f, f.path ? open_path(&f) : &error_no_memory, ret);
}

struct error *file_open_fd(struct file *ret, const char *path, int fd)
{
	struct file f = { .fd = fd, .path = strdup(path) };

	if (!f.path) {
		close(fd);
		return &error_no_memory;
	}
	return finish_open(&f, file_map(&f), ret);
}

void file_close(struct file *f)
{
	file_content_destroy(take_ptr(f->content));
	if (f->bytes) {
		mapping_withdraw(f);
		munmap((void *)(uintptr_t)f->bytes, (size_t)f->size);
	}
	if (f->path && f->fd >= 0) /* a zeroed struct was never open, and 0 is stdin */
		close(f->fd);
	free(f->path);
	if (f->below)
		file_close(f->below);
	free(f->below);
	*f = (struct file){ .fd = -1 };
}

bool file_next_data(const struct file *f, uint64_t offset, uint64_t *start, uint64_t *end)
{
	off_t data, hole;

	if (offset >= f->size)
		return false;
	if (f->content)
		return file_content_next_data(f, offset, start, end);
	data = lseek(f->fd, (off_t)offset, SEEK_DATA);
	if (data < 0 && errno == ENXIO)
		return false;
	hole = data < 0 ? -1 : lseek(f->fd, data, SEEK_HOLE);
	if (data < 0 || hole < 0) { /* the file system cannot tell */
		*start = offset;
		*end = f->size;
		return true;
	}
	if ((uint64_t)data >= f->size) /* grown since it was opened */
		return false;
	*start = (uint64_t)data;
	*end = (uint64_t)hole < f->size ? (uint64_t)hole : f->size;
	return true;
}
