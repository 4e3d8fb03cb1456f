/* SPDX-License-Identifier: MIT */
#include "container/pieces.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "memory/block_file.h"

enum {
	MAX_PIECES = 1 << 28,
	RESERVED_AT_ONCE = 1 << 12,
	/* What does not compress grows a little; more than that is no block of any codec here. */
	MAX_GROWTH = 64 << 10,
};

struct pieces {
	struct container_input in;
	const struct pieces_ops *ops;
	void *arg;
	struct block_file *blocks;
	struct piece *items;
	size_t count, capacity, reserved;
	uint64_t max_block;
};

struct error *piece_view(const struct file *file, struct block_cache *cache,
			 const struct piece *piece, struct piece_view *ret)
{
	struct piece_view v = { .cache = cache };
	struct error *err;
	uint8_t *copy;

	/* A mapped file shows any length. */
	if (!file->content || piece->len <= FILE_MAX_VIEW) {
		err = file_view(file, piece->offset, piece->len, &v.view);
		v.bytes = v.view.bytes;
	} else if (!(err = block_cache_scratch(cache, piece->len, &copy, &v.copy))) {
		err = file_read(file, piece->offset, copy, piece->len);
		v.bytes = copy;
	}
	if (err) {
		piece_view_release(&v);
		return err;
	}
	*ret = v;
	return NULL;
}

void piece_view_release(struct piece_view *v)
{
	file_view_release(&v->view);
	block_cache_release(v->cache, take_ptr(v->copy));
}

static struct error *decode(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	const struct pieces *p = arg;
	const struct piece *piece = &p->items[index];
	struct piece_view v;
	struct error *err = piece_view(p->in.file, p->in.cache, piece, &v);

	if (!err) {
		err = p->ops->decode(p->arg, piece, v.bytes, buf, len);
		piece_view_release(&v);
	}
	return error_wrap(err, "%s: block %" PRIu64 " at offset 0x%" PRIx64, p->in.name, index,
			  piece->offset);
}

static bool is_zero(void *arg, uint64_t index)
{
	const struct pieces *p = arg;

	return p->items[index].tag & PIECE_ZERO;
}

static void destroy(void *arg)
{
	struct pieces *p = arg;

	p->ops->destroy(p->arg);
	free(p->items);
	free(p);
}

struct error *pieces_create(const struct container_input *in, const struct pieces_ops *ops,
			    void *arg, struct pieces **ret)
{
	static const struct block_file_ops block_ops = {
		.decode = decode,
		.is_zero = is_zero,
		.destroy = destroy,
	};
	struct pieces *p = calloc(1, sizeof(*p));
	struct block_file *blocks;
	struct error *err;

	if (!p) {
		ops->destroy(arg);
		return &error_no_memory;
	}
	*p = (struct pieces){ .in = *in, .ops = ops, .arg = arg };
	p->max_block = container_max_block(in);
	if ((err = block_file_create(in->cache, &block_ops, p, &blocks)))
		return err;
	p->blocks = blocks;
	*ret = p;
	return NULL;
}

void pieces_cleanup(struct pieces **p)
{
	if (*p)
		block_file_destroy((*p)->blocks);
}

bool pieces_fit(const struct pieces *p, uint64_t out_len)
{
	return out_len <= p->max_block;
}

struct error *pieces_add(struct pieces *p, const struct piece *piece, uint64_t out_len, bool *ret)
{
	struct error *err = NULL;

	*ret = false;
	if (!pieces_fit(p, out_len) || piece->len > out_len + out_len / 2 + MAX_GROWTH)
		return NULL;
	if ((err = container_check_size(&p->in, block_file_size(p->blocks) + out_len)))
		return err;
	if (p->count == p->reserved) {
		err = block_cache_reserve(p->in.cache, RESERVED_AT_ONCE * sizeof(*p->items),
					  "the index of a compressed file");
		if (err)
			return err;
		p->reserved += RESERVED_AT_ONCE;
	}
	err = array_reserve(&p->items, &p->capacity, p->count + 1, sizeof(*p->items), MAX_PIECES,
			    "blocks of a compressed file");
	if (err || (err = block_file_add(p->blocks, 1, out_len)))
		return err;
	p->items[p->count++] = *piece;
	*ret = true;
	return NULL;
}

uint64_t pieces_size(const struct pieces *p)
{
	return block_file_size(p->blocks);
}

struct error *pieces_open(struct pieces *p, struct file *ret)
{
	struct error *err = block_file_open(p->blocks, p->in.path, ret);

	if (!err)
		ret->is_internal = true;
	return err;
}
