/* SPDX-License-Identifier: MIT */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <string.h>

#include "base/error.h"

/*
 * Reads little-endian values from bytes that nobody vouches for. Each read returns false and
 * moves nothing when the bytes are not all there. A cursor never owns its bytes.
 */
struct cursor {
	const uint8_t *base;
	size_t len, pos;
	uint64_t origin; /* offset of base[0] in the file (or address), for messages */
};

void cur_init(struct cursor *c, const void *base, size_t len, uint64_t origin);

MUST_CHECK bool cur_u8(struct cursor *c, uint8_t *ret);
MUST_CHECK bool cur_u16(struct cursor *c, uint16_t *ret);
MUST_CHECK bool cur_u32(struct cursor *c, uint32_t *ret);
MUST_CHECK bool cur_u64(struct cursor *c, uint64_t *ret);
/* A borrowed pointer to the next len bytes. */
MUST_CHECK bool cur_take(struct cursor *c, size_t len, const uint8_t **ret);
MUST_CHECK bool cur_copy(struct cursor *c, void *ret, size_t len);
/* A child that sees just the next len bytes; the parent moves past them. */
MUST_CHECK bool cur_sub(struct cursor *c, size_t len, struct cursor *ret);
MUST_CHECK bool cur_skip(struct cursor *c, size_t len);
MUST_CHECK bool cur_seek(struct cursor *c, size_t pos);
static inline size_t cur_left(const struct cursor *c)
{
	return c->len - c->pos;
}
static inline uint64_t cur_offset(const struct cursor *c)
{
	return c->origin + c->pos;
}
/* ERROR_CORRUPT "what: truncated at OFFSET, N bytes left". */
MUST_CHECK struct error *cur_error(const struct cursor *c, const char *what);

/* Unaligned little-endian loads and stores where the range is known to be good. Inline: scans
 * spend their time here. The host is little-endian. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hosts are little-endian");

static inline uint16_t load_u16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store_u16(void *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void store_u32(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void store_u64(void *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

#endif
