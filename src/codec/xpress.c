/* SPDX-License-Identifier: MIT */
#include "codec/xpress.h"

#include "base/cursor.h"

enum {
	FLAG_BITS = 32,
	MIN_MATCH = 3,
	LENGTH_BITS = 3,
	LENGTH_MAX = 7,	 /* of the match itself: more follows */
	NIBBLE_MAX = 15, /* of the nibble: more follows */
	BYTE_MAX = 255,	 /* of the byte: more follows */
};

struct decoder {
	struct cursor in;
	uint8_t *out;
	size_t out_len, pos;
	bool has_nibble; /* the upper half of a byte that a match before left */
	uint8_t nibble;
};

static bool take_nibble(struct decoder *d, uint32_t *ret)
{
	uint8_t byte;

	if (d->has_nibble) {
		d->has_nibble = false;
		*ret = d->nibble;
		return true;
	}
	if (!cur_u8(&d->in, &byte))
		return false;
	d->has_nibble = true;
	d->nibble = byte >> 4;
	*ret = byte & 0xf;
	return true;
}

/* The rest of a length whose 3 bits are full: *ret counts from MIN_MATCH. */
static bool take_long_length(struct decoder *d, uint32_t *ret)
{
	uint32_t length;
	uint16_t word;
	uint8_t byte;

	if (!take_nibble(d, &length))
		return false;
	if (length < NIBBLE_MAX) {
		*ret = length + LENGTH_MAX;
		return true;
	}
	if (!cur_u8(&d->in, &byte))
		return false;
	if (byte < BYTE_MAX) {
		*ret = byte + NIBBLE_MAX + LENGTH_MAX;
		return true;
	}
	if (!cur_u16(&d->in, &word))
		return false;
	*ret = word;
	if (!word && !cur_u32(&d->in, ret))
		return false;
	/* the long forms say all of the length, which the short ones could not */
	return *ret >= NIBBLE_MAX + LENGTH_MAX;
}

static bool copy_match(struct decoder *d)
{
	uint16_t match;
	uint32_t length;
	size_t distance;

	if (!cur_u16(&d->in, &match))
		return false;
	distance = (size_t)(match >> LENGTH_BITS) + 1;
	length = match & LENGTH_MAX;
	if (length == LENGTH_MAX && !take_long_length(d, &length))
		return false;
	if (distance > d->pos || d->out_len - d->pos < MIN_MATCH ||
	    length > d->out_len - d->pos - MIN_MATCH)
		return false;
	/* byte by byte: a match may overlap what it writes */
	for (size_t end = d->pos + length + MIN_MATCH; d->pos < end; d->pos++)
		d->out[d->pos] = d->out[d->pos - distance];
	return true;
}

static bool decode(struct decoder *d)
{
	uint32_t flags = 0;

	for (unsigned left = 0; d->pos < d->out_len; left--, flags <<= 1) {
		if (!left) {
			if (!cur_u32(&d->in, &flags))
				return false;
			left = FLAG_BITS;
		}
		if (!(flags >> (FLAG_BITS - 1))) {
			if (!cur_u8(&d->in, &d->out[d->pos]))
				return false;
			d->pos++;
		} else if (d->in.pos == d->in.len) {
			return true;
		} else if (!copy_match(d)) {
			return false;
		}
	}
	return true;
}

bool xpress_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len,
		       size_t *out_len_ret)
{
	struct decoder d = { .out = out, .out_len = out_len };
	bool ok;

	cur_init(&d.in, in, in_len, 0);
	ok = decode(&d);
	*out_len_ret = d.pos;
	return ok;
}
