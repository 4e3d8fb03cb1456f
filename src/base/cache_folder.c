/* SPDX-License-Identifier: MIT */
#include "base/cache_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void free_string(char **s)
{
	free(*s);
}

char *cache_folder_default(struct arena *a, const char *name)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && cache[0] == '/')
		return arena_printf(a, "%s/ntscope/%s", cache, name);
	if (home && home[0] == '/')
		return arena_printf(a, "%s/.cache/ntscope/%s", home, name);
	return NULL;
}

/* Making room. */

static bool is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Removes the oldest of at least max_files regular files; false: there are fewer. */
static bool drop_oldest(DIR *dir, size_t max_files)
{
	char name[NAME_MAX + 1] = "";
	struct timespec oldest = { 0 };
	struct dirent *entry;
	size_t count = 0;
	struct stat st;

	rewinddir(dir);
	while ((entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (count++ && !is_older(&st.st_mtim, &oldest))
			continue;
		oldest = st.st_mtim;
		snprintf(name, sizeof(name), "%s", entry->d_name);
	}
	return count && count >= max_files && unlinkat(dirfd(dir), name, 0) == 0;
}

void cache_folder_make_room(const char *folder, size_t max_files)
{
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	while (drop_oldest(dir, max_files))
		;
	closedir(dir);
}

/* Writing. */

/* A folder and those above it; mode 0700 is the specification's. */
static struct error *make_folder(char *path)
{
	for (char *end = path; end;) {
		end = strchr(end + 1, '/');
		if (end)
			*end = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return error_os(errno, "%s: cannot create the folder", path);
		if (end)
			*end = '/';
	}
	return NULL;
}

static struct error *write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_os(errno, "cannot write");
		bytes += n;
		len -= (size_t)n;
	}
	return NULL;
}

/* Under a name of its own until it is complete. */
struct error *cache_file_write(const char *path, const void *bytes, size_t len)
{
	size_t folder_len = (size_t)(strrchr(path, '/') - path);
	CLEANUP(free_string) char *folder = strndup(path, folder_len);
	CLEANUP(free_string) char *temporary = NULL;
	struct error *err;
	int fd;

	if (!folder || asprintf(&temporary, "%s/new.XXXXXX", folder) < 0) {
		temporary = NULL;
		return &error_no_memory;
	}
	if ((err = make_folder(folder)))
		return err;
	fd = mkstemp(temporary);
	if (fd < 0)
		return error_os(errno, "%s: cannot create a file", folder);
	err = write_all(fd, bytes, len);
	if (close(fd) < 0 && !err)
		err = error_os(errno, "cannot write");
	if (!err && rename(temporary, path) < 0)
		err = error_os(errno, "cannot rename %s", temporary);
	if (err)
		unlink(temporary);
	return error_wrap(err, "%s", path);
}

/* Reading. */

/* len bytes, or as many as there are: *got_ret. */
static struct error *read_all(int fd, uint8_t *bytes, size_t len, size_t *got_ret)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, bytes + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_os(errno, "cannot read");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*got_ret = got;
	return NULL;
}

/* The content of an open file; nothing of it is a mapping, which others could cut short. */
static struct error *read_fd(int fd, size_t max_len, uint8_t **ret, size_t *len_ret)
{
	struct error *err;
	struct stat st;
	uint8_t *bytes;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_os(EINVAL, "not a regular file");
	if ((uint64_t)st.st_size > max_len)
		return error_new(ERROR_LIMIT, "%llu bytes: expected at most %zu",
				 (unsigned long long)st.st_size, max_len);
	if (!(bytes = malloc((size_t)st.st_size + 1)))
		return &error_no_memory;
	if ((err = read_all(fd, bytes, (size_t)st.st_size, len_ret))) {
		free(bytes);
		return err;
	}
	*ret = bytes;
	return NULL;
}

struct error *cache_file_read(const char *path, size_t max_len, uint8_t **ret, size_t *len_ret)
{
	static const struct timespec now[2] = { { .tv_nsec = UTIME_NOW },
						{ .tv_nsec = UTIME_NOW } };
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct error *err;

	if (fd < 0)
		return error_os(errno, "%s", path);
	err = read_fd(fd, max_len, ret, len_ret);
	if (!err)
		(void)futimens(fd, now); /* may be another's file: then it ages */
	close(fd);
	return error_wrap(err, "%s", path);
}
