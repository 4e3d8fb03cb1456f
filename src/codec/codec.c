/* SPDX-License-Identifier: MIT */
#include "codec/codec.h"

#include <inttypes.h>
#include <limits.h>
#include <lz4.h>
#include <pthread.h>
#include <stdlib.h>
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

#include "codec/lznt1.h"
#include "codec/xpress.h"
#include "codec/xpress_huffman.h"

/*
 * decode: false when the input is no block of this codec or does not fit; *len: room in, bytes
 * written out. A codec without state has NULL for the other two.
 */
struct codec_ops {
	const char *name, *library;
	bool (*decode)(void *state, const uint8_t *in, size_t in_len, uint8_t *out, size_t *len);
	void *(*create)(void);
	void (*destroy)(void *state);
};

static void *inflate_create(int window_bits)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z && inflateInit2(z, window_bits) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static void *zlib_create(void)
{
	return inflate_create(MAX_WBITS);
}

static void *deflate_create(void)
{
	return inflate_create(-MAX_WBITS);
}

static void inflate_destroy(void *state)
{
	inflateEnd(state);
	free(state);
}

static bool inflate_decode(void *state, const uint8_t *in, size_t in_len, uint8_t *out, size_t *len)
{
	z_stream *z = state;

	if (in_len > UINT_MAX || *len > UINT_MAX || inflateReset(z) != Z_OK)
		return false;
	z->next_in = (Bytef *)(uintptr_t)in;
	z->avail_in = (uInt)in_len;
	z->next_out = out;
	z->avail_out = (uInt)*len;
	if (inflate(z, Z_FINISH) != Z_STREAM_END || z->avail_in)
		return false;
	*len = z->total_out;
	return true;
}

static bool lz4_decode(void *state, const uint8_t *in, size_t in_len, uint8_t *out, size_t *len)
{
	int got;

	(void)state;
	if (in_len > INT_MAX || *len > INT_MAX)
		return false;
	got = LZ4_decompress_safe((const char *)in, (char *)out, (int)in_len, (int)*len);
	if (got < 0)
		return false;
	*len = (size_t)got;
	return true;
}

static bool xpress_decode(void *state, const uint8_t *in, size_t in_len, uint8_t *out, size_t *len)
{
	(void)state;
	return xpress_decompress(in, in_len, out, *len, len);
}

#ifdef HAVE_SNAPPY
static bool snappy_decode(void *state, const uint8_t *in, size_t in_len, uint8_t *out, size_t *len)
{
	(void)state;
	return snappy_uncompress((const char *)in, in_len, (char *)out, len) == SNAPPY_OK;
}
#else
#define snappy_decode NULL
#endif

#ifdef HAVE_LZO
static bool lzo_decode(void *state, const uint8_t *in, size_t in_len, uint8_t *out, size_t *len)
{
	lzo_uint got = *len;

	(void)state;
	if (lzo1x_decompress_safe(in, in_len, out, &got, NULL) != LZO_E_OK)
		return false;
	*len = got;
	return true;
}
#else
#define lzo_decode NULL
#endif

#ifdef HAVE_ZSTD
static void *zstd_create(void)
{
	return ZSTD_createDCtx();
}

static void zstd_destroy(void *state)
{
	ZSTD_freeDCtx(state);
}

static bool zstd_decode(void *state, const uint8_t *in, size_t in_len, uint8_t *out, size_t *len)
{
	size_t got = ZSTD_decompressDCtx(state, out, *len, in, in_len);

	if (ZSTD_isError(got))
		return false;
	*len = got;
	return true;
}
#else
#define zstd_create  NULL
#define zstd_destroy NULL
#define zstd_decode  NULL
#endif

static bool xpress_huffman_decode(void *state, const uint8_t *in, size_t in_len, uint8_t *out,
				  size_t *len)
{
	(void)state;
	return xpress_huffman_decompress(in, in_len, out, *len, len);
}

static bool lznt1_decode(void *state, const uint8_t *in, size_t in_len, uint8_t *out, size_t *len)
{
	(void)state;
	return lznt1_decompress(in, in_len, out, *len, len);
}

static const struct codec_ops codecs[NUM_CODECS] = {
	[CODEC_ZLIB] = { "zlib", "zlib", inflate_decode, zlib_create, inflate_destroy },
	[CODEC_DEFLATE] = { "deflate", "zlib", inflate_decode, deflate_create, inflate_destroy },
	[CODEC_LZ4] = { "lz4", "lz4", lz4_decode, NULL, NULL },
	[CODEC_SNAPPY] = { "snappy", "snappy", snappy_decode, NULL, NULL },
	[CODEC_LZO] = { "lzo", "lzo2", lzo_decode, NULL, NULL },
	[CODEC_ZSTD] = { "zstd", "zstd", zstd_decode, zstd_create, zstd_destroy },
	[CODEC_XPRESS] = { "xpress", "", xpress_decode, NULL, NULL },
	[CODEC_XPRESS_HUFFMAN] = { "xpress-huffman", "", xpress_huffman_decode, NULL, NULL },
	[CODEC_LZNT1] = { "lznt1", "", lznt1_decode, NULL, NULL },
};

const char *codec_name(enum codec c)
{
	return codecs[c].name;
}

const char *codec_library(enum codec c)
{
	return codecs[c].library;
}

bool codec_is_built_in(enum codec c)
{
	return codecs[c].decode != NULL;
}

enum { MAX_IDLE = 64 }; /* states kept for use again */

struct decoder {
	const struct codec_ops *ops;
	pthread_mutex_t lock; /* of the idle states */
	void *idle[MAX_IDLE];
	size_t num_idle;
};

struct error *decoder_create(enum codec c, struct decoder **ret)
{
	struct decoder *d;

	if (!codec_is_built_in(c))
		return error_new(ERROR_UNSUPPORTED, "%s-compressed: built without %s",
				 codecs[c].name, codecs[c].library);
	if (!(d = calloc(1, sizeof(*d))))
		return &error_no_memory;
	d->ops = &codecs[c];
	pthread_mutex_init(&d->lock, NULL);
	*ret = d;
	return NULL;
}

void decoder_destroy(struct decoder *d)
{
	if (!d)
		return;
	while (d->num_idle)
		d->ops->destroy(d->idle[--d->num_idle]);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static void *take_state(struct decoder *d)
{
	void *state;

	pthread_mutex_lock(&d->lock);
	state = d->num_idle ? d->idle[--d->num_idle] : NULL;
	pthread_mutex_unlock(&d->lock);
	return state ? state : d->ops->create();
}

static void give_state(struct decoder *d, void *state)
{
	pthread_mutex_lock(&d->lock);
	if (d->num_idle < MAX_IDLE) {
		d->idle[d->num_idle++] = state;
		state = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	if (state)
		d->ops->destroy(state);
}

struct error *decoder_run(struct decoder *d, const void *in, size_t in_len, void *out,
			  size_t out_len, size_t *len_ret)
{
	void *state = NULL;
	bool ok;

	if (d->ops->create && !(state = take_state(d)))
		return &error_no_memory;
	*len_ret = out_len;
	ok = d->ops->decode(state, in, in_len, out, len_ret);
	if (state)
		give_state(d, state);
	if (ok)
		return NULL;
	*len_ret = 0;
	return error_new(ERROR_CORRUPT, "%zu bytes are no %s block of at most %zu bytes", in_len,
			 d->ops->name, out_len);
}

struct error *decoder_run_exact(struct decoder *d, const void *in, size_t in_len, void *out,
				size_t out_len)
{
	size_t len;
	struct error *err = decoder_run(d, in, in_len, out, out_len, &len);

	if (err || len == out_len)
		return err;
	return error_new(ERROR_CORRUPT, "%s block of %zu bytes: expected %zu decoded, found %zu",
			 d->ops->name, in_len, out_len, len);
}
