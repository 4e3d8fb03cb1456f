/* SPDX-License-Identifier: MIT */
#include "codec/codec.h"

#include <criterion/criterion.h>
#include <lz4.h>
#include <zlib.h>
#ifdef HAVE_SNAPPY
#include <snappy-c.h>
#endif
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/workers.h"
#include "samples.h"
#include "xpress_huffman_packer.h"
#include "xpress_packer.h"

enum { MAX_SIZE = 65536, ROOM = 3 * MAX_SIZE, PLAIN_PACKER_MAX = 4096, DAMAGED = 512 };

static uint8_t sample[MAX_SIZE], packed[ROOM], out[2 * MAX_SIZE];

/* Compresses sample into packed; the length. */
typedef size_t pack_fn(size_t size);

static size_t pack_deflate_window(size_t size, int window)
{
	z_stream z = { 0 };
	size_t len;

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = sample;
	z.avail_in = (uInt)size;
	z.next_out = packed;
	z.avail_out = sizeof(packed);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	len = z.total_out;
	deflateEnd(&z);
	return len;
}

static size_t pack_zlib(size_t size)
{
	return pack_deflate_window(size, MAX_WBITS);
}

static size_t pack_deflate(size_t size)
{
	return pack_deflate_window(size, -MAX_WBITS);
}

static size_t pack_lz4(size_t size)
{
	return (size_t)LZ4_compress_default((char *)sample, (char *)packed, (int)size,
					    sizeof(packed));
}

#ifdef HAVE_SNAPPY
static size_t pack_snappy(size_t size)
{
	size_t len = sizeof(packed);

	cr_assert_eq(snappy_compress((char *)sample, size, (char *)packed, &len), SNAPPY_OK);
	return len;
}
#endif

#ifdef HAVE_LZO
static size_t pack_lzo(size_t size)
{
	static uint8_t work[LZO1X_1_MEM_COMPRESS] __attribute__((aligned(16)));
	lzo_uint len = sizeof(packed);

	cr_assert_eq(lzo1x_1_compress(sample, size, packed, &len, work), LZO_E_OK);
	return len;
}
#endif

#ifdef HAVE_ZSTD
static size_t pack_zstd(size_t size)
{
	size_t len = ZSTD_compress(packed, sizeof(packed), sample, size, 3);

	cr_assert_not(ZSTD_isError(len));
	return len;
}
#endif

static size_t pack_xpress(size_t size)
{
	static struct packer p;

	xpress_pack(&p, sample, size, 1);
	memcpy(packed, p.out, p.len);
	return p.len;
}

static size_t pack_xpress_huffman(size_t size)
{
	static struct huffman_packer p;

	xpress_huffman_pack(&p, sample, size, 4, 1);
	memcpy(packed, p.out, p.len);
	return p.len;
}

static const struct {
	enum codec codec;
	pack_fn *pack;
	bool knows_its_length; /* more room does not matter */
} rows[] = {
	{ CODEC_ZLIB, pack_zlib, true },      { CODEC_DEFLATE, pack_deflate, true },
	{ CODEC_LZ4, pack_lz4, true },
#ifdef HAVE_SNAPPY
	{ CODEC_SNAPPY, pack_snappy, true },
#endif
#ifdef HAVE_LZO
	{ CODEC_LZO, pack_lzo, true },
#endif
#ifdef HAVE_ZSTD
	{ CODEC_ZSTD, pack_zstd, true },
#endif
	{ CODEC_XPRESS, pack_xpress, false }, { CODEC_XPRESS_HUFFMAN, pack_xpress_huffman, false },
};

static struct decoder *create(enum codec codec)
{
	struct decoder *d;
	struct error *err = decoder_create(codec, &d);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return d;
}

static void expect_exact(struct decoder *d, const void *in, size_t in_len, size_t size)
{
	struct error *err;

	memset(out, 0x5a, sizeof(out));
	err = decoder_run_exact(d, in, in_len, out, size);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
	cr_assert_eq(memcmp(out, sample, size), 0);
	cr_assert_eq(out[size], 0x5a);
}

static void expect_corrupt(struct decoder *d, const void *in, size_t in_len, size_t room)
{
	struct error *err;

	memset(out, 0x5a, sizeof(out));
	err = decoder_run_exact(d, in, in_len, out, room);
	cr_assert_not_null(err);
	cr_assert_eq(error_code(err), ERROR_CORRUPT);
	cr_assert_eq(out[room], 0x5a);
	error_destroy(err);
}

Test(codec, round_trips)
{
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct decoder *d = create(rows[r].codec);

		for (unsigned kind = 0; kind < NUM_SAMPLES; kind++) {
			for (size_t i = 0; i < ARRAY_SIZE(sample_sizes); i++) {
				if (rows[r].codec == CODEC_XPRESS &&
				    sample_sizes[i] > PLAIN_PACKER_MAX)
					break;
				sample_fill(sample, sample_sizes[i], kind, (unsigned)i);
				expect_exact(d, packed, rows[r].pack(sample_sizes[i]),
					     sample_sizes[i]);
			}
		}
		decoder_destroy(d);
	}
}

Test(codec, rooms)
{
	static const size_t sizes[] = { 1, 4095, 4096 };

	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct decoder *d = create(rows[r].codec);

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			size_t len, got;
			struct error *err;

			sample_fill(sample, sizes[i], SAMPLE_POINTERS, 3);
			len = rows[r].pack(sizes[i]);
			if (rows[r].knows_its_length) {
				expect_corrupt(d, packed, len, sizes[i] - 1);
				err = decoder_run(d, packed, len, out, sizes[i] + 1000, &got);
				cr_assert_null(err, "%s", codec_name(rows[r].codec));
				cr_assert_eq(got, sizes[i]);
			}
			expect_corrupt(d, packed, len, sizes[i] + 4096);
		}
		decoder_destroy(d);
	}
}

/* Never a success that is not the sample's bytes, save where the codec has no way to know. */
Test(codec, truncated)
{
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct decoder *d = create(rows[r].codec);
		size_t len;

		sample_fill(sample, DAMAGED, SAMPLE_POINTERS, 5);
		len = rows[r].pack(DAMAGED);
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *exact = malloc(cut + !cut);
			struct error *err;

			memcpy(exact, packed, cut);
			err = decoder_run_exact(d, exact, cut, out, DAMAGED);
			cr_assert(err || memcmp(out, sample, DAMAGED) == 0, "%s: %zu of %zu",
				  codec_name(rows[r].codec), cut, len);
			if (rows[r].knows_its_length)
				cr_assert_not_null(err, "%s: %zu of %zu", codec_name(rows[r].codec),
						   cut, len);
			error_destroy(err);
			free(exact);
		}
		decoder_destroy(d);
	}
}

Test(codec, bytes_behind_the_block)
{
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct decoder *d;
		size_t len;

		if (!rows[r].knows_its_length)
			continue;
		d = create(rows[r].codec);
		sample_fill(sample, DAMAGED, SAMPLE_TEXT, 5);
		len = rows[r].pack(DAMAGED);
		memset(packed + len, 0x77, 16);
		expect_corrupt(d, packed, len + 16, DAMAGED);
		decoder_destroy(d);
	}
}

/* Any byte wrong: an error or some bytes, nothing outside of the room. */
Test(codec, flipped_bits)
{
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct decoder *d = create(rows[r].codec);
		uint8_t *room = malloc(DAMAGED);
		size_t len, got;

		sample_fill(sample, DAMAGED, SAMPLE_TEXT, 5);
		len = rows[r].pack(DAMAGED);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			struct error *err;

			packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
			err = decoder_run(d, packed, len, room, DAMAGED, &got);
			cr_assert(err ? got == 0 : got <= DAMAGED);
			error_destroy(err);
			packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		expect_exact(d, packed, len, DAMAGED); /* the state is as good as new */
		free(room);
		decoder_destroy(d);
	}
}

enum { NUM_TASKS = 200, TASK_SIZE = 4096 };

struct task {
	struct decoder *d;
	size_t len;
};

static struct error *decode_task(void *arg, size_t index)
{
	const struct task *task = arg;
	uint8_t *room = malloc(TASK_SIZE);
	struct error *err;

	(void)index;
	err = decoder_run_exact(task->d, packed, task->len, room, TASK_SIZE);
	if (!err && memcmp(room, sample, TASK_SIZE))
		err = error_new(ERROR_CORRUPT, "other bytes");
	free(room);
	return err;
}

Test(codec, threads)
{
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct task task = { create(rows[r].codec), 0 };
		struct error *err;

		sample_fill(sample, TASK_SIZE, SAMPLE_POINTERS, 1);
		task.len = rows[r].pack(TASK_SIZE);
		err = workers_run(4, NUM_TASKS, decode_task, &task);
		cr_assert_null(err, "%s", err ? error_message(err) : "");
		decoder_destroy(task.d);
	}
}

Test(codec, names)
{
	for (unsigned c = 0; c < NUM_CODECS; c++) {
		struct decoder *d;
		struct error *err;

		cr_assert(codec_name(c)[0] != '\0');
		if (codec_is_built_in(c))
			continue;
		err = decoder_create(c, &d);
		cr_assert_eq(error_code(err), ERROR_UNSUPPORTED);
		cr_assert_not_null(strstr(error_message(err), codec_library(c)));
		error_destroy(err);
	}
	cr_assert(codec_is_built_in(CODEC_XPRESS) && codec_is_built_in(CODEC_XPRESS_HUFFMAN));
	decoder_destroy(NULL);
}
