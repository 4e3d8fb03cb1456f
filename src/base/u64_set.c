/* SPDX-License-Identifier: MIT */
#include "base/u64_set.h"

#include <stdlib.h>

enum { FIRST_SIZE = 64 }; /* a power of two, as every later size */

/* Where value is, or the free slot where it would go: open addressing, never more than half full.
 */
static size_t slot_of(const uint64_t *slots, size_t size, uint64_t value)
{
	size_t i = (size_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (size - 1);

	while (slots[i] && slots[i] != value)
		i = (i + 1) & (size - 1);
	return i;
}

static struct error *grow(struct u64_set *s)
{
	size_t size = s->size ? s->size * 2 : FIRST_SIZE;
	uint64_t *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return &error_no_memory;
	for (size_t i = 0; i < s->size; i++)
		if (s->slots[i])
			slots[slot_of(slots, size, s->slots[i])] = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->size = size;
	return NULL;
}

struct error *u64_set_add(struct u64_set *s, uint64_t value, bool *new_ret)
{
	struct error *err;
	size_t i;

	if (!value) {
		*new_ret = !s->has_zero;
		s->has_zero = true;
		return NULL;
	}
	if (2 * (s->count + 1) > s->size && (err = grow(s)))
		return err;
	i = slot_of(s->slots, s->size, value);
	*new_ret = !s->slots[i];
	s->count += *new_ret;
	s->slots[i] = value;
	return NULL;
}

bool u64_set_has(const struct u64_set *s, uint64_t value)
{
	if (!value)
		return s->has_zero;
	return s->size && s->slots[slot_of(s->slots, s->size, value)];
}

void u64_set_deinit(struct u64_set *s)
{
	free(s->slots);
	*s = (struct u64_set){ 0 };
}
