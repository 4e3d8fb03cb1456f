/* SPDX-License-Identifier: MIT */
#ifndef REPORT_STRING_TABLE_H
#define REPORT_STRING_TABLE_H

#include "base/arena.h"

/* Strings by number: what is said a thousand times is kept once. */
struct string_table {
	struct arena arena;
	const char **items; /* in the order in which they came */
	size_t count, capacity;
	uint32_t *slots; /* number + 1 by hash; 0: free */
	size_t num_slots;
};

enum { STRING_TABLE_MAX = 1 << 24 };

void string_table_init(struct string_table *t);
void string_table_deinit(struct string_table *t);
/* The string's number. s is copied. Errors: LIMIT (STRING_TABLE_MAX), NO_MEMORY. */
MUST_CHECK struct error *string_table_add(struct string_table *t, const char *s, size_t *ret);

#endif
