/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/sha1.h"

static void expect_digest(const char *bytes, size_t len, const char *expected)
{
	uint8_t digest[SHA1_SIZE];
	char text[2 * SHA1_SIZE + 1];

	sha1((const uint8_t *)bytes, len, digest);
	for (size_t i = 0; i < SHA1_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	cr_expect_str_eq(text, expected, "%zu bytes", len);
}

/* The examples of FIPS 180, and lengths on both sides of where padding takes a second block. */
Test(sha1, digests)
{
	static const char a[1000] = { 0 };

	expect_digest("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	expect_digest("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
	expect_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		      "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	expect_digest(a, 55, "8e8832c642a6a38c74c17fc92ccedc266c108e6c");
	expect_digest(a, 56, "9438e360f578e12c0e0e8ed28e2c125c1cefee16");
	expect_digest(a, 64, "c8d7d0ef0eedfa82d2ea1aa592845b9a6d4b02b7");
	expect_digest(a, 1000, "c577f7a37657053275f3e3ecc06ec22e6b909366");
}
