/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/sha256.h"

/* In one piece, and in pieces of each size up to two blocks; by instructions and without. */
static void expect_digest(const char *bytes, size_t len, const char *expected)
{
	for (size_t piece = 0; piece <= 130; piece++) {
		uint8_t digest[SHA256_SIZE];
		char text[SHA256_TEXT_SIZE];
		struct sha256 s;

		sha256_init(&s);
		s.portable |= piece % 2;
		for (size_t at = 0; at < len;) {
			size_t part = piece && piece < len - at ? piece : len - at;

			sha256_add(&s, bytes + at, part);
			at += part;
		}
		sha256_end(&s, digest);
		sha256_format(digest, text);
		cr_assert_str_eq(text, expected, "%zu bytes, pieces of %zu", len, piece);
	}
}

/* The examples of FIPS 180, and lengths on both sides of where padding takes a second block. */
Test(sha256, digests)
{
	static const char zeros[1000] = { 0 };

	expect_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	expect_digest(zeros, 55,
		      "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
	expect_digest(zeros, 56,
		      "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb");
	expect_digest(zeros, 64,
		      "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
	expect_digest(zeros, 1000,
		      "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53");
}

/* The last example of FIPS 180: a million times 'a'. */
Test(sha256, long_digest)
{
	char *a = malloc(1000000);

	cr_assert_not_null(a);
	memset(a, 'a', 1000000);
	for (int portable = 0; portable < 2; portable++) {
		uint8_t digest[SHA256_SIZE];
		char text[SHA256_TEXT_SIZE];
		struct sha256 s;

		sha256_init(&s);
		s.portable |= portable;
		sha256_add(&s, a, 1000000);
		sha256_end(&s, digest);
		sha256_format(digest, text);
		cr_expect_str_eq(
			text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
	free(a);
}
