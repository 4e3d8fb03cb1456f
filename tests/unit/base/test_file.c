/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

static char dir[64], path[128];

static void make_dir(void)
{
	strcpy(dir, "/tmp/test_file.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

TestSuite(file, .init = make_dir, .fini = remove_dir);

/* size bytes long, with text at offset. */
static void make_file(off_t size, off_t offset, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	cr_assert_eq(fseeko(f, offset, SEEK_SET), 0);
	fputs(text, f);
	fclose(f);
	cr_assert_eq(truncate(path, size), 0);
}

Test(file, maps_the_whole_file)
{
	struct file f;

	make_file(5, 0, "hello");
	cr_assert_null(file_open(&f, path));
	cr_assert_eq(f.size, 5);
	cr_assert_eq(memcmp(f.bytes, "hello", 5), 0);
	cr_assert_str_eq(f.path, path);
	file_close(&f);
	cr_assert_null(f.bytes);
}

Test(file, an_empty_file_has_no_bytes)
{
	struct file f;
	uint64_t start, end;

	make_file(0, 0, "");
	cr_assert_null(file_open(&f, path));
	cr_assert_eq(f.size, 0);
	cr_assert_null(f.bytes);
	cr_assert(!file_next_data(&f, 0, &start, &end));
	file_close(&f);
}

static void expect_error(const char *name, enum error_code code, const char *message)
{
	struct file f = { .fd = 77 };
	struct error *err = file_open(&f, name);

	cr_assert_not_null(err);
	cr_assert_eq(error_code(err), code);
	cr_assert_eq(strncmp(error_message(err), name, strlen(name)), 0);
	cr_assert_str_eq(error_message(err) + strlen(name), message);
	cr_assert_eq(f.fd, 77);
	error_destroy(err);
}

Test(file, what_is_no_file_is_refused)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int s;

	expect_error(path, ERROR_OS, ": No such file or directory");
	expect_error(dir, ERROR_UNSUPPORTED,
		     ": expected a file or block device, found a directory");
	expect_error("/dev/null", ERROR_UNSUPPORTED,
		     ": expected a file or block device, found a character device");
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_error(path, ERROR_UNSUPPORTED, ": expected a file or block device, found a pipe");
	unlink(path);
	strcpy(addr.sun_path, path);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
	expect_error(path, ERROR_UNSUPPORTED, ": expected a file or block device, found a socket");
	close(s);
}

/* Every byte is either in a data stretch or reads as zero. */
Test(file, data_stretches_cover_all_that_is_not_zero)
{
	struct file f;
	uint64_t start, end, at = 0;
	bool seen = false;

	make_file(64 << 20, 32 << 20, "data");
	cr_assert_null(file_open(&f, path));
	while (file_next_data(&f, at, &start, &end)) {
		cr_assert_geq(start, at);
		cr_assert_lt(start, end);
		cr_assert_leq(end, f.size);
		seen |= start <= (32 << 20) && end >= (32 << 20) + 4;
		at = end;
	}
	cr_assert(seen);
	cr_assert(!file_next_data(&f, f.size, &start, &end));
	cr_assert(!file_next_data(&f, UINT64_MAX, &start, &end));
	file_close(&f);
}

Test(file, a_data_stretch_starts_at_the_offset_asked_for)
{
	struct file f;
	uint64_t start, end;

	make_file(5, 0, "hello");
	cr_assert_null(file_open(&f, path));
	cr_assert(file_next_data(&f, 3, &start, &end));
	cr_assert_eq(start, 3);
	cr_assert_eq(end, 5);
	cr_assert_eq(truncate(path, 0), 0);
	cr_assert(!file_next_data(&f, 3, &start, &end));
	cr_assert_eq(truncate(path, 9), 0);
	cr_assert(!file_next_data(&f, 5, &start, &end));
	file_close(&f);
}

Test(file, an_address_names_its_file)
{
	struct file f, copy;
	const char *name = NULL;
	uint64_t offset = 0;

	make_file(10000, 0, "hello");
	cr_assert_null(file_open(&f, path));
	copy = f; /* the table does not care where the struct is */
	cr_assert(file_of_address(copy.bytes + 9999, &name, &offset));
	cr_assert_str_eq(name, path);
	cr_assert_eq(offset, 9999);
	cr_assert(!file_of_address(copy.bytes + 10000, &name, &offset));
	cr_assert(!file_of_address(&f, &name, &offset));
	cr_assert(!file_of_address(NULL, &name, &offset));
	file_close(&copy);
	cr_assert(!file_of_address(f.bytes, &name, &offset));
}

Test(file, closing_what_was_never_open_does_nothing)
{
	struct file f = { 0 };

	file_close(&f);
	cr_assert_neq(fcntl(STDIN_FILENO, F_GETFD), -1);
}

Test(file, more_files_than_are_listed_open_and_close)
{
	enum { NUM_FILES = 300 };
	struct file files[NUM_FILES];
	const char *name;
	uint64_t offset;

	make_file(1, 0, "x");
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < NUM_FILES; i++)
			cr_assert_null(file_open(&files[i], path));
		cr_assert(file_of_address(files[0].bytes, &name, &offset));
		for (size_t i = 0; i < NUM_FILES; i++)
			file_close(&files[i]);
	}
}
