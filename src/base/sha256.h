/* SPDX-License-Identifier: MIT */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/compiler.h"

/* SHA-256 (FIPS 180-4) of bytes that come piece by piece; by the processor's own instructions
 * where it has them. */
enum { SHA256_SIZE = 32, SHA256_TEXT_SIZE = 2 * SHA256_SIZE + 1 };

struct sha256 {
	uint32_t h[8];
	uint64_t len; /* bytes so far */
	uint8_t block[64];
	bool portable; /* plain C, for tests of it */
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t len);
/* s is spent. */
void sha256_end(struct sha256 *s, uint8_t ret[SHA256_SIZE]);
/* Lower-case hexadecimal digits, with a NUL. */
void sha256_format(const uint8_t sum[SHA256_SIZE], char ret[SHA256_TEXT_SIZE]);

#endif
