/* SPDX-License-Identifier: MIT */
#ifndef BASE_U64_SET_H
#define BASE_U64_SET_H

#include "base/error.h"

/* A set of numbers, such as the addresses that a walk has seen. A zeroed one is empty. */
struct u64_set {
	uint64_t *slots; /* 0: free; the number 0 itself is has_zero */
	size_t count, size;
	bool has_zero;
};

/* *new_ret: it was not there yet. Errors: NO_MEMORY. */
MUST_CHECK struct error *u64_set_add(struct u64_set *s, uint64_t value, bool *new_ret);
bool u64_set_has(const struct u64_set *s, uint64_t value);
void u64_set_deinit(struct u64_set *s);

#endif
