/* SPDX-License-Identifier: MIT */
#include "cli/batch/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* A record: where its line is. */
struct merged {
	const char *path; /* of the snapshot; arena */
	struct span line;
	size_t file;
};

struct merge {
	const char *const *names;
	struct file *files;
	size_t count;
	struct merged *records;
	size_t num_records, capacity;
	struct span run; /* of the first record */
	struct arena arena;
};

static struct error *take_line(struct merge *m, size_t file, const struct span *line)
{
	struct record_head head;
	struct error *err = record_read(&m->arena, line, &head);

	if (err)
		return err;
	if (!m->run.text)
		m->run = head.run;
	if (m->run.len != head.run.len || memcmp(m->run.text, head.run.text, m->run.len) != 0)
		return error_new(ERROR_USAGE, "of another batch: %.*s; the first file is of %.*s",
				 (int)head.run.len, head.run.text, (int)m->run.len, m->run.text);
	err = array_reserve(&m->records, &m->capacity, m->num_records + 1, sizeof(*m->records),
			    INPUTS_MAX, "records");
	if (!err)
		m->records[m->num_records++] = (struct merged){ head.path, *line, file };
	return err;
}

static struct error *take_file(struct merge *m, size_t index)
{
	struct error *err = file_open(&m->files[index], m->names[index]);
	struct span rest;
	size_t number = 1;

	if (err)
		return err;
	rest = (struct span){ (const char *)m->files[index].bytes, m->files[index].size };
	for (; rest.len && !err; number++) {
		const char *end = memchr(rest.text, '\n', rest.len);
		struct span line = { rest.text, end ? (size_t)(end - rest.text) : rest.len };

		if (!end)
			err = error_new(ERROR_CORRUPT, "is cut off: resume that run first");
		else
			err = take_line(m, index, &line);
		err = error_wrap(err, "%s: line %zu", m->names[index], number);
		rest.text += line.len + 1;
		rest.len -= end ? line.len + 1 : line.len;
	}
	return err;
}

static int compare_records(const void *a, const void *b)
{
	return strcmp(((const struct merged *)a)->path, ((const struct merged *)b)->path);
}

static struct error *write_records(struct merge *m, struct results *to)
{
	struct error *err = NULL;

	if (m->num_records)
		qsort(m->records, m->num_records, sizeof(*m->records), compare_records);
	for (size_t i = 1; i < m->num_records; i++) {
		const struct merged *a = &m->records[i - 1], *b = &m->records[i];

		if (compare_records(a, b) == 0)
			return error_new(ERROR_USAGE, "%s and %s both have '%s'", m->names[a->file],
					 m->names[b->file], a->path);
	}
	for (size_t i = 0; i < m->num_records && !err; i++)
		err = to->ops->add(to, &m->records[i].line);
	return err;
}

struct error *merge_results(const char *const *paths, size_t count, struct results *to,
			    uint64_t *records_ret)
{
	struct merge m = { .names = paths, .count = count };
	struct error *err = NULL;

	if (count > MERGE_MAX)
		return error_new(ERROR_LIMIT, "more than %d files to merge", MERGE_MAX);
	m.files = calloc(count + 1, sizeof(*m.files));
	if (!m.files)
		return &error_no_memory;
	arena_init(&m.arena, 0);
	for (size_t i = 0; i < count; i++)
		m.files[i].fd = -1;
	for (size_t i = 0; i < count && !err; i++)
		err = take_file(&m, i);
	if (!err)
		err = write_records(&m, to);
	for (size_t i = 0; i < count; i++)
		file_close(&m.files[i]);
	*records_ret = m.num_records;
	arena_deinit(&m.arena);
	free(m.records);
	free(m.files);
	return err;
}
