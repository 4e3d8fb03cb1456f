/* SPDX-License-Identifier: MIT */
/*
 * xz files (tukaani.org, xz-file-format.txt): streams of blocks, with an index of the blocks at
 * each stream's end. Blocks that are short enough are decoded when they are asked for; one long
 * block, as a single-threaded xz writes it, and what has lost its index is spooled.
 */
#include <inttypes.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "container/feed.h"
#include "container/pieces.h"
#include "container/stream.h"

static bool xz_probe(const uint8_t *head, size_t size)
{
	static const uint8_t magic[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

	return size >= sizeof(magic) && !memcmp(head, magic, sizeof(magic));
}

/* The header has a checksum. */
static struct error *xz_check(const struct container_input *in)
{
	uint8_t head[LZMA_STREAM_HEADER_SIZE];
	lzma_stream_flags flags;
	struct error *err;

	if (in->file->size < sizeof(head))
		return NULL;
	if ((err = file_read(in->file, 0, head, sizeof(head))))
		return err;
	if (lzma_stream_header_decode(&flags, head) != LZMA_DATA_ERROR)
		return NULL;
	return error_new(ERROR_CORRUPT, "the checksum at 0x8, of the header, is wrong");
}

/* Of one decoder: its dictionary. */
static uint64_t max_decoder_memory(const struct container_input *in)
{
	return block_cache_room(in->cache) / 2;
}

static struct error *memory_error(uint64_t need, uint64_t have)
{
	return error_new(ERROR_LIMIT,
			 "the decoder needs %" PRIu64 " bytes of memory, there are %" PRIu64
			 " for it (see --max-memory)",
			 need, have);
}

struct block_decoder {
	uint64_t max_memory;
};

static void free_filters(lzma_filter *filters)
{
	for (size_t i = 0; i < LZMA_FILTERS_MAX && filters[i].id != LZMA_VLI_UNKNOWN; i++)
		free(filters[i].options);
}

static struct error *decode_filtered(const struct block_decoder *d, lzma_block *block,
				     const struct piece *piece, const uint8_t *in, uint8_t *out,
				     size_t out_len)
{
	uint64_t need = lzma_raw_decoder_memusage(block->filters);
	size_t in_pos = block->header_size, out_pos = 0;
	lzma_ret result;

	if (need > d->max_memory)
		return memory_error(need, d->max_memory);
	result = lzma_block_buffer_decode(block, NULL, in, &in_pos, piece->len, out, &out_pos,
					  out_len);
	if (result == LZMA_OK && out_pos == out_len)
		return NULL;
	return error_new(ERROR_CORRUPT,
			 "the block is damaged: expected %zu bytes, found %zu (xz %d)", out_len,
			 out_pos, (int)result);
}

static struct error *decode_block(void *arg, const struct piece *piece, const uint8_t *in,
				  uint8_t *out, size_t out_len)
{
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	lzma_block block = { .version = 1, .check = (lzma_check)piece->tag, .filters = filters };
	struct error *err;

	block.header_size = lzma_block_header_size_decode(in[0]);
	if (!in[0] || block.header_size > piece->len ||
	    lzma_block_header_decode(&block, NULL, in) != LZMA_OK)
		return error_new(ERROR_CORRUPT, "expected the header of an xz block");
	err = decode_filtered(arg, &block, piece, in, out, out_len);
	free_filters(filters);
	return err;
}

/* Reads the indexes of all streams; *ret NULL: they are damaged. */
static struct error *read_index(const struct container_input *in, lzma_index **ret)
{
	lzma_stream z = LZMA_STREAM_INIT;
	struct error *err = NULL;
	struct feed feed;
	lzma_ret result = lzma_file_info_decoder(&z, ret, max_decoder_memory(in), in->file->size);

	*ret = NULL;
	feed_init(&feed, in->file, 0, in->file->size);
	while (!err && (result == LZMA_OK || result == LZMA_SEEK_NEEDED)) {
		if (result == LZMA_SEEK_NEEDED)
			feed_seek(&feed, z.seek_pos);
		if ((err = feed_fill(&feed)))
			break;
		z.next_in = feed.next;
		z.avail_in = feed.avail;
		result = lzma_code(&z, LZMA_RUN);
		feed_skip(&feed, feed.avail - z.avail_in);
	}
	feed_deinit(&feed);
	lzma_end(&z);
	return err;
}

/* *ret false: a block that is too long. */
static struct error *add_blocks(const lzma_index *index, struct pieces *pieces, bool *ret)
{
	lzma_index_iter i;
	struct error *err = NULL;

	lzma_index_iter_init(&i, index);
	*ret = true;
	while (!err && *ret && !lzma_index_iter_next(&i, LZMA_INDEX_ITER_NONEMPTY_BLOCK)) {
		struct piece piece = {
			.offset = i.block.compressed_file_offset,
			.len = (uint32_t)i.block.total_size,
			.tag = (uint32_t)i.stream.flags->check,
		};

		*ret = i.block.total_size <= UINT32_MAX;
		if (*ret)
			err = pieces_add(pieces, &piece, i.block.uncompressed_size, ret);
	}
	return err;
}

struct xz_stream {
	struct feed feed;
	lzma_stream z;
};

static struct error *stream_error(struct xz_stream *s, lzma_ret result)
{
	if (result == LZMA_MEM_ERROR)
		return &error_no_memory;
	if (result == LZMA_MEMLIMIT_ERROR)
		return memory_error(lzma_memusage(&s->z), lzma_memlimit_get(&s->z));
	if (result == LZMA_BUF_ERROR)
		return error_new(ERROR_CORRUPT, "cut off at 0x%" PRIx64, s->feed.at);
	return error_new(ERROR_CORRUPT, "damaged before 0x%" PRIx64 " (xz %d)", s->feed.at,
			 (int)result);
}

static struct error *stream_read(void *arg, uint8_t *out, size_t room, size_t *got)
{
	struct xz_stream *s = arg;
	lzma_ret result = LZMA_OK;
	struct error *err = NULL;

	s->z.next_out = out;
	s->z.avail_out = room;
	while (s->z.avail_out && result == LZMA_OK && !(err = feed_fill(&s->feed))) {
		s->z.next_in = s->feed.next;
		s->z.avail_in = s->feed.avail;
		result = lzma_code(&s->z, s->feed.avail ? LZMA_RUN : LZMA_FINISH);
		feed_skip(&s->feed, s->feed.avail - s->z.avail_in);
	}
	*got = room - s->z.avail_out;
	if (err || result == LZMA_OK || result == LZMA_STREAM_END)
		return err;
	return stream_error(s, result);
}

static uint64_t stream_position(const void *arg)
{
	const struct xz_stream *s = arg;

	return s->feed.at;
}

static struct error *spool(const struct container_input *in, struct file *ret)
{
	static const struct stream_ops ops = { stream_read, stream_position };
	struct xz_stream s = { .z = LZMA_STREAM_INIT };
	struct error *err;

	if (lzma_stream_decoder(&s.z, max_decoder_memory(in), LZMA_CONCATENATED) != LZMA_OK)
		return &error_no_memory;
	feed_init(&s.feed, in->file, 0, in->file->size);
	err = stream_spool(in, &ops, &s, in->file->size,
			   "it cannot be read from anywhere but its beginning", ret);
	feed_deinit(&s.feed);
	lzma_end(&s.z);
	return err;
}

static void destroy(void *arg)
{
	free(arg);
}

/* *ret false: the index is of no use. */
static struct error *open_index(const struct container_input *in, const lzma_index *index,
				struct file *file_ret, bool *ret)
{
	static const struct pieces_ops ops = { decode_block, destroy };
	struct pieces *pieces CLEANUP(pieces_cleanup) = NULL;
	struct block_decoder *d = malloc(sizeof(*d));
	struct error *err;

	if (!d)
		return &error_no_memory;
	d->max_memory = max_decoder_memory(in);
	if ((err = pieces_create(in, &ops, d, &pieces)) || (err = add_blocks(index, pieces, ret)))
		return err;
	*ret = *ret && pieces_size(pieces);
	return *ret ? pieces_open(take_ptr(pieces), file_ret) : NULL;
}

static struct error *xz_open(const struct container_input *in, struct file *ret)
{
	lzma_index *index;
	struct error *err = read_index(in, &index);
	bool done = false;

	if (!err && index)
		err = open_index(in, index, ret, &done);
	lzma_index_end(index, NULL);
	return err || done ? err : spool(in, ret);
}

const struct container_ops xz_container = {
	.name = "xz",
	.recognised = "fd 37 7a 58 5a 00",
	.library = "lzma",
	.built_in = true,
	.probe = xz_probe,
	.check = xz_check,
	.open = xz_open,
};
