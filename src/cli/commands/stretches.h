/* SPDX-License-Identifier: MIT */
#ifndef CLI_STRETCHES_H
#define CLI_STRETCHES_H

#include "memory/space.h"

/*
 * A range of a space in order, as stretches of bytes and of absence. Stretches are at most a page
 * of bytes, or the hole of a page-table entry; neighbours may be alike. An error ends the pass.
 */
struct stretch_sink {
	struct error *(*bytes)(void *arg, uint64_t va, const uint8_t *bytes, size_t len,
			       enum va_state state);
	struct error *(*gap)(void *arg, uint64_t va, uint64_t len, enum va_state state);
	bool (*enough)(void *arg); /* ends the pass early; NULL: never */
	void *arg;
};

/* [va, va + len), which must not wrap. Holes cost one step, however large. */
MUST_CHECK struct error *stretches_pass(struct space *s, uint64_t va, uint64_t len,
					const struct stretch_sink *out);

#endif
