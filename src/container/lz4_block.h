/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_LZ4_BLOCK_H
#define CONTAINER_LZ4_BLOCK_H

#include "base/compiler.h"

/*
 * What an LZ4 block (lz4, doc/lz4_Block_format.md) decodes to, without decoding it: how many
 * bytes, at most max_len, and whether all of them are zeros. False: it is no sound block.
 */
MUST_CHECK bool lz4_block_measure(const uint8_t *in, size_t len, size_t max_len, size_t *len_ret,
				  bool *zero_ret);
/* XXH32 (xxHash, doc/xxhash_spec.md) with seed 0, the checksum of LZ4 frames. */
uint32_t xxh32(const uint8_t *bytes, size_t len);

#endif
