/* SPDX-License-Identifier: MIT */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/error.h"

/* Memory that is freed all at once. Not safe across threads: one arena per owner. */
struct arena_block;
struct arena {
	struct arena_block *head;
	size_t used, limit; /* limit in bytes over all blocks; 0 = none */
};

void arena_init(struct arena *a, size_t limit);
void arena_deinit(struct arena *a);
/* Frees everything and keeps the arena usable. */
void arena_reset(struct arena *a);
/* Zeroed, aligned for any type; NULL when memory or the limit is exhausted. */
MUST_CHECK void *arena_alloc(struct arena *a, size_t size);
/* count * size, checked for overflow. */
MUST_CHECK void *arena_calloc(struct arena *a, size_t count, size_t size);
MUST_CHECK char *arena_strndup(struct arena *a, const char *s, size_t len);
MUST_CHECK char *arena_strdup(struct arena *a, const char *s);
MUST_CHECK PRINTF(2, 3) char *arena_printf(struct arena *a, const char *fmt, ...);

/* Doubling array growth for heap arrays: makes room for `need` items of `size` bytes, with
 * `limit` as the largest count allowed (ERROR_LIMIT "what"). */
MUST_CHECK struct error *array_reserve(void *array_ptr, size_t *capacity, size_t need, size_t size,
				       size_t limit, const char *what);

#endif
