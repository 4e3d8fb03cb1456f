/* SPDX-License-Identifier: MIT */
#include "base/cache_folder.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_PATH = 512, WRITERS = 4, WRITES = 200 };

static char top[MAX_PATH];

static void setup(void)
{
	snprintf(top, sizeof(top), "%s/ntscope-folder.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	cr_assert_not_null(mkdtemp(top));
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void teardown(void)
{
	nftw(top, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(cache_folder, .init = setup, .fini = teardown, .timeout = 120);

static const char *at(const char *name)
{
	static char path[2 * MAX_PATH];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void put(const char *name, const void *bytes, size_t len)
{
	struct error *err = cache_file_write(at(name), bytes, len);

	cr_assert_null(err, "%s", error_message(err));
}

static size_t count_files(void)
{
	DIR *dir = opendir(top);
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(dir)))
		count += entry->d_type == DT_REG;
	closedir(dir);
	return count;
}

Test(cache_folder, default_is_by_the_specification)
{
	struct arena a;

	arena_init(&a, 0);
	setenv("XDG_CACHE_HOME", "/c", 1);
	setenv("HOME", "/h", 1);
	cr_expect_str_eq(cache_folder_default(&a, "x"), "/c/ntscope/x");
	setenv("XDG_CACHE_HOME", "relative", 1);
	cr_expect_str_eq(cache_folder_default(&a, "x"), "/h/.cache/ntscope/x");
	unsetenv("HOME");
	cr_expect_null(cache_folder_default(&a, "x"));
	arena_deinit(&a);
}

Test(cache_folder, reads_what_was_written)
{
	struct error *err;
	struct stat st;
	uint8_t *bytes;
	size_t len;

	put("a/b/file", "text", 4);
	cr_assert_eq(stat(at("a"), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
	cr_assert_eq(stat(at("a/b/file"), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_assert_null(cache_file_read(at("a/b/file"), 4, &bytes, &len));
	cr_expect_eq(len, 4);
	cr_expect_eq(memcmp(bytes, "text", 4), 0);
	free(bytes);
	err = cache_file_read(at("a/b/file"), 3, &bytes, &len);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	error_destroy(err);
}

/* A FIFO would make a reader wait, a link could lead anywhere. */
Test(cache_folder, reads_regular_files_only)
{
	static const char *const names[] = { "fifo", "link", "folder", "absent" };

	put("folder/file", "text", 4);
	cr_assert_eq(mkfifo(at("fifo"), 0600), 0);
	cr_assert_eq(symlink("folder/file", at("link")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uint8_t *bytes;
		size_t len;
		struct error *err = cache_file_read(at(names[i]), 100, &bytes, &len);

		cr_assert_not_null(err, "%s", names[i]);
		cr_expect_eq(error_code(err), ERROR_OS);
		cr_expect_not_null(strstr(error_message(err), names[i]));
		error_destroy(err);
	}
}

static void make_old(const char *name, time_t age)
{
	struct timespec times[2] = { { .tv_sec = 1000000 - age }, { .tv_sec = 1000000 - age } };

	cr_assert_eq(utimensat(AT_FDCWD, at(name), times, 0), 0);
}

Test(cache_folder, what_was_used_longest_ago_goes)
{
	uint8_t *bytes;
	size_t len;

	put("first", "1", 1);
	put("second", "2", 1);
	put("third", "3", 1);
	make_old("first", 300);
	make_old("second", 200);
	make_old("third", 100);
	cache_folder_make_room(top, 4);
	cr_expect_eq(count_files(), 3);
	cr_assert_null(cache_file_read(at("first"), 1, &bytes, &len)); /* a use */
	free(bytes);
	cache_folder_make_room(top, 3);
	cr_expect_eq(count_files(), 2);
	cr_expect_neq(access(at("second"), F_OK), 0);
	cache_folder_make_room(top, 1);
	cr_expect_eq(count_files(), 0);
	cache_folder_make_room(at("absent"), 1);
}

Test(cache_folder, many_write_at_once)
{
	uint8_t content[1000], *bytes;
	size_t len;

	for (int n = 0; n < WRITERS; n++) {
		if (fork() != 0)
			continue;
		memset(content, 'a' + n, sizeof(content));
		for (int i = 0; i < WRITES; i++) {
			error_destroy(cache_file_write(at("file"), content, sizeof(content)));
			if (cache_file_read(at("file"), sizeof(content), &bytes, &len) ||
			    len != sizeof(content) || memcmp(bytes, bytes + 1, len - 1) != 0)
				_exit(1);
			free(bytes);
		}
		_exit(0);
	}
	for (int n = 0; n < WRITERS; n++) {
		int status;

		cr_assert_gt(wait(&status), 0);
		cr_expect_eq(status, 0, "a file that is not whole");
	}
	cr_expect_eq(count_files(), 1);
}
