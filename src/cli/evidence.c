/* SPDX-License-Identifier: MIT */
#include "cli/evidence.h"

#include "windows/paging/pagefile.h"

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool has_path(const char *path, const struct stat *there)
{
	struct stat own;

	return path && stat(path, &own) == 0 && is_same_file(&own, there);
}

/* Itself, or what it is decoded from. */
static bool is_open_as(const struct file *file, const struct stat *there)
{
	struct stat own;

	for (; file; file = file->below) {
		if (file->fd >= 0 && fstat(file->fd, &own) == 0 && is_same_file(&own, there))
			return true;
	}
	return false;
}

bool is_evidence(const struct command_run *run, const struct stat *there)
{
	const struct snapshot *s = run->snapshot;
	const char *const *words;
	size_t count = option_list(run->options, "pagefile", &words);

	for (size_t i = 0; i < count; i++) {
		if (has_path(pagefile_word_path(words[i]), there))
			return true;
	}
	for (size_t i = 0; i < s->files.count; i++) {
		if (is_open_as(s->files.items[i], there))
			return true;
	}
	return is_open_as(&s->file, there) || has_path(s->file.path, there);
}

struct error *check_no_evidence(const struct command_run *run, const char *path)
{
	struct stat there;

	if (stat(path, &there) != 0 || !is_evidence(run, &there))
		return NULL;
	return error_new(ERROR_USAGE, "%s: is the snapshot itself, or its page file", path);
}
