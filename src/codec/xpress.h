/* SPDX-License-Identifier: MIT */
#ifndef CODEC_XPRESS_H
#define CODEC_XPRESS_H

#include "base/compiler.h"

/*
 * Plain LZ77 of [MS-XCA] 2.3 and 2.4, COMPRESSION_FORMAT_XPRESS: 32 flags at a time, highest bit
 * first; 0 is a literal byte, 1 a match of 16 bits {length - 3: 3, distance - 1: 13}, whose length
 * goes on in a nibble shared by two matches, a byte, 16 and 32 bits.
 */

/*
 * Decompresses until the output is full or the input ends where a match would start, as a
 * compressor ends it. *out_len_ret: bytes written, also on failure. False: the input is cut short
 * or refers to bytes before the output, or a match goes past its end. Reads and writes only inside
 * [in, in + in_len) and [out, out + out_len).
 */
MUST_CHECK bool xpress_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len,
				  size_t *out_len_ret);

#endif
