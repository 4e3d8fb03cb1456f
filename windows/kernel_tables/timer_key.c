/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "windows/kernel/kernel_address.h"
#include "windows/kernel_tables/timers.h"

enum {
	NUM_ROTATIONS = 64,
	MAX_SAMPLE = 4096,   /* timers that a guess looks at */
	MAX_BAD_PERCENT = 5, /* of the timers with a DPC: a list may hold what is torn */
};

static uint64_t rol64(uint64_t v, unsigned by)
{
	return by ? v << by | v >> (64 - by) : v;
}

struct timer_key timer_key_from(uint64_t wait_never, uint64_t wait_always)
{
	unsigned rotation = wait_never % NUM_ROTATIONS;

	return (struct timer_key){
		.known = true,
		.rotation = rotation,
		.constant = __builtin_bswap64(rol64(wait_never, rotation)) ^ wait_always,
	};
}

uint64_t timer_decode_dpc(const struct timer_key *key, uint64_t stored, uint64_t timer)
{
	return __builtin_bswap64(rol64(stored, key->rotation) ^ timer) ^ key->constant;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The value that comes most often, and how often. */
static size_t most_frequent(uint64_t *values, size_t count, uint64_t *ret)
{
	size_t best = 0, run = 0;

	qsort(values, count, sizeof(*values), compare);
	for (size_t i = 0; i < count; i++) {
		run = i && values[i] == values[i - 1] ? run + 1 : 1;
		if (run > best) {
			best = run;
			*ret = values[i];
		}
	}
	return best;
}

/* Do the timers that have a DPC have it at an address? */
static bool makes_sense(const struct timer_key *key, const struct timer *timers, size_t count)
{
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t dpc;

		if (!timers[i].stored_dpc.present)
			continue;
		dpc = timer_decode_dpc(key, timers[i].stored_dpc.value, timers[i].timer);
		if (dpc && kernel_address_is_plausible(dpc) && dpc % sizeof(dpc) == 0)
			good++;
		else if (dpc)
			bad++;
	}
	return good && bad * 100 <= (good + bad) * MAX_BAD_PERCENT;
}

struct error *timer_key_guess(const struct timer *timers, size_t count, struct timer_key *ret)
{
	size_t sample = count < MAX_SAMPLE ? count : MAX_SAMPLE, most = MIN_KEY_TIMERS - 1;
	uint64_t *values = calloc(sample + 1, sizeof(*values));

	*ret = (struct timer_key){ .known = false };
	if (!values)
		return &error_no_memory;
	for (unsigned r = 0; r < NUM_ROTATIONS; r++) {
		struct timer_key key = { .known = true, .rotation = r };
		size_t n = 0, times;

		for (size_t i = 0; i < sample; i++) {
			if (timers[i].stored_dpc.present)
				values[n++] = timer_decode_dpc(&key, timers[i].stored_dpc.value,
							       timers[i].timer);
		}
		times = most_frequent(values, n, &key.constant);
		if (times > most && makes_sense(&key, timers, count)) {
			most = times;
			*ret = key;
		}
	}
	free(values);
	return NULL;
}
