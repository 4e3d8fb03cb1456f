/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "windows/process/user_process.h"

/*
 * An environment is a block of UTF-16 strings "name=value", each with its NUL, and an empty one at
 * the end (CreateEnvironmentBlock, Windows SDK). Names may begin with '=', as "=C:" does.
 */
struct block {
	const struct user_process *u;
	enum user_view view;
	uint64_t va;
	size_t size; /* at most; the empty string ends it too */
	bool has_size;
	uint8_t *bytes;
	struct arena *arena;
	struct user_variable *items;
	size_t count, capacity;
	bool ended;	  /* the empty string was met */
	struct fault gap; /* the first one; va 0: none */
};

/* Where the string at `at` ends: at its NUL; false if that is not before `end`. */
static bool find_nul(const struct block *b, size_t at, size_t end, size_t *ret)
{
	for (; at + 2 <= end; at += 2) {
		if (load_u16(b->bytes + at) == 0) {
			*ret = at;
			return true;
		}
	}
	return false;
}

static struct error *add_variable(struct block *b, size_t at, size_t end)
{
	struct user_variable v = { .va = b->va + at };
	size_t equals = at + 2;
	struct error *err;

	while (equals < end && load_u16(b->bytes + equals) != '=')
		equals += 2;
	v.name = text_from_utf16(b->arena, b->bytes + at, equals - at, NULL);
	if (!v.name)
		return &error_no_memory;
	if (equals < end) {
		v.value = text_from_utf16(b->arena, b->bytes + equals + 2, end - equals - 2, NULL);
		if (!v.value)
			return &error_no_memory;
	}
	err = array_reserve(&b->items, &b->capacity, b->count + 1, sizeof(*b->items),
			    MAX_ENVIRONMENT_SIZE, "environment variables");
	if (!err)
		b->items[b->count++] = v;
	return err;
}

/* The strings that are whole in [start, end). The first one lacks its front if a gap precedes. */
static struct error *read_stretch(struct block *b, size_t start, size_t end)
{
	struct error *err = NULL;
	size_t at = start, nul;

	if (start) {
		if (!find_nul(b, at, end, &nul))
			return NULL;
		at = nul + 2;
	}
	while (!err && find_nul(b, at, end, &nul)) {
		b->ended = nul == at;
		if (b->ended)
			break;
		err = add_variable(b, at, nul);
		at = nul + 2;
	}
	return err;
}

/* Stretch by stretch between absent pages. Where the block's size is unknown, the first absent page
 * ends it. */
static struct error *read_block(struct block *b)
{
	size_t start = 0, at = 0;
	struct error *err;

	while (at < b->size) {
		uint64_t va = b->va + at;
		size_t len = PAGE_SIZE - (size_t)(va % PAGE_SIZE);
		struct fault fault;

		if (len > b->size - at)
			len = b->size - at;
		if (!space_try_read(b->u->space, va, b->bytes + at, len, &fault)) {
			err = at > start ? read_stretch(b, start, at) : NULL;
			if (err || b->ended)
				return err;
			if (!b->gap.va)
				b->gap = fault;
			if (!b->has_size)
				return NULL;
			start = (at + len + 1) & ~(size_t)1;
		}
		at += len;
	}
	return at > start ? read_stretch(b, start, at) : NULL;
}

static struct error *finish(struct block *b, struct user_environment *ret)
{
	struct user_variable *items = arena_calloc(b->arena, b->count + 1, sizeof(*items));

	if (!items)
		return &error_no_memory;
	if (b->count)
		memcpy(items, b->items, b->count * sizeof(*items));
	*ret = (struct user_environment){ .items = items, .count = b->count };
	if (b->gap.va)
		user_report(b->u, b->view, "a part of the environment", &b->gap);
	else if (!b->ended && b->size == MAX_ENVIRONMENT_SIZE)
		diag_partial(b->u->reader->k->diag,
			     "process %" PRIu64 ": more than %d bytes of environment",
			     b->u->process->pid.value, MAX_ENVIRONMENT_SIZE);
	return NULL;
}

/* Where the parameters say that the block is; false: there is none, or that is absent. */
static bool find_block(struct block *b)
{
	struct object peb =
		object_at(b->u->space, b->u->peb[b->view].value, b->u->reader->fields[b->view]);
	struct object parameters;
	struct opt_u64 size;
	uint64_t va;

	if (!object_u64(&peb, USER_PEB_PARAMETERS, &va)) {
		user_report(b->u, b->view, "PEB", &peb.fault);
		return false;
	}
	parameters = object_at(b->u->space, va, peb.fields);
	if (!va)
		return false;
	if (!object_u64(&parameters, USER_ENVIRONMENT, &b->va)) {
		user_report(b->u, b->view, "process parameters", &parameters.fault);
		return false;
	}
	size = object_opt(&parameters, USER_ENVIRONMENT_SIZE);
	b->has_size = size.present && size.value;
	b->size = MAX_ENVIRONMENT_SIZE;
	if (b->has_size && size.value < b->size)
		b->size = size.value;
	return b->va != 0;
}

struct error *user_environment_read(const struct user_process *u, enum user_view view,
				    struct arena *a, struct user_environment *ret)
{
	struct block b = { .u = u, .view = view, .arena = a };
	struct error *err;

	*ret = (struct user_environment){ 0 };
	if (!u->peb[view].present || !find_block(&b))
		return NULL;
	b.bytes = malloc(b.size);
	err = b.bytes ? read_block(&b) : &error_no_memory;
	if (!err)
		err = finish(&b, ret);
	free(b.bytes);
	free(b.items);
	return err;
}
