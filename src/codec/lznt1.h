/* SPDX-License-Identifier: MIT */
#ifndef CODEC_LZNT1_H
#define CODEC_LZNT1_H

#include "base/compiler.h"

/*
 * LZNT1 of [MS-XCA] section 2.5, what RtlDecompressBuffer takes: chunks of 4096 bytes. Decodes all
 * of in; *len_ret bytes were written, at most out_len. A chunk that is short and not the last one
 * is filled up with zeros, as Windows does. False when in is no whole stream.
 */
MUST_CHECK bool lznt1_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len,
				 size_t *len_ret);

#endif
