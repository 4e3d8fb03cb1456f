/* SPDX-License-Identifier: MIT */
#include "base/sha1.h"

#include <string.h>

enum { BLOCK_SIZE = 64, LENGTH_SIZE = 8, NUM_ROUNDS = 80, NUM_WORDS = 5 };

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void store_be32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* f and K of section 4.1.1 and 4.2.1, already added. */
static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
	if (round < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (round < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (round < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void add_block(uint32_t h[NUM_WORDS], const uint8_t block[BLOCK_SIZE])
{
	uint32_t w[NUM_ROUNDS], s[NUM_WORDS];

	for (unsigned i = 0; i < NUM_ROUNDS; i++) {
		if (i < 16)
			w[i] = load_be32(block + 4 * (size_t)i);
		else
			w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	}
	memcpy(s, h, sizeof(s));
	for (unsigned i = 0; i < NUM_ROUNDS; i++) {
		uint32_t next = rotate(s[0], 5) + mix(i, s[1], s[2], s[3]) + s[4] + w[i];

		s[4] = s[3];
		s[3] = s[2];
		s[2] = rotate(s[1], 30);
		s[1] = s[0];
		s[0] = next;
	}
	for (unsigned i = 0; i < NUM_WORDS; i++)
		h[i] += s[i];
}

void sha1(const uint8_t *bytes, size_t len, uint8_t ret[SHA1_SIZE])
{
	uint32_t h[NUM_WORDS] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	uint8_t last[2 * BLOCK_SIZE] = { 0 };
	size_t rest = len % BLOCK_SIZE, size;
	uint64_t bits = (uint64_t)len * 8;

	for (size_t i = 0; i < len / BLOCK_SIZE; i++)
		add_block(h, bytes + i * BLOCK_SIZE);
	/* the rest, a one bit, and the length at the end of the last block */
	if (rest)
		memcpy(last, bytes + len - rest, rest);
	last[rest] = 0x80;
	size = rest < BLOCK_SIZE - LENGTH_SIZE ? BLOCK_SIZE : 2 * BLOCK_SIZE;
	store_be32(last + size - 8, (uint32_t)(bits >> 32));
	store_be32(last + size - 4, (uint32_t)bits);
	for (size_t i = 0; i < size; i += BLOCK_SIZE)
		add_block(h, last + i);
	for (size_t i = 0; i < NUM_WORDS; i++)
		store_be32(ret + 4 * i, h[i]);
}
