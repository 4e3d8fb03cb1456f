/* SPDX-License-Identifier: MIT */
#include "report/string_table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024 };

void string_table_init(struct string_table *t)
{
	*t = (struct string_table){ 0 };
	arena_init(&t->arena, 0);
}

void string_table_deinit(struct string_table *t)
{
	arena_deinit(&t->arena);
	free(t->items);
	free(t->slots);
	*t = (struct string_table){ 0 };
}

/* FNV-1a. */
static uint64_t hash_string(const char *s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		hash = (hash ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	return hash;
}

/* Where s is, or the free slot where it belongs. num_slots is a power of two. */
static uint32_t *find_slot(const struct string_table *t, const char *s)
{
	size_t i = hash_string(s) & (t->num_slots - 1);

	while (t->slots[i] && strcmp(t->items[t->slots[i] - 1], s) != 0)
		i = (i + 1) & (t->num_slots - 1);
	return &t->slots[i];
}

/* At most half of the slots are taken. */
static struct error *make_room(struct string_table *t)
{
	size_t old = t->num_slots;
	uint32_t *slots = t->slots;

	if (t->count < old / 2)
		return NULL;
	t->num_slots = old ? 2 * old : FIRST_SLOTS;
	t->slots = calloc(t->num_slots, sizeof(*t->slots));
	if (!t->slots) {
		t->slots = slots;
		t->num_slots = old;
		return &error_no_memory;
	}
	for (size_t i = 0; i < old; i++) {
		if (slots[i])
			*find_slot(t, t->items[slots[i] - 1]) = slots[i];
	}
	free(slots);
	return NULL;
}

struct error *string_table_add(struct string_table *t, const char *s, size_t *ret)
{
	struct error *err;
	uint32_t *slot;

	if ((err = make_room(t)) != NULL)
		return err;
	slot = find_slot(t, s);
	if (!*slot) {
		err = array_reserve(&t->items, &t->capacity, t->count + 1, sizeof(*t->items),
				    STRING_TABLE_MAX, "strings of a report");
		if (err)
			return err;
		if (!(t->items[t->count] = arena_strdup(&t->arena, s)))
			return &error_no_memory;
		*slot = (uint32_t)++t->count;
	}
	*ret = *slot - 1;
	return NULL;
}
