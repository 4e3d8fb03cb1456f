/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ARENA_ALIGN = alignof(max_align_t),
	ARENA_FIRST_BLOCK = 4 << 10,
	ARENA_LAST_BLOCK = 1 << 20, /* blocks double up to here */
	ARRAY_FIRST_CAPACITY = 16,
};

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of data */
	alignas(max_align_t) uint8_t data[];
};

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){ .limit = limit };
}

void arena_deinit(struct arena *a)
{
	arena_reset(a);
}

void arena_reset(struct arena *a)
{
	while (a->head) {
		struct arena_block *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	a->used = 0;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * A new block with room for size bytes, a multiple of ARENA_ALIGN. What is much larger than
 * usual goes behind the head, whose rest stays in use.
 */
static struct arena_block *arena_grow(struct arena *a, size_t size)
{
	size_t left = a->limit ? a->limit - a->used : SIZE_MAX;
	size_t want = a->head ? min_size(2 * a->head->size, ARENA_LAST_BLOCK) : ARENA_FIRST_BLOCK;
	struct arena_block *block;

	left -= left % ARENA_ALIGN;
	if (size > left)
		return NULL;
	if (want < size)
		want = size;
	want = min_size(want, left);
	block = calloc(1, sizeof(*block) + want);
	if (!block)
		return NULL;
	block->size = want;
	a->used += want;
	if (a->head && want == size) {
		block->next = a->head->next;
		a->head->next = block;
	} else {
		block->next = a->head;
		a->head = block;
	}
	return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *block = a->head;
	void *ret;

	if (size > PTRDIFF_MAX)
		return NULL;
	size = size ? (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN : ARENA_ALIGN;
	if (!block || size > block->size - block->used) {
		block = arena_grow(a, size);
		if (!block)
			return NULL;
	}
	ret = block->data + block->used;
	block->used += size;
	return ret;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return arena_alloc(a, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *ret = arena_alloc(a, n + 1);

	if (ret)
		memcpy(ret, s, n);
	return ret;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char *ret = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n >= 0)
		ret = arena_alloc(a, (size_t)n + 1);
	if (ret) {
		va_start(args, fmt);
		vsnprintf(ret, (size_t)n + 1, fmt, args);
		va_end(args);
	}
	return ret;
}

struct error *array_reserve(void *array_ptr, size_t *capacity, size_t need, size_t size,
			    size_t limit, const char *what)
{
	size_t want, bytes;
	void *array;

	if (need <= *capacity)
		return NULL;
	if (need > limit)
		return error_new(ERROR_LIMIT, "%s: %zu is more than the limit of %zu", what, need,
				 limit);
	want = *capacity > limit / 2 ? limit : 2 * *capacity;
	if (want < ARRAY_FIRST_CAPACITY)
		want = min_size(ARRAY_FIRST_CAPACITY, limit);
	if (want < need)
		want = need;
	if (__builtin_mul_overflow(want, size, &bytes))
		return &error_no_memory;
	/* The caller's pointer has another type: it is copied, never aliased. */
	memcpy(&array, array_ptr, sizeof(array));
	array = realloc(array, bytes);
	if (!array)
		return &error_no_memory;
	memcpy(array_ptr, &array, sizeof(array));
	*capacity = want;
	return NULL;
}
