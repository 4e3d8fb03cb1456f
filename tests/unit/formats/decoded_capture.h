/* SPDX-License-Identifier: MIT */
#ifndef DECODED_CAPTURE_H
#define DECODED_CAPTURE_H

#include "capture_check.h"
#include "memory/block_file.h"

/* A capture as a container holds it: no byte is mapped, and one block cannot be decoded. */
enum { DECODED_BLOCK = 512 };

struct decoded {
	const struct capture *capture;
	uint64_t damaged; /* index of the block; UINT64_MAX: none */
	struct block_cache *cache;
};

static inline struct error *decoded_block(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	const struct decoded *d = arg;

	if (index == d->damaged)
		return error_new(ERROR_CORRUPT, "block %lu is damaged", (long)index);
	memcpy(buf, d->capture->bytes + index * DECODED_BLOCK, len);
	return NULL;
}

/* Opens what c holds, without the block that has file offset `damaged`. */
static inline void decoded_open(struct decoded *d, struct capture *c, uint64_t damaged)
{
	static const struct block_file_ops ops = { .decode = decoded_block };
	struct block_file *blocks;
	struct file file;
	struct error *err;

	*d = (struct decoded){ .capture = c, .damaged = damaged / DECODED_BLOCK };
	diag_init(&c->diag, capture_remember, c);
	c->said[0] = '\0';
	cr_assert_null(block_cache_create(0, &d->cache));
	cr_assert_null(block_file_create(d->cache, &ops, d, &blocks));
	cr_assert_null(block_file_add(blocks, c->size / DECODED_BLOCK, DECODED_BLOCK));
	if (c->size % DECODED_BLOCK)
		cr_assert_null(block_file_add(blocks, 1, c->size % DECODED_BLOCK));
	cr_assert_null(block_file_open(blocks, "decoded", &file));
	err = snapshot_open_file(&file, "decoded", NULL, &c->diag, &c->snapshot);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

static inline void decoded_close(struct decoded *d, struct capture *c)
{
	snapshot_close(take_ptr(c->snapshot));
	block_cache_destroy(d->cache);
}

#endif
