/* SPDX-License-Identifier: MIT */
#ifndef XPRESS_HUFFMAN_PACKER_H
#define XPRESS_HUFFMAN_PACKER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * A compressor of one chunk by [MS-XCA] 2.1, plain and slow: any split into literals and matches
 * (`seed` decides), any complete code: `skew` symbols get codes of 1, 2, 3 ... bits, the others
 * share what is left evenly, so that codes of all lengths come up.
 */
enum { HUFFMAN_PACKER_CHUNK = 1 << 16, HUFFMAN_PACKER_ROOM = 3 * HUFFMAN_PACKER_CHUNK };

struct huffman_packer {
	uint8_t out[HUFFMAN_PACKER_ROOM];
	size_t len, slots[2]; /* of words of bits: the one being filled, the next */
	uint32_t word;
	unsigned free_bits;
	uint8_t lengths[512];
	uint16_t codes[512];
	size_t num_steps;
	/* distance 0: a literal, its byte in length; the end is a match of symbol 256 */
	struct {
		uint32_t distance, length;
	} steps[HUFFMAN_PACKER_CHUNK];
};

static inline unsigned huffman_packer_log2(uint32_t value)
{
	unsigned bits = 0;

	while (value >> (bits + 1))
		bits++;
	return bits;
}

static inline unsigned huffman_packer_symbol(uint32_t distance, uint32_t length)
{
	if (!distance)
		return length;
	return 256 + (huffman_packer_log2(distance) << 4) + (length - 3 < 15 ? length - 3 : 15);
}

/* Splits into steps; returns with use[symbol] set for each one there is. */
static inline void huffman_packer_split(struct huffman_packer *p, const uint8_t *in, size_t len,
					unsigned *seed, bool *used)
{
	for (size_t at = 0; at < len;) {
		uint32_t distance = 0, n = 0;

		for (unsigned try = 0; at && try < 24; try++) {
			size_t d = try < 8 ? try + 1u : (unsigned)rand_r(seed) % at + 1;
			size_t m = 0;

			while (d <= at && at + m < len && in[at + m] == in[at + m - d])
				m++;
			if (m > n) {
				n = (uint32_t)m;
				distance = (uint32_t)d;
			}
		}
		if (n > 3 && rand_r(seed) % 4 == 0)
			n = 3 + (unsigned)rand_r(seed) % (n - 2);
		if (n < 3) {
			distance = 0;
			n = in[at];
		}
		p->steps[p->num_steps].distance = distance;
		p->steps[p->num_steps++].length = n;
		used[huffman_packer_symbol(distance, n)] = true;
		at += distance ? n : 1;
	}
	used[256] = true;
}

static inline void huffman_packer_codes(struct huffman_packer *p, const bool *used, unsigned skew)
{
	unsigned count = 0, rank = 0, even, longer, code = 0;

	for (unsigned s = 0; s < 512; s++)
		count += used[s];
	while (skew && (count < skew + 2 || skew + huffman_packer_log2(count - skew) + 1 > 15))
		skew--;
	even = huffman_packer_log2(count - skew);
	longer = 2 * (count - skew - (1u << even)); /* of them have a bit more */
	for (unsigned s = 0; s < 512; s++) {
		if (!used[s])
			continue;
		p->lengths[s] = (uint8_t)(rank < skew		 ? rank + 1
					  : rank - skew < longer ? skew + even + 1
								 : skew + even);
		rank++;
	}
	for (unsigned bits = 1; bits <= 15; bits++, code <<= 1) {
		for (unsigned s = 0; s < 512; s++) {
			if (p->lengths[s] == bits)
				p->codes[s] = (uint16_t)code++;
		}
	}
	for (unsigned s = 0; s < 512; s++)
		p->out[s / 2] |= (uint8_t)(p->lengths[s] << (s % 2 ? 4 : 0));
}

static inline void huffman_packer_word(struct huffman_packer *p, size_t at, uint32_t word)
{
	p->out[at] = (uint8_t)word;
	p->out[at + 1] = (uint8_t)(word >> 8);
}

static inline void huffman_packer_bits(struct huffman_packer *p, uint32_t value, unsigned count)
{
	if (count <= p->free_bits) {
		p->word = p->word << count | value;
		p->free_bits -= count;
		return;
	}
	huffman_packer_word(p, p->slots[0],
			    p->word << p->free_bits | value >> (count - p->free_bits));
	p->slots[0] = p->slots[1];
	p->slots[1] = p->len;
	p->len += 2;
	p->free_bits += 16 - count;
	p->word = value;
}

static inline void huffman_packer_step(struct huffman_packer *p, uint32_t distance, uint32_t length)
{
	unsigned symbol = huffman_packer_symbol(distance, length), bits;

	huffman_packer_bits(p, p->codes[symbol], p->lengths[symbol]);
	if (!distance)
		return;
	if (length - 3 >= 15) {
		p->out[p->len++] = (uint8_t)(length - 3 < 15 + 255 ? length - 3 - 15 : 255);
		if (length - 3 >= 15 + 255) {
			huffman_packer_word(p, p->len, length - 3);
			p->len += 2;
		}
	}
	bits = huffman_packer_log2(distance);
	huffman_packer_bits(p, distance - (1u << bits), bits);
}

/* At most HUFFMAN_PACKER_CHUNK bytes; p->out, p->len are the chunk. */
static inline void xpress_huffman_pack(struct huffman_packer *p, const uint8_t *in, size_t len,
				       unsigned skew, unsigned seed)
{
	bool used[512] = { false };

	memset(p, 0, sizeof(*p));
	huffman_packer_split(p, in, len, &seed, used);
	if (!len)
		used[0] = true; /* a code has two symbols at least */
	huffman_packer_codes(p, used, skew);
	p->slots[0] = 256;
	p->slots[1] = 258;
	p->len = 260;
	p->free_bits = 16;
	for (size_t i = 0; i < p->num_steps; i++)
		huffman_packer_step(p, p->steps[i].distance, p->steps[i].length);
	huffman_packer_bits(p, p->codes[256], p->lengths[256]);
	huffman_packer_word(p, p->slots[0], p->word << p->free_bits);
	huffman_packer_word(p, p->slots[1], 0);
}

#endif
