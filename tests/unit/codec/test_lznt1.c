/* SPDX-License-Identifier: MIT */
#include "codec/lznt1.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"

enum { CHUNK = 4096 };

static bool decode(const void *in, size_t len, uint8_t *out, size_t room, size_t *len_ret)
{
	/* of its own size, for the sanitizers */
	uint8_t *copy = malloc(len ? len : 1);
	bool ok;

	memcpy(copy, in, len);
	ok = lznt1_decompress(copy, len, out, room, len_ret);
	free(copy);
	return ok;
}

/* [MS-XCA] 3, the example of LZNT1. */
static const uint8_t published[] = {
	0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47,
	0x01, 0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20,
	0x05, 0x24, 0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09,
	0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
};
static const char text[] = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D "
			   "E E F# D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D "
			   "D";

Test(lznt1, published_example)
{
	uint8_t out[sizeof(text) + 8];
	size_t len;

	cr_assert(decode(published, sizeof(published), out, sizeof(out), &len));
	cr_assert_eq(len, sizeof(text));
	cr_assert_eq(memcmp(out, text, len), 0);
	cr_assert(decode(published, sizeof(published), out, sizeof(text), &len));
	cr_assert_not(decode(published, sizeof(published), out, sizeof(text) - 1, &len));
}

Test(lznt1, every_cut_is_noticed_or_ends_at_a_chunk)
{
	uint8_t out[sizeof(text)];
	size_t len;

	for (size_t cut = 2; cut < sizeof(published); cut++)
		cr_expect_not(decode(published, cut, out, sizeof(out), &len), "%zu", cut);
	cr_assert(decode(published, 0, out, sizeof(out), &len));
	cr_expect_eq(len, 0);
}

/* A stored chunk of one value. */
static size_t put_stored(uint8_t *p, size_t len, int value)
{
	store_u16(p, (uint16_t)(0x3000 | (len - 1)));
	memset(p + 2, value, len);
	return 2 + len;
}

Test(lznt1, chunks_follow_each_other)
{
	static uint8_t in[3 * CHUNK], out[3 * CHUNK];
	/* a byte and its copies, as far as 12 bits of length go: 3 + 4095 */
	static const uint8_t run[] = { 0x03, 0xb0, 0x02, 'x', 0xfc, 0x0f };
	size_t used, len;

	used = put_stored(in, CHUNK, 1);
	memcpy(in + used, run, sizeof(run));
	used += sizeof(run);
	used += put_stored(in + used, 5, 2);
	store_u16(in + used, 0); /* the end: what follows does not count */
	memset(in + used + 2, 0xff, 7);
	cr_assert(decode(in, used + 9, out, sizeof(out), &len));
	cr_assert_eq(len, 2 * CHUNK + 5);
	cr_expect_eq(out[CHUNK - 1], 1);
	for (size_t i = CHUNK; i < 2 * CHUNK; i++)
		cr_assert_eq(out[i], 'x', "%zu", i);
	cr_expect_eq(out[2 * CHUNK], 2);
	cr_assert(decode(in, used, out, 2 * CHUNK + 5, &len));
	cr_assert_not(decode(in, used, out, 2 * CHUNK + 4, &len));
}

Test(lznt1, a_short_chunk_is_filled_up)
{
	static uint8_t in[CHUNK], out[2 * CHUNK];
	size_t used, len;

	memset(out, 0x55, sizeof(out));
	used = put_stored(in, 10, 1);
	used += put_stored(in + used, 10, 2);
	cr_assert(decode(in, used, out, sizeof(out), &len));
	cr_assert_eq(len, CHUNK + 10);
	cr_expect_eq(out[9], 1);
	cr_expect_eq(out[10], 0);
	cr_expect_eq(out[CHUNK - 1], 0);
	cr_expect_eq(out[CHUNK], 2);
	cr_assert_not(decode(in, used, out, CHUNK - 1, &len));
}

Test(lznt1, matches_stay_in_their_chunk)
{
	static const uint8_t too_far[] = { 0x03, 0xb0, 0x02, 'x', 0x00, 0x10 };
	static const uint8_t too_early[] = { 0x02, 0xb0, 0x01, 0x00, 0x00 };
	static const uint8_t too_long[] = { 0x03, 0xb0, 0x02, 'x', 0xff, 0x0f };
	uint8_t out[2 * CHUNK];
	size_t len;

	cr_expect_not(decode(too_far, sizeof(too_far), out, sizeof(out), &len));
	cr_expect_not(decode(too_early, sizeof(too_early), out, sizeof(out), &len));
	cr_expect_not(decode(too_long, sizeof(too_long), out, sizeof(out), &len));
}
