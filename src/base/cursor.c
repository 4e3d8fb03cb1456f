/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"

#include <inttypes.h>

void cur_init(struct cursor *c, const void *base, size_t len, uint64_t origin)
{
	*c = (struct cursor){ .base = base, .len = len, .origin = origin };
}

bool cur_take(struct cursor *c, size_t len, const uint8_t **ret)
{
	if (len > cur_left(c))
		return false;
	*ret = c->base ? c->base + c->pos : NULL;
	c->pos += len;
	return true;
}

bool cur_u8(struct cursor *c, uint8_t *ret)
{
	const uint8_t *p;

	if (!cur_take(c, sizeof(*ret), &p))
		return false;
	*ret = *p;
	return true;
}

bool cur_u16(struct cursor *c, uint16_t *ret)
{
	const uint8_t *p;

	if (!cur_take(c, sizeof(*ret), &p))
		return false;
	*ret = load_u16(p);
	return true;
}

bool cur_u32(struct cursor *c, uint32_t *ret)
{
	const uint8_t *p;

	if (!cur_take(c, sizeof(*ret), &p))
		return false;
	*ret = load_u32(p);
	return true;
}

bool cur_u64(struct cursor *c, uint64_t *ret)
{
	const uint8_t *p;

	if (!cur_take(c, sizeof(*ret), &p))
		return false;
	*ret = load_u64(p);
	return true;
}

bool cur_copy(struct cursor *c, void *ret, size_t len)
{
	const uint8_t *p;

	if (!cur_take(c, len, &p))
		return false;
	if (len)
		memcpy(ret, p, len);
	return true;
}

bool cur_sub(struct cursor *c, size_t len, struct cursor *ret)
{
	uint64_t origin = cur_offset(c);
	const uint8_t *p;

	if (!cur_take(c, len, &p))
		return false;
	cur_init(ret, p, len, origin);
	return true;
}

bool cur_skip(struct cursor *c, size_t len)
{
	const uint8_t *p;

	return cur_take(c, len, &p);
}

bool cur_seek(struct cursor *c, size_t pos)
{
	if (pos > c->len)
		return false;
	c->pos = pos;
	return true;
}

struct error *cur_error(const struct cursor *c, const char *what)
{
	return error_new(ERROR_CORRUPT, "%s: truncated at 0x%" PRIx64 ", %zu bytes left", what,
			 cur_offset(c), cur_left(c));
}
