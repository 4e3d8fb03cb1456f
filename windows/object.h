/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_OBJECT_H
#define WINDOWS_OBJECT_H

#include "base/opt.h"
#include "windows/profile.h"

/*
 * A structure in memory: an address in a space and the bound fields of its type. Each accessor
 * reads just its field, so that one absent page costs only the fields in it. False when the
 * build has no such field or its bytes are absent; then `fault` tells which (fault.va 0: no
 * such field).
 */
struct object {
	struct space *space;
	uint64_t va;
	const struct field *fields;
	struct fault fault; /* of the last accessor that returned false */
};

static inline struct object object_at(struct space *s, uint64_t va, const struct field *fields)
{
	return (struct object){ .space = s, .va = va, .fields = fields };
}
/* Numbers of 1, 2, 4 or 8 bytes, bit fields included, zero-extended. */
MUST_CHECK bool object_u64(struct object *o, unsigned field, uint64_t *ret);
/* The same; absent where object_u64() is false. */
struct opt_u64 object_opt(struct object *o, unsigned field);
/* The same where 0 says that there is none: pointers, times. */
struct opt_u64 object_nonzero(struct object *o, unsigned field);
/* Address of the field itself (embedded list heads, strings); false if the build lacks it. */
MUST_CHECK bool object_address(const struct object *o, unsigned field, uint64_t *ret);
/* A pointer whose low 4 bits are a reference count (_EX_FAST_REF). */
MUST_CHECK bool object_fast_ref(struct object *o, unsigned field, uint64_t *ret);
/* An inline, NUL-padded ANSI array. NULL *ret never on true. */
MUST_CHECK bool object_ansi(struct object *o, unsigned field, struct arena *a, char **ret);
/* An embedded UNICODE_STRING, its buffer read from `s` (the space may differ). An empty string
 * is "". */
MUST_CHECK bool object_unicode(struct object *o, unsigned field, struct space *s, struct arena *a,
			       char **ret);

/* UNICODE_STRING at va: 64-bit {Length u16 @0, MaximumLength u16 @2, Buffer u64 @8} or 32-bit
 * {.., Buffer u32 @4}. Length must be even, at most 64 KiB by type. On false *fault says where. */
MUST_CHECK bool read_unicode_string(struct space *s, uint64_t va, bool is_32bit, struct arena *a,
				    char **ret, struct fault *fault);

#endif
