/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/hiberfil/parts.h"
#include "memory/block_file.h"

enum {
	RESERVED_AT_ONCE = 1 << 10, /* rows */
	/* a range is a row here, and then a run of the memory */
	RANGE_BYTES = sizeof(struct hiber_range) + 64,
};

static const enum codec codecs[NUM_HIBER_METHODS] = {
	[HIBER_XPRESS] = CODEC_XPRESS,
	[HIBER_XPRESS_HUFFMAN] = CODEC_XPRESS_HUFFMAN,
};

/* What decoding needs of an open snapshot. */
struct hiber_content {
	const struct file *file;
	struct decoder *decoders[NUM_HIBER_METHODS];
	struct hiber_block *blocks;
};

void hiber_pages_deinit(struct hiber_pages *p)
{
	free(p->blocks);
	free(p->ranges);
}

static struct error *reserve(struct hiber_pages *p, size_t count, size_t *reserved, size_t size,
			     const char *what)
{
	struct error *err;

	if (count < *reserved)
		return NULL;
	err = block_cache_reserve(p->in->cache, (uint64_t)RESERVED_AT_ONCE * size, what);
	if (!err)
		*reserved += RESERVED_AT_ONCE;
	return err;
}

struct error *hiber_add_block(struct hiber_pages *p, const struct hiber_block *block)
{
	struct error *err = reserve(p, p->num_blocks, &p->blocks_reserved, sizeof(*p->blocks),
				    "the index of compressed blocks");

	if (!err)
		err = array_reserve(&p->blocks, &p->blocks_capacity, p->num_blocks + 1,
				    sizeof(*p->blocks), HIBER_MAX_BLOCKS, "compressed blocks");
	if (err)
		return err;
	p->blocks[p->num_blocks++] = *block;
	p->block_pages += block->pages;
	return NULL;
}

struct error *hiber_add_range(struct hiber_pages *p, uint64_t gfn, uint64_t count)
{
	struct hiber_range *last = p->num_ranges ? &p->ranges[p->num_ranges - 1] : NULL;
	struct error *err;

	if (last && last->gfn + last->count == gfn) {
		last->count += count;
		p->range_pages += count;
		return NULL;
	}
	err = reserve(p, p->num_ranges, &p->ranges_reserved, RANGE_BYTES, "the index of pages");
	if (!err)
		err = array_reserve(&p->ranges, &p->ranges_capacity, p->num_ranges + 1,
				    sizeof(*p->ranges), HIBER_MAX_RANGES, "ranges of pages");
	if (err)
		return err;
	p->ranges[p->num_ranges++] = (struct hiber_range){ gfn, count, p->range_pages };
	p->range_pages += count;
	return NULL;
}

static struct error *decode_block(struct hiber_content *c, const struct hiber_block *block,
				  uint8_t *buf, size_t len)
{
	struct file_view view;
	struct error *err;

	if (block->method == HIBER_STORED)
		return file_read(c->file, block->offset, buf, len);
	if ((err = file_view(c->file, block->offset, block->size, &view)))
		return err;
	err = decoder_run_exact(c->decoders[block->method], view.bytes, block->size, buf, len);
	file_view_release(&view);
	return err;
}

static struct error *decode(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	struct hiber_content *c = arg;
	const struct hiber_block *block = &c->blocks[index];

	return error_wrap(decode_block(c, block, buf, len), "0x%" PRIx64 ": %u pages",
			  block->offset, block->pages);
}

static void destroy(void *arg)
{
	struct hiber_content *c = arg;

	for (size_t i = 0; i < NUM_HIBER_METHODS; i++)
		decoder_destroy(c->decoders[i]);
	free(c->blocks);
	free(c);
}

static const struct block_file_ops content_ops = { .decode = decode, .destroy = destroy };

/* Takes the blocks. */
static struct error *create_content(struct hiber_pages *p, struct block_file **ret)
{
	struct hiber_content *c = calloc(1, sizeof(*c));
	struct error *err = c ? NULL : &error_no_memory;

	for (size_t i = HIBER_STORED + 1; !err && i < NUM_HIBER_METHODS; i++)
		err = decoder_create(codecs[i], &c->decoders[i]);
	if (err) {
		if (c)
			destroy(c);
		return err;
	}
	c->file = p->in->file;
	c->blocks = take_ptr(p->blocks);
	return block_file_create(p->in->cache, &content_ops, c, ret);
}

static struct error *open_content(struct hiber_pages *p, struct file *ret)
{
	const struct hiber_block *blocks = p->blocks;
	struct block_file *content;
	struct error *err = create_content(p, &content);

	if (err)
		return err;
	for (size_t i = 0; !err && i < p->num_blocks; i++)
		err = block_file_add(content, 1, (uint64_t)blocks[i].pages << PAGE_SHIFT);
	if (err) {
		block_file_destroy(content);
		return err;
	}
	return block_file_open(content, p->in->path, ret);
}

struct error *hiber_pages_finish(struct hiber_pages *p)
{
	const struct file *content;
	struct file file;
	struct error *err;

	if (!p->num_blocks)
		return NULL;
	if ((err = open_content(p, &file)))
		return err;
	file.is_internal = true;
	if ((err = file_set_add(p->in->files, &file, &content)))
		return err;
	for (size_t i = p->num_ranges; !err && i--;) {
		const struct hiber_range *r = &p->ranges[i];
		err = physmem_add_file(p->in->mem, r->gfn << PAGE_SHIFT, r->count << PAGE_SHIFT,
				       content, r->first << PAGE_SHIFT);
	}
	return err;
}
