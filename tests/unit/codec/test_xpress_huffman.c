/* SPDX-License-Identifier: MIT */
#include "codec/xpress_huffman.h"

#include <criterion/criterion.h>
#include <wimlib.h>

#include "base/compiler.h"
#include "samples.h"
#include "xpress_huffman_packer.h"

enum { CHUNK = XPRESS_HUFFMAN_CHUNK, LEVEL = 50 };

static uint8_t sample[CHUNK], packed[2 * CHUNK], out[CHUNK + 1];
static struct huffman_packer packer;

static bool decode(const uint8_t *in, size_t in_len, size_t room, size_t *len)
{
	bool ok;

	memset(out, 0x5a, sizeof(out));
	ok = xpress_huffman_decompress(in, in_len, out, room, len);
	cr_assert(*len <= room);
	cr_assert_eq(out[room], 0x5a);
	return ok;
}

static void expect_sample(const uint8_t *in, size_t in_len, size_t size)
{
	size_t len;

	cr_assert(decode(in, in_len, size, &len), "%zu bytes", size);
	cr_assert_eq(len, size);
	cr_assert_eq(memcmp(out, sample, size), 0, "%zu bytes", size);
}

/* [MS-XCA] 3.2: the two examples of LZ77+Huffman. */
Test(xpress_huffman, published_examples)
{
	static const uint8_t letters[] = { 0x50, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
					   0x55, 0x55, 0x55, 0x55, 0x45, 0x44, 0x04 };
	static const uint8_t alphabet[] = { 0xd8, 0x52, 0x3e, 0xd7, 0x94, 0x11, 0x5b,
					    0xe9, 0x19, 0x5f, 0xf9, 0xd6, 0x7c, 0xdf,
					    0x8d, 0x04, 0x00, 0x00, 0x00, 0x00 };
	static const uint8_t repeated[] = { 0xa8, 0xdc, 0x00, 0x00, 0xff, 0x26, 0x01 };
	uint8_t in[256 + sizeof(alphabet)] = { 0 };
	size_t len;

	memcpy(in + 'a' / 2, letters, sizeof(letters));
	in[128] = 0x04;
	memcpy(in + 256, alphabet, sizeof(alphabet));
	cr_assert(decode(in, sizeof(in), 26, &len));
	cr_assert_eq(memcmp(out, "abcdefghijklmnopqrstuvwxyz", 26), 0);
	memset(in, 0, sizeof(in));
	in['a' / 2] = 0x30;
	in['b' / 2] = 0x23;
	in[128] = 0x02;
	in[143] = 0x20;
	memcpy(in + 256, repeated, sizeof(repeated));
	cr_assert(decode(in, 256 + sizeof(repeated), 300, &len));
	for (size_t i = 0; i < 300; i++)
		cr_assert_eq(out[i], "abc"[i % 3], "%zu", i);
}

/* wimlib compresses, we decompress; it leaves to the caller what it cannot make smaller. */
Test(xpress_huffman, reads_what_wimlib_writes)
{
	struct wimlib_compressor *c;
	size_t blocks = 0;

	cr_assert_eq(wimlib_create_compressor(WIMLIB_COMPRESSION_TYPE_XPRESS, CHUNK, LEVEL, &c), 0);
	for (unsigned kind = 0; kind < NUM_SAMPLES; kind++) {
		for (size_t i = 0; i < ARRAY_SIZE(sample_sizes); i++) {
			size_t size = sample_sizes[i], len;

			sample_fill(sample, size, kind, (unsigned)i);
			len = wimlib_compress(sample, size, packed, sizeof(packed), c);
			if (!len)
				continue;
			expect_sample(packed, len, size);
			blocks++;
		}
	}
	cr_assert(blocks > 20, "%zu", blocks);
	wimlib_free_compressor(c);
}

/* We compress by the specification; both decompress. */
Test(xpress_huffman, agrees_with_wimlib)
{
	struct wimlib_decompressor *d;

	cr_assert_eq(wimlib_create_decompressor(WIMLIB_COMPRESSION_TYPE_XPRESS, CHUNK, &d), 0);
	for (unsigned kind = 0; kind < NUM_SAMPLES; kind++) {
		for (size_t i = 0; i < ARRAY_SIZE(sample_sizes); i++) {
			size_t size = sample_sizes[i];

			for (unsigned skew = 0; skew<15; skew += size> 4096 ? 4 : 1) {
				sample_fill(sample, size, kind, skew);
				xpress_huffman_pack(&packer, sample, size, skew, kind + 1);
				expect_sample(packer.out, packer.len, size);
				memset(out, 0, sizeof(out));
				if (size)
					cr_assert_eq(wimlib_decompress(packer.out, packer.len, out,
								       size, d),
						     0);
				cr_assert_eq(memcmp(out, sample, size), 0);
			}
		}
	}
	wimlib_free_decompressor(d);
}

/* What was written before the input ends is right, and the end is noticed: the last code that is
 * needed may lie before the words that end the chunk. */
Test(xpress_huffman, every_cut)
{
	enum { SIZE = 4096, TAIL = 5 };
	size_t len;

	for (unsigned kind = 0; kind < NUM_SAMPLES; kind++) {
		sample_fill(sample, SIZE, kind, 7);
		xpress_huffman_pack(&packer, sample, SIZE, 3, kind + 1);
		for (size_t cut = 0; cut < packer.len; cut++) {
			uint8_t *exact = malloc(cut + !cut);

			memcpy(exact, packer.out, cut);
			if (decode(exact, cut, SIZE, &len))
				cr_assert(cut + TAIL >= packer.len && len == SIZE, "%u: %zu of %zu",
					  kind, cut, packer.len);
			else
				cr_assert(len < SIZE);
			cr_assert_eq(memcmp(out, sample, len), 0, "%u: %zu", kind, cut);
			free(exact);
		}
	}
}

/* Less room: what fits, unless a match crosses the end. More room: never a page more. */
Test(xpress_huffman, other_rooms)
{
	enum { SIZE = 5000 };
	size_t len;

	sample_fill(sample, SIZE, SAMPLE_TEXT, 1);
	xpress_huffman_pack(&packer, sample, SIZE, 2, 1);
	for (size_t room = 0; room < SIZE; room++) {
		if (decode(packer.out, packer.len, room, &len))
			cr_assert_eq(len, room);
		cr_assert_eq(memcmp(out, sample, len), 0, "%zu", room);
	}
	cr_assert_not(decode(packer.out, packer.len, SIZE + 4096, &len));
	cr_assert(len < SIZE + 4096);
	cr_assert_not(xpress_huffman_decompress(packer.out, packer.len, out, CHUNK + 1, &len));
	cr_assert_eq(len, 0);
}

Test(xpress_huffman, damage)
{
	static const struct {
		const char *what;
		struct {
			uint16_t at;
			uint8_t value;
		} bytes[8];
	} rows[] = {
		{ "no codes", { { 0 } } },
		{ "one code of one bit", { { 0, 0x01 } } },
		{ "three codes of one bit", { { 0, 0x11 }, { 1, 0x01 } } },
		{ "a match at once", { { 0, 0x01 }, { 128, 0x01 }, { 257, 0x80 } } },
		/* 'a' 0, 256 + 15 * 16 (distance 32 KiB) 1 */
		{ "before the output", { { 48, 0x10 }, { 248, 0x01 }, { 257, 0x40 } } },
		/* a word of a length that a byte could say: 'a' 0, 256 + 15 1 */
		{ "a long form of a short length",
		  { { 48, 0x10 }, { 135, 0x10 }, { 257, 0x40 }, { 260, 255 }, { 261, 14 } } },
		{ "a match past the end",
		  { { 48, 0x10 }, { 135, 0x10 }, { 257, 0x40 }, { 260, 255 }, { 262, 0x40 } } },
	};
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t in[256 + 64] = { 0 };

		for (size_t n = 0; n < ARRAY_SIZE(rows[i].bytes); n++)
			in[rows[i].bytes[n].at] |= rows[i].bytes[n].value;
		cr_expect_not(decode(in, sizeof(in), 4096, &len), "%s", rows[i].what);
		cr_expect(len <= 1, "%s: %zu", rows[i].what, len);
	}
}
