/* SPDX-License-Identifier: MIT */
#include "container/lz4_block.h"

#include "base/cursor.h"
#include "container/stream.h"

enum { LENGTH_GOES_ON = 15, MIN_MATCH = 4 };

/* A length whose 4 bits are all ones goes on in bytes, up to one that is not 255. */
static bool read_length(const uint8_t **p, const uint8_t *end, size_t bits, size_t *ret)
{
	uint8_t byte;

	*ret = bits;
	if (bits != LENGTH_GOES_ON)
		return true;
	do {
		if (*p == end)
			return false;
		byte = *(*p)++;
		*ret += byte;
	} while (byte == UINT8_MAX);
	return true;
}

bool lz4_block_measure(const uint8_t *in, size_t len, size_t max_len, size_t *len_ret,
		       bool *zero_ret)
{
	const uint8_t *p = in, *end = in + len;
	size_t out = 0, literals, match;
	bool zero = true;

	while (p < end) {
		uint8_t token = *p++;

		if (!read_length(&p, end, token >> 4, &literals) || literals > (size_t)(end - p))
			return false;
		zero = zero && bytes_are_zero(p, literals);
		p += literals;
		out += literals;
		if (p == end) { /* the last sequence is without a match */
			*len_ret = out;
			*zero_ret = zero;
			return out <= max_len;
		}
		if (end - p < 2 || !load_u16(p) || load_u16(p) > out)
			return false;
		p += 2;
		if (!read_length(&p, end, token & 15, &match))
			return false;
		out += match + MIN_MATCH;
		if (out > max_len)
			return false;
	}
	return false;
}

#define PRIME_1 UINT32_C(0x9e3779b1)
#define PRIME_2 UINT32_C(0x85ebca77)
#define PRIME_3 UINT32_C(0xc2b2ae3d)
#define PRIME_4 UINT32_C(0x27d4eb2f)
#define PRIME_5 UINT32_C(0x165667b1)

static uint32_t rotate(uint32_t x, unsigned bits)
{
	return x << bits | x >> (32 - bits);
}

uint32_t xxh32(const uint8_t *bytes, size_t len)
{
	uint32_t lanes[4] = { PRIME_1 + PRIME_2, PRIME_2, 0, 0 - PRIME_1 };
	uint32_t hash = PRIME_5;
	size_t left = len;

	for (; left >= 16; left -= 16) {
		for (unsigned i = 0; i < 4; i++, bytes += 4)
			lanes[i] = rotate(lanes[i] + load_u32(bytes) * PRIME_2, 13) * PRIME_1;
	}
	if (len >= 16)
		hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) +
		       rotate(lanes[3], 18);
	hash += (uint32_t)len;
	for (; left >= 4; left -= 4, bytes += 4)
		hash = rotate(hash + load_u32(bytes) * PRIME_3, 17) * PRIME_4;
	for (; left; left--, bytes++)
		hash = rotate(hash + *bytes * PRIME_5, 11) * PRIME_1;
	hash = (hash ^ hash >> 15) * PRIME_2;
	hash = (hash ^ hash >> 13) * PRIME_3;
	return hash ^ hash >> 16;
}
