/* SPDX-License-Identifier: MIT */
#include "memory/extent.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"

/* A run costs a capture at least a few dozen bytes of headers, so this bounds memory, not use. */
enum { MAX_EXTENTS = 1 << 24 };

void extent_list_deinit(struct extent_list *list)
{
	free(list->items);
	*list = (struct extent_list){ 0 };
}

static bool continues(const struct extent *a, const struct extent *b)
{
	uint64_t length = b->start - a->start;

	return a->last != UINT64_MAX && b->start == a->last + 1 && a->file == b->file &&
	       a->tag == b->tag && a->offset + length == b->offset;
}

struct error *extent_list_add(struct extent_list *list, const struct extent *extent)
{
	struct error *err;

	if (list->count && continues(&list->items[list->count - 1], extent)) {
		list->items[list->count - 1].last = extent->last;
		return NULL;
	}
	err = array_reserve(&list->items, &list->capacity, list->count + 1, sizeof(*list->items),
			    MAX_EXTENTS, "memory runs");
	if (err)
		return err;
	list->items[list->count++] = *extent;
	return NULL;
}

/*
 * Cutting overlaps is a sweep over the extents by start address. Open extents wait in a heap
 * with the one added first on top: it is the one whose bytes count until it ends or the next
 * one starts. Each step passes a start or an end, so n extents give at most 2n pieces.
 */
struct sweep {
	const struct extent *items; /* in the order in which they were added */
	size_t *by_start;	    /* indices into items */
	size_t *heap;		    /* indices into items, the smallest on top */
	size_t heap_count;
	uint64_t covered_to; /* the last address that an extent opened so far reaches */
	bool covered;	     /* covered_to has a meaning */
};

static void heap_push(struct sweep *s, size_t index)
{
	size_t at = s->heap_count++;

	while (at && s->heap[(at - 1) / 2] > index) {
		s->heap[at] = s->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	s->heap[at] = index;
}

static void heap_pop(struct sweep *s)
{
	size_t moved = s->heap[--s->heap_count], at = 0, child;

	while ((child = 2 * at + 1) < s->heap_count) {
		if (child + 1 < s->heap_count && s->heap[child + 1] < s->heap[child])
			child++;
		if (s->heap[child] >= moved)
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = moved;
}

static int compare_starts(const void *a, const void *b, void *items_ptr)
{
	const struct extent *items = items_ptr;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;

	if (items[i].start != items[j].start)
		return items[i].start < items[j].start ? -1 : 1;
	return i < j ? -1 : 1;
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* The part [start, last] of an extent. */
static struct extent cut(const struct extent *extent, uint64_t start, uint64_t last)
{
	struct extent piece = *extent;

	piece.offset += start - extent->start;
	piece.start = start;
	piece.last = last;
	return piece;
}

/* Opens an extent: what earlier ones cover of it is given more than once. */
static void sweep_open(struct sweep *s, size_t index, uint64_t *overlap)
{
	const struct extent *e = &s->items[index];

	if (s->covered && e->start <= s->covered_to) {
		uint64_t last = e->last < s->covered_to ? e->last : s->covered_to;

		*overlap = add_saturated(*overlap, last - e->start + 1);
	}
	if (!s->covered || e->last > s->covered_to)
		s->covered_to = e->last;
	s->covered = true;
	heap_push(s, index);
}

static struct error *sweep_run(struct sweep *s, size_t count, struct extent_list *ret)
{
	uint64_t pos = 0;
	size_t next = 0;
	struct error *err;

	while (next < count || s->heap_count) {
		const struct extent *top;
		struct extent piece;

		if (!s->heap_count)
			pos = s->items[s->by_start[next]].start;
		for (; next < count && s->items[s->by_start[next]].start == pos; next++)
			sweep_open(s, s->by_start[next], &ret->overlap);
		top = &s->items[s->heap[0]];
		piece = cut(top, pos, top->last);
		if (next < count && s->items[s->by_start[next]].start <= top->last)
			piece.last = s->items[s->by_start[next]].start - 1;
		err = extent_list_add(ret, &piece);
		if (err)
			return err;
		if (piece.last == UINT64_MAX)
			break;
		pos = piece.last + 1;
		while (s->heap_count && s->items[s->heap[0]].last < pos)
			heap_pop(s);
	}
	return NULL;
}

struct error *extent_list_seal(struct extent_list *list)
{
	struct extent_list sealed = { 0 };
	struct sweep s = { .items = list->items };
	struct error *err = NULL;

	if (!list->count)
		return NULL;
	s.by_start = calloc(list->count, sizeof(*s.by_start));
	s.heap = calloc(list->count, sizeof(*s.heap));
	if (!s.by_start || !s.heap) {
		err = &error_no_memory;
	} else {
		for (size_t i = 0; i < list->count; i++)
			s.by_start[i] = i;
		qsort_r(s.by_start, list->count, sizeof(*s.by_start), compare_starts, list->items);
		err = sweep_run(&s, list->count, &sealed);
	}
	free(s.by_start);
	free(s.heap);
	if (err) {
		extent_list_deinit(&sealed);
		return err;
	}
	extent_list_deinit(list);
	*list = sealed;
	return NULL;
}

size_t extent_list_find(const struct extent_list *list, uint64_t addr)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->items[mid].last < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct extent *extent_list_at(const struct extent_list *list, uint64_t addr)
{
	size_t i = extent_list_find(list, addr);

	return i < list->count && list->items[i].start <= addr ? &list->items[i] : NULL;
}

struct error *extent_check_file(const struct file *file, uint64_t offset, uint64_t length)
{
	if (offset <= file->size && length <= file->size - offset)
		return NULL;
	return error_new(ERROR_CORRUPT,
			 "0x%" PRIx64 " bytes at file offset 0x%" PRIx64
			 ": expected them inside the file, which has 0x%" PRIx64 " bytes",
			 length, offset, file->size);
}
