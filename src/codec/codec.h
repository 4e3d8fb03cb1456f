/* SPDX-License-Identifier: MIT */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include "base/error.h"

/*
 * Decompression of whole blocks, each by its well-kept library or our own code. A codec whose
 * library was not there when the program was built is known by name and says so.
 */
enum codec {
	CODEC_ZLIB,	      /* RFC 1950 */
	CODEC_DEFLATE,	      /* RFC 1951, raw */
	CODEC_LZ4,	      /* one LZ4 block, no frame */
	CODEC_SNAPPY,	      /* one snappy block, no frame */
	CODEC_LZO,	      /* LZO1X */
	CODEC_ZSTD,	      /* one or more zstd frames */
	CODEC_XPRESS,	      /* [MS-XCA] plain LZ77 */
	CODEC_XPRESS_HUFFMAN, /* [MS-XCA] LZ77 + Huffman: one chunk, see below */
	CODEC_LZNT1,	      /* [MS-XCA] LZNT1 */
	NUM_CODECS
};

const char *codec_name(enum codec c);	 /* "zlib", "xpress-huffman", ... */
const char *codec_library(enum codec c); /* "zlib", "lzo2"; "" for our own */
bool codec_is_built_in(enum codec c);

/* Decodes blocks of one codec on any number of threads; keeps the states that libraries need. */
struct decoder;

/* Errors: UNSUPPORTED "... built without LIBRARY", NO_MEMORY. */
MUST_CHECK struct error *decoder_create(enum codec c, struct decoder **ret);
void decoder_destroy(struct decoder *d); /* NULL ok */

/*
 * Decodes all of in; *len_ret bytes were written, at most out_len. Errors: CORRUPT when in is not
 * one whole block of this codec, or would decode to more than out_len bytes. An XPRESS-Huffman
 * chunk does not say how long it is: it decodes to all of out_len, at most 64 KiB.
 */
MUST_CHECK struct error *decoder_run(struct decoder *d, const void *in, size_t in_len, void *out,
				     size_t out_len, size_t *len_ret);
/* The same of a block that must decode to exactly out_len bytes. */
MUST_CHECK struct error *decoder_run_exact(struct decoder *d, const void *in, size_t in_len,
					   void *out, size_t out_len);

#endif
