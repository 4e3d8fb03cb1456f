/* SPDX-License-Identifier: MIT */
#ifndef CODEC_XPRESS_HUFFMAN_H
#define CODEC_XPRESS_HUFFMAN_H

#include "base/compiler.h"

/*
 * One chunk of LZ77+Huffman of [MS-XCA] 2.1 and 2.2, COMPRESSION_FORMAT_XPRESS_HUFF: 256 bytes of
 * code lengths for 512 symbols (literals, matches), then 16-bit words of bits, highest first, in
 * which the bytes of long lengths lie. What WIM files call XPRESS is the same.
 */
enum { XPRESS_HUFFMAN_CHUNK = 1 << 16 };

/*
 * Decompresses until the output is full: a chunk does not say how long it is. False: out_len is
 * more than XPRESS_HUFFMAN_CHUNK, the code lengths are no prefix code, the input is cut short, a
 * match refers to bytes before the output or goes past its end. *out_len_ret: bytes written, also
 * on failure. Reads and writes only inside [in, in + in_len) and [out, out + out_len).
 */
MUST_CHECK bool xpress_huffman_decompress(const uint8_t *in, size_t in_len, uint8_t *out,
					  size_t out_len, size_t *out_len_ret);

#endif
