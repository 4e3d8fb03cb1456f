/* SPDX-License-Identifier: MIT */
#include "windows/symbols/pdb/name_table.h"

#include <stdlib.h>

#include "base/arena.h"

struct name_entry {
	uint32_t hash, value;
	uint32_t next; /* 1 + index; 0: the end */
};

/* Chains are short unless somebody made them long; a search then gives up. */
enum { MAX_STEPS = 1 << 12 };

/* FNV-1a. */
static uint32_t hash_name(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619U;
	return hash;
}

struct error *name_table_add(struct name_table *t, const char *name, uint32_t value)
{
	struct error *err = array_reserve(&t->entries, &t->capacity, t->count + 1,
					  sizeof(*t->entries), NAME_TABLE_MAX, "names");

	if (err)
		return err;
	t->entries[t->count++] = (struct name_entry){ hash_name(name), value, 0 };
	return NULL;
}

struct error *name_table_link(struct name_table *t)
{
	size_t num_heads = 1;

	while (num_heads < t->count)
		num_heads *= 2;
	t->heads = calloc(num_heads, sizeof(*t->heads));
	if (!t->heads)
		return &error_no_memory;
	t->num_heads = num_heads;
	for (size_t i = 0; i < t->count; i++) {
		uint32_t *head = &t->heads[t->entries[i].hash & (num_heads - 1)];

		t->entries[i].next = *head;
		*head = (uint32_t)i + 1;
	}
	return NULL;
}

void name_table_deinit(struct name_table *t)
{
	free(t->entries);
	free(t->heads);
	*t = (struct name_table){ 0 };
}

void name_search_start(const struct name_table *t, const char *name, struct name_search *ret)
{
	*ret = (struct name_search){ .hash = hash_name(name) };
	if (t->num_heads)
		ret->next = t->heads[ret->hash & (t->num_heads - 1)];
}

bool name_search_next(const struct name_table *t, struct name_search *search, uint32_t *value_ret)
{
	while (search->next && search->steps++ < MAX_STEPS) {
		const struct name_entry *entry = &t->entries[search->next - 1];

		search->next = entry->next;
		if (entry->hash == search->hash) {
			*value_ret = entry->value;
			return true;
		}
	}
	return false;
}
