/* SPDX-License-Identifier: MIT */
#include "output/columns.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

enum { MAX_ASKED = 64 };

struct error *column_find(const struct column *columns, size_t count, const char *key, size_t len,
			  unsigned *ret)
{
	char asked[MAX_ASKED];
	struct nearest nearest = { .asked = asked };
	const char *best;

	snprintf(asked, sizeof(asked), "%.*s", (int)(len < MAX_ASKED ? len : MAX_ASKED), key);
	for (size_t i = 0; i < count; i++) {
		if (strlen(columns[i].key) == len && memcmp(columns[i].key, key, len) == 0) {
			*ret = (unsigned)i;
			return NULL;
		}
		nearest_offer(&nearest, columns[i].key);
	}
	best = nearest_best(&nearest);
	if (best)
		return error_new(ERROR_USAGE, "no column '%.*s'; did you mean '%s'?", (int)len, key,
				 best);
	return error_new(ERROR_USAGE, "no column '%.*s' ('--columns help' lists them)", (int)len,
			 key);
}

struct error *columns_select(struct arena *a, const struct column *columns, size_t count,
			     const char *list, const unsigned **ret, size_t *count_ret)
{
	unsigned *selected = arena_calloc(a, strlen(list) / 2 + 1, sizeof(*selected));
	size_t used = 0;
	struct error *err;

	if (!selected)
		return &error_no_memory;
	for (;; list++) {
		size_t len = strcspn(list, ",");

		if ((err = column_find(columns, count, list, len, &selected[used])) != NULL)
			return err;
		for (size_t i = 0; i < used; i++) {
			if (selected[i] == selected[used])
				return error_new(ERROR_USAGE, "column '%.*s' is there twice",
						 (int)len, list);
		}
		used++;
		list += len;
		if (!*list)
			break;
	}
	*ret = selected;
	*count_ret = used;
	return NULL;
}

struct error *columns_order(struct arena *a, const struct column *columns, size_t count,
			    const char *list, const struct sort_key **ret, size_t *count_ret)
{
	struct sort_key *keys = arena_calloc(a, strlen(list) / 2 + 1, sizeof(*keys));
	size_t used = 0;
	struct error *err;

	if (!keys)
		return &error_no_memory;
	for (;; list++) {
		bool descending = *list == '-';
		size_t len = strcspn(list += descending, ",");

		if ((err = column_find(columns, count, list, len, &keys[used].column)) != NULL)
			return err;
		keys[used++].descending = descending;
		list += len;
		if (!*list)
			break;
	}
	*ret = keys;
	*count_ret = used;
	return NULL;
}
