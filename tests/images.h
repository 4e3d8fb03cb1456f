/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IMAGES_H
#define TESTS_IMAGES_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"

/*
 * Snapshots with a known truth, which are not part of the tree (SHARED_DIR/images): unpacked for
 * one test into a folder of its own. A test is skipped where they are missing.
 */
enum { IMAGES_PATH_SIZE = 512 };

static char images_folder[256]; /* "": there is none yet */

static inline void images_run(const char *format, const char *a, const char *b, const char *c)
{
	char command[4 * IMAGES_PATH_SIZE];

	snprintf(command, sizeof(command), format, a, b, c);
	cr_assert_eq(system(command), 0, "%s", command);
}

/* To be the suite's .fini. */
static inline void images_remove(void)
{
	if (images_folder[0])
		images_run("rm -rf '%s'%s%s", images_folder, "", "");
	images_folder[0] = '\0';
}

static inline void images_make_folder(void)
{
	const char *parent = getenv("TMPDIR");

	if (images_folder[0])
		return;
	snprintf(images_folder, sizeof(images_folder), "%s/images.XXXXXX",
		 parent ? parent : P_tmpdir);
	cr_assert_not_null(mkdtemp(images_folder));
}

/* The path of a file of the images; name as under SHARED_DIR/images. */
static inline void images_find(const char *name, char ret[IMAGES_PATH_SIZE])
{
	snprintf(ret, IMAGES_PATH_SIZE, "%s/images/%s", SHARED_DIR, name);
	if (access(ret, R_OK) != 0) {
		images_remove(); /* skipping passes the suite's .fini by */
		cr_skip("%s is not there", ret);
	}
}

/* The path of an unpacked file, whose name is formatted. */
PRINTF(2, 3) static inline void images_path(char ret[IMAGES_PATH_SIZE], const char *name, ...)
{
	va_list args;
	int len;

	images_make_folder();
	len = snprintf(ret, IMAGES_PATH_SIZE, "%s/", images_folder);
	va_start(args, name);
	vsnprintf(ret + len, IMAGES_PATH_SIZE - (size_t)len, name, args);
	va_end(args);
}

/* "a/b.raw.xz" becomes b.raw. */
static inline void images_unpack_xz(const char *name, char ret[IMAGES_PATH_SIZE])
{
	char from[IMAGES_PATH_SIZE], file[IMAGES_PATH_SIZE];
	const char *slash = strrchr(name, '/');

	images_find(name, from);
	snprintf(file, sizeof(file), "%s", slash ? slash + 1 : name);
	file[strlen(file) - strlen(".xz")] = '\0';
	images_path(ret, "%s", file);
	images_run("xz -dc '%s' > '%s'%s", from, ret, "");
}

/* members: words for tar, "": all. */
static inline void images_unpack_tar(const char *name, const char *members)
{
	char from[IMAGES_PATH_SIZE];

	images_find(name, from);
	images_make_folder();
	images_run("tar -xSJf '%s' -C '%s' %s", from, images_folder, members);
}

#endif
