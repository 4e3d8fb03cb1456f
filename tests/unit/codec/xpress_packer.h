/* SPDX-License-Identifier: MIT */
#ifndef XPRESS_PACKER_H
#define XPRESS_PACKER_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PACKER_ROOM = 2 * 4096 + 64 };

/*
 * A compressor by [MS-XCA] 2.3, plain and slow, with any split of the input into literals and
 * matches: `seed` decides, so that all forms of a length come up.
 */
struct packer {
	uint8_t out[PACKER_ROOM];
	size_t len, flags_at, nibble_at; /* nibble_at 0: none to fill */
	unsigned flags_left;
	uint32_t flags;
};

static inline void packer_put(struct packer *p, uint64_t value, unsigned bytes)
{
	cr_assert(p->len + bytes <= sizeof(p->out));
	for (; bytes; bytes--, value >>= 8)
		p->out[p->len++] = (uint8_t)value;
}

static inline void packer_put_flag(struct packer *p, bool match)
{
	if (!p->flags_left) {
		p->flags_at = p->len;
		packer_put(p, 0, 4);
		p->flags_left = 32;
		p->flags = 0;
	}
	p->flags_left--;
	p->flags |= (uint32_t)match << p->flags_left;
	memcpy(p->out + p->flags_at, &p->flags, sizeof(p->flags));
}

static inline void packer_put_nibble(struct packer *p, unsigned value)
{
	if (p->nibble_at) {
		p->out[p->nibble_at] |= (uint8_t)(value << 4);
		p->nibble_at = 0;
	} else {
		p->nibble_at = p->len;
		packer_put(p, value, 1);
	}
}

static inline void packer_put_match(struct packer *p, size_t distance, size_t length)
{
	size_t rest = length - 3;

	packer_put_flag(p, true);
	packer_put(p, (distance - 1) << 3 | (rest < 7 ? rest : 7), 2);
	if (rest < 7)
		return;
	packer_put_nibble(p, rest < 22 ? (unsigned)rest - 7 : 15);
	if (rest < 22)
		return;
	packer_put(p, rest < 277 ? rest - 22 : 255, 1);
	if (rest >= 277)
		packer_put(p, rest, 2);
}

static inline size_t packer_longest(const uint8_t *in, size_t at, size_t len, size_t *distance_ret)
{
	size_t best = 0;

	for (size_t d = 1; d <= at && d <= 8192; d++) {
		size_t n = 0;

		while (at + n < len && in[at + n] == in[at + n - d])
			n++;
		if (n > best) {
			best = n;
			*distance_ret = d;
		}
	}
	return best;
}

static inline void xpress_pack(struct packer *p, const uint8_t *in, size_t len, unsigned seed)
{
	memset(p, 0, sizeof(*p));
	for (size_t at = 0; at < len;) {
		size_t distance = 0, n = packer_longest(in, at, len, &distance);

		if (n > 3 && rand_r(&seed) % 4 == 0)
			n = 3 + (size_t)rand_r(&seed) % (n - 2);
		if (n < 3) {
			packer_put_flag(p, false);
			packer_put(p, in[at++], 1);
		} else {
			packer_put_match(p, distance, n);
			at += n;
		}
	}
	packer_put_flag(p, true); /* the end */
}

#endif
