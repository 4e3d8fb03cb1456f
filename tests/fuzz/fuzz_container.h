/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_CONTAINER_H
#define FUZZ_CONTAINER_H

#include <stdlib.h>

#include "container/container_input.h"
#include "tests/memfile.h"

static inline void fuzz_must(bool holds)
{
	if (!holds)
		abort();
}

/* Reads all of it, piece by piece; what cannot be decoded says why. */
static inline void fuzz_read(const struct file *f)
{
	static uint8_t piece[60 << 10];

	fuzz_must(f->size > 0);
	for (uint64_t at = 0; at < f->size; at += sizeof(piece)) {
		uint64_t left = f->size - at;
		struct error *err =
			file_read(f, at, piece, left < sizeof(piece) ? left : sizeof(piece));

		fuzz_must(!err || error_message(err)[0]);
		error_destroy(err);
	}
}

/* The bytes as one container, whatever its probe says, with little memory and little room. */
static inline void fuzz_container(const struct container_ops *ops, const uint8_t *data, size_t size)
{
	enum { MEMORY = 4 << 20, UNPACKED = 2 << 20 };
	const struct container_options options = { .max_unpacked = UNPACKED, .quiet = true };
	struct file packed, content = { .fd = -1 };
	struct block_cache_stats stats;
	struct block_cache *cache;
	struct diag diag;
	struct error *err;

	memfile_open(&packed, data, size);
	fuzz_must(!block_cache_create(MEMORY, &cache));
	diag_init(&diag, NULL, NULL);
	err = ops->open(&(struct container_input){ .name = ops->name,
						   .file = &packed,
						   .path = "fuzz",
						   .cache = cache,
						   .diag = &diag,
						   .options = &options,
						   .max_unpacked = UNPACKED },
			&content);
	if (err) {
		fuzz_must(error_message(err)[0]);
		error_destroy(err);
	} else if (content.size) {
		fuzz_must(content.size <= UNPACKED);
		fuzz_read(&content);
	}
	file_close(&content);
	file_close(&packed);
	block_cache_stats(cache, &stats);
	fuzz_must(stats.peak <= MEMORY);
	block_cache_destroy(cache);
}

/* LLVMFuzzerTestOneInput() of one container. */
#define FUZZ_CONTAINER(ops)                                          \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) \
	{                                                            \
		if (size && size <= 64 << 10)                        \
			fuzz_container(ops, data, size);             \
		return 0;                                            \
	}

#endif
