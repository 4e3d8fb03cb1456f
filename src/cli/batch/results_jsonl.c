/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/batch/pool.h"
#include "cli/batch/results.h"

/* JSON lines. A line that was cut off when a run ended is dropped when it is resumed. */
struct jsonl {
	struct results base;
	char *path; /* owned */
	int fd;
	FILE *stream; /* borrowed, instead of fd; NULL: none */
	double synced;
};

static struct error *jsonl_new(const char *path, int fd, struct results **ret)
{
	struct jsonl *j = calloc(1, sizeof(*j));

	if (j)
		j->path = strdup(path);
	if (!j || !j->path) {
		if (fd >= 0)
			close(fd);
		free(j);
		return &error_no_memory;
	}
	j->base.ops = &results_jsonl;
	j->fd = fd;
	j->synced = pool_clock();
	*ret = &j->base;
	return NULL;
}

static struct error *jsonl_create(const char *path, bool force, struct results **ret)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (force ? O_TRUNC : O_EXCL),
		      0666);

	if (fd < 0 && errno == EEXIST)
		return error_new(ERROR_USAGE,
				 "%s is there: --resume goes on with it, --force replaces it",
				 path);
	return fd < 0 ? error_os(errno, "%s", path) : jsonl_new(path, fd, ret);
}

/* Hands out the whole lines; *whole_ret: where the last one ends. */
static struct error *read_done(const char *path, struct span text, results_done_fn *done, void *arg,
			       uint64_t *whole_ret)
{
	const char *start = text.text, *end;
	struct arena arena CLEANUP(arena_deinit);
	struct error *err = NULL;
	size_t number = 1;

	arena_init(&arena, 0);
	*whole_ret = 0;
	for (; text.len && (end = memchr(text.text, '\n', text.len)) != NULL; number++) {
		const struct span line = { text.text, (size_t)(end - text.text) };
		struct record_head head;

		if ((err = record_read(&arena, &line, &head)) || (err = done(arg, &head)))
			return error_wrap(err, "%s: line %zu", path, number);
		arena_reset(&arena);
		text.len -= line.len + 1;
		text.text = end + 1;
		*whole_ret = (uint64_t)(text.text - start);
	}
	/* Half a line must at least begin as one of ours before it is dropped. */
	if (text.len && strncmp(text.text, "{\"schema\": \"" RECORD_SCHEMA "\"",
				text.len < 26 ? text.len : 26) != 0)
		return error_new(ERROR_CORRUPT, "%s: line %zu: not a record of 'ntscope batch'",
				 path, number);
	return NULL;
}

static struct error *resume_file(const char *path, int fd, results_done_fn *done, void *arg)
{
	struct span text = { NULL, 0 };
	struct error *err;
	uint64_t whole;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_os(errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_new(ERROR_USAGE, "%s: only a file can be resumed", path);
	text.len = (size_t)st.st_size;
	if (text.len)
		text.text = mmap(NULL, text.len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text.text == MAP_FAILED)
		return error_os(errno, "%s", path);
	err = read_done(path, text, done, arg, &whole);
	if (text.len)
		munmap((void *)(uintptr_t)text.text, text.len);
	if (!err && whole < text.len && ftruncate(fd, (off_t)whole) < 0)
		err = error_os(errno, "%s", path);
	return err;
}

static struct error *jsonl_resume(const char *path, results_done_fn *done, void *arg,
				  struct results **ret)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_APPEND | O_NONBLOCK);
	struct error *err;

	if (fd < 0 && errno == ENOENT)
		return error_new(ERROR_NOT_FOUND, "%s: not there", path);
	if (fd < 0)
		return error_os(errno, "%s", path);
	if ((err = resume_file(path, fd, done, arg))) {
		close(fd);
		return err;
	}
	return jsonl_new(path, fd, ret);
}

static struct error *add_to_stream(struct jsonl *j, const struct span *record)
{
	fwrite(record->text, 1, record->len, j->stream);
	putc('\n', j->stream);
	if (fflush(j->stream) == 0)
		return NULL;
	return error_os(errno ? errno : EIO, "cannot write the output");
}

static struct error *write_bytes(struct jsonl *j, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(j->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_os(n ? errno : EIO, "%s", j->path);
		bytes += n;
		len -= (size_t)n;
	}
	return NULL;
}

static struct error *jsonl_add(struct results *r, const struct span *record)
{
	struct jsonl *j = (struct jsonl *)r;
	struct error *err;
	double now;

	if (j->stream)
		return add_to_stream(j, record);
	if ((err = write_bytes(j, record->text, record->len)) || (err = write_bytes(j, "\n", 1)))
		return err;
	now = pool_clock();
	if (now < j->synced + RESULTS_SYNC_SECONDS)
		return NULL;
	j->synced = now;
	return fdatasync(j->fd) == 0 || errno == EINVAL ? NULL : error_os(errno, "%s", j->path);
}

static struct error *jsonl_close(struct results *r)
{
	struct jsonl *j = (struct jsonl *)r;
	struct error *err = NULL;

	if (j->fd >= 0 && fsync(j->fd) < 0 && errno != EINVAL)
		err = error_os(errno, "%s", j->path);
	if (j->fd >= 0 && close(j->fd) < 0 && !err)
		err = error_os(errno, "%s", j->path);
	free(j->path);
	free(j);
	return err;
}

const struct results_ops results_jsonl = {
	.create = jsonl_create,
	.resume = jsonl_resume,
	.add = jsonl_add,
	.close = jsonl_close,
};

struct error *results_to_stream(FILE *out, struct results **ret)
{
	struct error *err = jsonl_new("-", -1, ret);

	if (!err)
		((struct jsonl *)*ret)->stream = out;
	return err;
}

const struct results_ops *results_kind(const char *path)
{
	static const char *const endings[] = { ".sqlite", ".sqlite3", ".db" };
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t end = strlen(endings[i]);

		if (len > end && strcmp(path + len - end, endings[i]) == 0)
			return &results_sqlite;
	}
	return &results_jsonl;
}
