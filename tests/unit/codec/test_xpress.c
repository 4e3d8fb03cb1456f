/* SPDX-License-Identifier: MIT */
#include "codec/xpress.h"

#include "xpress_packer.h"

enum { PAGE = 4096 };

/* [MS-XCA] 3, the two examples of plain LZ77. */
Test(xpress, published_examples)
{
	static const uint8_t alphabet[] = {
		0x3f, 0x00, 0x00, 0x00, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
		0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70,
		0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
	};
	static const uint8_t repeated[] = { 0xff, 0xff, 0xff, 0x1f, 0x61, 0x62, 0x63,
					    0x17, 0x00, 0x0f, 0xff, 0x26, 0x01 };
	uint8_t out[512];
	size_t len;

	cr_assert(xpress_decompress(alphabet, sizeof(alphabet), out, sizeof(out), &len));
	cr_assert_eq(len, 26);
	cr_assert_eq(memcmp(out, "abcdefghijklmnopqrstuvwxyz", len), 0);
	cr_assert(xpress_decompress(repeated, sizeof(repeated), out, sizeof(out), &len));
	cr_assert_eq(len, 300);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(out[i], "abc"[i % 3], "%zu", i);
}

static void fill(uint8_t *page, unsigned kind, unsigned seed)
{
	for (size_t i = 0; i < PAGE; i++) {
		switch (kind) {
		case 0:
			page[i] = 0;
			break;
		case 1:
			page[i] = (uint8_t)rand_r(&seed);
			break;
		case 2:
			page[i] = (uint8_t)(rand_r(&seed) % 3);
			break;
		default:
			page[i] = (uint8_t)(i % (3 * kind) < 2 * kind ? i / 64
								      : (size_t)rand_r(&seed) % 7);
			break;
		}
	}
}

Test(xpress, round_trips_and_every_cut)
{
	static uint8_t page[PAGE], out[PAGE];
	static struct packer p;
	size_t len;

	for (unsigned kind = 0; kind < 8; kind++) {
		for (unsigned seed = 1; seed < 6; seed++) {
			fill(page, kind, seed);
			xpress_pack(&p, page, PAGE, seed);
			memset(out, 0xee, sizeof(out));
			cr_assert(xpress_decompress(p.out, p.len, out, PAGE, &len));
			cr_assert_eq(len, PAGE);
			cr_assert_eq(memcmp(out, page, PAGE), 0, "%u, %u", kind, seed);
		}
		/* what is written before the input ends is right, and the end is noticed */
		for (size_t cut = 0; cut < p.len; cut += 1 + p.len / 600) {
			uint8_t *exact = malloc(cut ? cut : 1);

			memcpy(exact, p.out, cut);
			memset(out, 0xee, sizeof(out));
			if (xpress_decompress(exact, cut, out, PAGE, &len))
				cr_assert(len <= PAGE);
			else
				cr_assert(len < PAGE);
			cr_assert_eq(memcmp(out, page, len), 0);
			free(exact);
		}
	}
}

Test(xpress, output_ends_before_a_match_does)
{
	static const uint8_t repeated[] = { 0xff, 0xff, 0xff, 0x1f, 0x61, 0x62, 0x63,
					    0x17, 0x00, 0x0f, 0xff, 0x26, 0x01 };
	size_t len;

	for (size_t room = 0; room < 300; room++) {
		uint8_t *out = malloc(room ? room : 1);
		bool ok = xpress_decompress(repeated, sizeof(repeated), out, room, &len);

		/* full after literals is an end; in a match it is not */
		cr_assert_eq(ok, room <= 3, "%zu", room);
		cr_assert_eq(len, room <= 3 ? room : 3);
		free(out);
	}
}

Test(xpress, damage)
{
	static const struct {
		const char *what;
		uint8_t bytes[16];
		size_t len;
	} rows[] = {
		{ "no flags", { 0 }, 3 },
		{ "before the output", { 0, 0, 0, 0x40, 'a', 0x08, 0x00 }, 7 },
		{ "match at once", { 0, 0, 0, 0x80, 0x00, 0x00 }, 6 },
		{ "half a match", { 0, 0, 0, 0x40, 'a', 0x00 }, 6 },
		{ "no nibble", { 0, 0, 0, 0x40, 'a', 0x07, 0x00 }, 7 },
		{ "no byte", { 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f }, 8 },
		{ "half a word", { 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 0xff, 0x30 }, 10 },
		{ "a long form of a short length",
		  { 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 0xff, 0x15, 0x00 },
		  11 },
		{ "length of 4 GiB",
		  { 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff },
		  15 },
		{ "half of a length of 32 bits",
		  { 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 0xff, 0, 0, 0x40, 0 },
		  13 },
	};
	static uint8_t out[PAGE];
	size_t len;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_not(xpress_decompress(rows[i].bytes, rows[i].len, out, PAGE, &len), "%s",
			      rows[i].what);
}

/* A length of 32 bits is what a word of 0 announces. */
Test(xpress, length_of_32_bits)
{
	static const uint8_t in[] = { 0,    0,	  0, 0x40, 'a',	 0x07, 0x00, 0x0f,
				      0xff, 0x00, 0, 0xfc, 0x0f, 0x00, 0x00 };
	static uint8_t out[PAGE];
	size_t len;

	cr_assert(xpress_decompress(in, sizeof(in), out, PAGE, &len));
	cr_assert_eq(len, PAGE);
	for (size_t i = 0; i < PAGE; i++)
		cr_assert_eq(out[i], 'a');
}
