/* SPDX-License-Identifier: MIT */
#ifndef CODEC_SAMPLES_H
#define CODEC_SAMPLES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What codecs are tried on. */
enum sample_kind {
	SAMPLE_ZEROS,
	SAMPLE_RANDOM,
	SAMPLE_FEW,	 /* random of three values */
	SAMPLE_POINTERS, /* as tables of the kernel: 8 bytes, most of them alike */
	SAMPLE_TEXT,
	SAMPLE_CODE, /* bytes of a program: this one */
	NUM_SAMPLES
};

static const size_t sample_sizes[] = { 0, 1, 2, 3, 17, 255, 4095, 4096, 65535, 65536 };

static inline void sample_fill(uint8_t *out, size_t len, enum sample_kind kind, unsigned seed)
{
	static const char words[] = "the pages of a process are what it was when it was captured ";
	const uint8_t *code = (const uint8_t *)(uintptr_t)sample_fill;

	for (size_t i = 0; i < len; i++) {
		unsigned r = (unsigned)rand_r(&seed);
		uint64_t pointer = 0xfffff80012340000 + (i / 8) * (r % 64 ? 0x40 : r % 4096);

		switch (kind) {
		case SAMPLE_RANDOM:
			out[i] = (uint8_t)(r >> 8);
			break;
		case SAMPLE_FEW:
			out[i] = (uint8_t)(r % 3);
			break;
		case SAMPLE_POINTERS:
			out[i] = (uint8_t)(pointer >> i % 8 * 8);
			break;
		case SAMPLE_TEXT:
			out[i] = (uint8_t)words[(i + r % 97 / 96) % (sizeof(words) - 1)];
			break;
		case SAMPLE_CODE:
			out[i] = code[i % 1024];
			break;
		default:
			out[i] = 0;
			break;
		}
	}
}

#endif
