/* SPDX-License-Identifier: MIT */
#include "codec/lznt1.h"

#include "base/cursor.h"

enum {
	CHUNK = 4096,
	LENGTH_MASK = 0x0fff, /* of a chunk's header: bytes of data, less one */
	IS_COMPRESSED = 0x8000,
	MIN_MATCH = 3,
	MIN_DISTANCE_BITS = 4,
};

/* How many of a match's 16 bits are its distance: as many as reach the chunk's begin, at least 4.
 */
static unsigned distance_bits(size_t done)
{
	unsigned bits = MIN_DISTANCE_BITS;

	while (done > (size_t)1 << bits)
		bits++;
	return bits;
}

/* One match at `done` bytes of the chunk, of which `room` bytes fit. */
static bool copy_match(struct cursor *c, uint8_t *out, size_t room, size_t *done)
{
	uint16_t word;
	unsigned length_bits;
	size_t length, distance;

	if (!*done || !cur_u16(c, &word))
		return false;
	length_bits = 16 - distance_bits(*done);
	length = (word & ((1u << length_bits) - 1)) + MIN_MATCH;
	distance = (size_t)(word >> length_bits) + 1;
	if (distance > *done || length > room - *done)
		return false;
	for (; length; length--, ++*done) /* it may overlap itself */
		out[*done] = out[*done - distance];
	return true;
}

/* *done: the bytes of the chunk, at most `room`. */
static bool decode_chunk(struct cursor *c, uint8_t *out, size_t room, size_t *done)
{
	*done = 0;
	while (cur_left(c)) {
		uint8_t flags;

		if (!cur_u8(c, &flags))
			return false;
		for (unsigned i = 0; i < 8 && cur_left(c); i++, flags >>= 1) {
			if (flags & 1) {
				if (!copy_match(c, out, room, done))
					return false;
			} else if (*done == room || !cur_u8(c, &out[(*done)++])) {
				return false;
			}
		}
	}
	return true;
}

bool lznt1_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len,
		      size_t *len_ret)
{
	size_t done = 0, last = 0; /* bytes before the last chunk, and in it */
	struct cursor c, chunk;
	uint16_t header;

	cur_init(&c, in, in_len, 0);
	/* A header of zero ends the stream as well. */
	while (cur_left(&c) >= sizeof(header) && cur_u16(&c, &header) && header) {
		size_t len = (size_t)(header & LENGTH_MASK) + 1, room;

		if (last && last < CHUNK) {
			if (out_len - done < CHUNK)
				return false;
			memset(out + done + last, 0, CHUNK - last);
		}
		if (last)
			done += CHUNK;
		room = out_len - done < CHUNK ? out_len - done : CHUNK;
		if (!cur_sub(&c, len, &chunk))
			return false;
		if (header & IS_COMPRESSED) {
			if (!decode_chunk(&chunk, out + done, room, &last))
				return false;
		} else {
			if (len > room || !cur_copy(&chunk, out + done, len))
				return false;
			last = len;
		}
	}
	*len_ret = done + last;
	return true;
}
