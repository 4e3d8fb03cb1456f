/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "base/crc32c.h"

/* Bit by bit, by the definition. */
static uint32_t reference(const uint8_t *bytes, size_t len)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		sum ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
	}
	return ~sum;
}

static void check_vectors(const struct crc32c *crc)
{
	uint8_t bytes[32];

	/* RFC 3720, appendix B.4 */
	memset(bytes, 0, sizeof(bytes));
	cr_expect_eq(crc32c_of(crc, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	cr_expect_eq(crc32c_of(crc, bytes, sizeof(bytes)), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	cr_expect_eq(crc32c_of(crc, bytes, sizeof(bytes)), 0x46dd794e);
	cr_expect_eq(crc32c_of(crc, "123456789", 9), 0xe3069283);
	cr_expect_eq(crc32c_of(crc, "", 0), 0);
}

/* Every length around the stretches that the fast way works in, at odd addresses. */
static void check_lengths(const struct crc32c *crc)
{
	static uint8_t bytes[8192];
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 24);
	}
	for (size_t len = 0; len < 8000; len += len % 3072 < 40 ? 1 : 97) {
		size_t at = len % 9;

		cr_expect_eq(crc32c_of(crc, bytes + at, len), reference(bytes + at, len), "%zu",
			     len);
	}
}

Test(crc32c, tables)
{
	static struct crc32c crc;

	crc32c_init(&crc);
	crc.has_instruction = false;
	check_vectors(&crc);
	check_lengths(&crc);
}

Test(crc32c, what_the_processor_has)
{
	static struct crc32c crc;

	crc32c_init(&crc);
	check_vectors(&crc);
	check_lengths(&crc);
}
