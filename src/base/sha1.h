/* SPDX-License-Identifier: MIT */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include "base/compiler.h"

/* SHA-1 (FIPS 180-4): not for security, but as Windows makes names into numbers with it. */
enum { SHA1_SIZE = 20 };
void sha1(const uint8_t *bytes, size_t len, uint8_t ret[SHA1_SIZE]);

#endif
