/* SPDX-License-Identifier: MIT */
#include "base/sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

enum { BLOCK_SIZE = 64, LENGTH_SIZE = 8, NUM_ROUNDS = 64, NUM_WORDS = 8 };

/* Section 4.2.2. */
static const uint32_t k[NUM_ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void store_be32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

static uint32_t load_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static void make_schedule(const uint8_t *block, uint32_t w[NUM_ROUNDS])
{
	for (unsigned i = 0; i < 16; i++)
		w[i] = load_be32(block + 4 * (size_t)i);
	for (unsigned i = 16; i < NUM_ROUNDS; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

/* Section 6.2.2; a to h are named as there. */
static void add_block_portable(uint32_t sum[NUM_WORDS], const uint8_t *block)
{
	uint32_t a = sum[0], b = sum[1], c = sum[2], d = sum[3];
	uint32_t e = sum[4], f = sum[5], g = sum[6], h = sum[7];
	uint32_t w[NUM_ROUNDS];

	make_schedule(block, w);
	for (unsigned i = 0; i < NUM_ROUNDS; i++) {
		uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
			      ((e & f) ^ (~e & g)) + k[i] + w[i];
		uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
			      ((a & b) ^ (a & c) ^ (b & c));

		h = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + t2;
	}
	sum[0] += a;
	sum[1] += b;
	sum[2] += c;
	sum[3] += d;
	sum[4] += e;
	sum[5] += f;
	sum[6] += g;
	sum[7] += h;
}

static void add_blocks_portable(uint32_t h[NUM_WORDS], const uint8_t *bytes, size_t count)
{
	for (; count; count--, bytes += BLOCK_SIZE)
		add_block_portable(h, bytes);
}

#if defined(__x86_64__)
static bool has_instructions(void)
{
	enum { EBX_SHA = 1 << 29, ECX_SSSE3 = 1 << 9, ECX_SSE41 = 1 << 19 };
	unsigned eax, ebx, ecx, edx;

	if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & EBX_SHA))
		return false;
	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & ECX_SSSE3) && (ecx & ECX_SSE41);
}

/*
 * The instructions (Intel SDM, SHA256RNDS2, SHA256MSG1, SHA256MSG2) want the state as ABEF and
 * CDGH, and four words of the message schedule at a time: m[0..3] are the last sixteen.
 */
__attribute__((target("sha,sse4.1,ssse3"))) static void add_blocks_fast(uint32_t h[NUM_WORDS],
									const uint8_t *bytes,
									size_t count)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)h), 0xb1);
	__m128i high =
		_mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(h + 4)), 0x1b);
	__m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);

	for (; count; count--, bytes += BLOCK_SIZE) {
		__m128i abef_before = abef, cdgh_before = cdgh, m[4];

		for (unsigned i = 0; i < 4; i++)
			m[i] = _mm_shuffle_epi8(
				_mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i)),
				swap);
#pragma GCC unroll 16
		for (unsigned i = 0; i < NUM_ROUNDS / 4; i++) {
			__m128i wk = _mm_add_epi32(
				m[i % 4],
				_mm_loadu_si128((const __m128i *)(const void *)(k + 4 * i)));

			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
			/* the words of sixteen rounds on take the place of these */
			m[i % 4] = _mm_sha256msg2_epu32(
				_mm_add_epi32(_mm_sha256msg1_epu32(m[i % 4], m[(i + 1) % 4]),
					      _mm_alignr_epi8(m[(i + 3) % 4], m[(i + 2) % 4], 4)),
				m[(i + 3) % 4]);
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	low = _mm_shuffle_epi32(abef, 0x1b);
	high = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(high, low, 8));
}
#else
static bool has_instructions(void)
{
	return false;
}

static void add_blocks_fast(uint32_t h[NUM_WORDS], const uint8_t *bytes, size_t count)
{
	add_blocks_portable(h, bytes, count);
}
#endif

static void add_blocks(struct sha256 *s, const uint8_t *bytes, size_t count)
{
	if (s->portable)
		add_blocks_portable(s->h, bytes, count);
	else
		add_blocks_fast(s->h, bytes, count);
}

void sha256_init(struct sha256 *s)
{
	*s = (struct sha256){
		.h = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
		       0x1f83d9ab, 0x5be0cd19 },
		.portable = !has_instructions(),
	};
}

void sha256_add(struct sha256 *s, const void *bytes, size_t len)
{
	size_t used = (size_t)(s->len % BLOCK_SIZE), part = BLOCK_SIZE - used;
	const uint8_t *in = bytes;

	s->len += len;
	if (used && len >= part) {
		memcpy(s->block + used, in, part);
		add_blocks(s, s->block, 1);
		in += part;
		len -= part;
		used = 0;
	}
	if (!used) {
		add_blocks(s, in, len / BLOCK_SIZE);
		in += len - len % BLOCK_SIZE;
		len %= BLOCK_SIZE;
	}
	if (len)
		memcpy(s->block + used, in, len);
}

void sha256_end(struct sha256 *s, uint8_t ret[SHA256_SIZE])
{
	size_t used = (size_t)(s->len % BLOCK_SIZE);
	uint8_t last[2 * BLOCK_SIZE] = { 0 };
	size_t size = used < BLOCK_SIZE - LENGTH_SIZE ? BLOCK_SIZE : 2 * BLOCK_SIZE;
	uint64_t bits = s->len * 8;

	/* the rest, a one bit, and the length at the end of the last block */
	memcpy(last, s->block, used);
	last[used] = 0x80;
	store_be32(last + size - 8, (uint32_t)(bits >> 32));
	store_be32(last + size - 4, (uint32_t)bits);
	add_blocks(s, last, size / BLOCK_SIZE);
	for (size_t i = 0; i < NUM_WORDS; i++)
		store_be32(ret + 4 * i, s->h[i]);
}

void sha256_format(const uint8_t sum[SHA256_SIZE], char ret[SHA256_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_SIZE; i++) {
		ret[2 * i] = digits[sum[i] >> 4];
		ret[2 * i + 1] = digits[sum[i] & 0xf];
	}
	ret[2 * SHA256_SIZE] = '\0';
}
