/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli/batch/record.h"
#include "fuzz.h"

enum { MAX_INPUT = 64 << 10 };

static void check_inside(const struct span *part, const struct span *whole)
{
	if (part->text < whole->text || part->text + part->len > whole->text + whole->len)
		abort();
}

/* Members, and the items of those that are lists. */
static void read_members(struct span inside)
{
	const struct span whole = inside;
	struct span key, value, list, item;

	while (span_next_member(&inside, &key, &value)) {
		check_inside(&key, &whole);
		check_inside(&value, &whole);
		if (!span_inside(&value, '[', &list))
			continue;
		while (span_next_item(&list, &item))
			check_inside(&item, &value);
	}
}

/* A line of a file of results, and a report of a worker. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = { (const char *)data, size };
	struct record_result result;
	struct record_head head;
	struct arena arena;
	struct error *err;

	if (!size || size > MAX_INPUT)
		return 0;
	arena_init(&arena, 0);
	if ((err = record_read(&arena, &line, &head)))
		error_destroy(err);
	else if (!head.path[0])
		abort();
	else
		read_members(head.rest);
	read_members(line);
	if (record_read_result(&arena, line.text, line.len, &result) && !result.status)
		abort();
	arena_deinit(&arena);
	return 0;
}
