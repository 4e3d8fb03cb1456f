/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#include "base/cursor.h"

#define POLYNOMIAL UINT32_C(0x82f63b78) /* bits reversed: x^31 is bit 0 */

/*
 * The instruction takes 3 cycles and can start every cycle, so three stretches of a buffer are
 * summed side by side. Two of the sums are then moved over what follows them: a carry-less
 * product with x^(8n - 33) mod the polynomial, reduced by the instruction itself, moves a sum over
 * n bytes (the product of two reversed words is short of one power of x, the instruction adds 32).
 */
enum { STRETCH = 1024 };
#define MOVE_1_STRETCH	 UINT32_C(0x170076fa) /* x^(8 * 1024 - 33) */
#define MOVE_2_STRETCHES UINT32_C(0xa51b6135) /* x^(8 * 2048 - 33) */

static void fill_tables(struct crc32c *c)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (unsigned bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
		c->table[0][i] = value;
	}
	for (unsigned t = 1; t < 8; t++) {
		for (unsigned i = 0; i < 256; i++) {
			uint32_t before = c->table[t - 1][i];

			c->table[t][i] = before >> 8 ^ c->table[0][before & 0xff];
		}
	}
}

/* Eight bytes a step, each by the table of how far it is from the step's end. */
static uint32_t sum_by_tables(const struct crc32c *c, uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word = load_u64(p) ^ sum;

		sum = 0;
		for (unsigned i = 0; i < 8; i++, word >>= 8)
			sum ^= c->table[7 - i][word & 0xff];
	}
	for (; len; p++, len--)
		sum = sum >> 8 ^ c->table[0][(sum ^ *p) & 0xff];
	return sum;
}

#ifdef __x86_64__
#include <immintrin.h>

#define WITH_INSTRUCTION __attribute__((target("sse4.2,pclmul")))

static bool find_instruction(void)
{
	return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

WITH_INSTRUCTION static uint64_t moved(uint64_t sum, uint32_t by)
{
	__m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)sum),
					       _mm_cvtsi32_si128((int)by), 0);

	return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

WITH_INSTRUCTION static uint32_t sum_by_instruction(uint32_t start, const uint8_t *p, size_t len)
{
	uint64_t sum = start;

	for (; len >= 3 * STRETCH; p += 3 * STRETCH, len -= 3 * STRETCH) {
		uint64_t second = 0, third = 0;

		for (size_t i = 0; i < STRETCH; i += 8) {
			sum = _mm_crc32_u64(sum, load_u64(p + i));
			second = _mm_crc32_u64(second, load_u64(p + STRETCH + i));
			third = _mm_crc32_u64(third, load_u64(p + 2 * STRETCH + i));
		}
		sum = moved(sum, MOVE_2_STRETCHES) ^ moved(second, MOVE_1_STRETCH) ^ third;
	}
	for (; len >= 8; p += 8, len -= 8)
		sum = _mm_crc32_u64(sum, load_u64(p));
	for (; len; p++, len--)
		sum = _mm_crc32_u8((uint32_t)sum, *p);
	return (uint32_t)sum;
}
#else
static bool find_instruction(void)
{
	return false;
}

static uint32_t sum_by_instruction(uint32_t sum, const uint8_t *p, size_t len)
{
	(void)p;
	(void)len;
	return sum;
}
#endif

void crc32c_init(struct crc32c *c)
{
	fill_tables(c);
	c->has_instruction = find_instruction();
}

uint32_t crc32c_of(const struct crc32c *c, const void *data, size_t len)
{
	return ~(c->has_instruction ? sum_by_instruction(UINT32_MAX, data, len)
				    : sum_by_tables(c, UINT32_MAX, data, len));
}
