/* SPDX-License-Identifier: MIT */
/*
 * zstd files (RFC 8878): frames one after the other. Several frames that state the size of their
 * content are an index; so is the seek table of the seekable format (zstd,
 * contrib/seekable_format/zstd_seekable_compression_format.md), a skippable frame at the end. One
 * long frame, which the zstd program writes, can only be decoded from its beginning.
 */
#include <inttypes.h>
#include <string.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif

#include "base/cursor.h"
#include "codec/codec.h"
#include "container/feed.h"
#include "container/pieces.h"
#include "container/skippable.h"
#include "container/stream.h"

#define ZSTD_FRAME_MAGIC UINT32_C(0xfd2fb528)

/* pzstd begins with a skippable frame. */
static bool zstd_probe(const uint8_t *head, size_t size)
{
	uint64_t at = skippable_size(head, size);

	return at <= size && size - at >= 4 && load_u32(head + at) == ZSTD_FRAME_MAGIC;
}

#ifdef HAVE_ZSTD
enum { MAX_FRAME_HEADER = 18 };

/* The seek table's end. */
enum {
	SEEK_FOOTER_SIZE = 9,
	SEEK_FLAG_CHECKSUMS = 0x80,
	SEEK_FLAGS_RESERVED = 0x7c,
	SEEK_ENTRY_SIZE = 8,
	SEEK_CHECKSUM_SIZE = 4,
	SEEK_MAX_FRAMES = 0x8000000,
};
#define SEEK_MAGIC	UINT32_C(0x8f92eab1)
#define SEEK_SKIP_MAGIC UINT32_C(0x184d2a5e)

static struct error *decode_frame(void *arg, const struct piece *piece, const uint8_t *in,
				  uint8_t *out, size_t out_len)
{
	return decoder_run_exact(arg, in, piece->len, out, out_len);
}

static void destroy(void *arg)
{
	decoder_destroy(arg);
}

/* Adds a frame; *ret false: it cannot be decoded at once. */
static struct error *add_frame(struct pieces *pieces, uint64_t offset, uint64_t len,
			       uint64_t content, bool *ret)
{
	struct piece piece = { .offset = offset, .len = (uint32_t)len };

	*ret = len <= UINT32_MAX;
	return *ret && content ? pieces_add(pieces, &piece, content, ret) : NULL;
}

/* Where the seek table's entries begin; 0: the file has none that is sound. */
static struct error *find_seek_table(const struct file *file, uint32_t *frames_ret,
				     uint32_t *entry_size_ret, uint64_t *ret)
{
	uint8_t head[SKIPPABLE_HEADER_SIZE], footer[SEEK_FOOTER_SIZE];
	uint64_t table;
	struct error *err;

	*ret = 0;
	if (file->size < sizeof(head) + sizeof(footer))
		return NULL;
	if ((err = file_read(file, file->size - sizeof(footer), footer, sizeof(footer))))
		return err;
	*frames_ret = load_u32(footer);
	if (load_u32(footer + 5) != SEEK_MAGIC || footer[4] & SEEK_FLAGS_RESERVED ||
	    *frames_ret > SEEK_MAX_FRAMES)
		return NULL;
	*entry_size_ret =
		SEEK_ENTRY_SIZE + (footer[4] & SEEK_FLAG_CHECKSUMS ? SEEK_CHECKSUM_SIZE : 0);
	table = (uint64_t)*frames_ret * *entry_size_ret + sizeof(footer);
	if (table > file->size - sizeof(head))
		return NULL;
	table = file->size - table;
	if ((err = file_read(file, table - sizeof(head), head, sizeof(head))))
		return err;
	if (load_u32(head) == SEEK_SKIP_MAGIC && load_u32(head + 4) == file->size - table)
		*ret = table;
	return NULL;
}

/* *ret false: the file has no seek table, or not one that agrees with it. */
static struct error *read_seek_table(const struct file *file, struct pieces *pieces, bool *ret)
{
	uint32_t frames, entry_size;
	uint64_t table, at = 0;
	const uint8_t *entries;
	struct error *err = find_seek_table(file, &frames, &entry_size, &table);

	*ret = false;
	if (err || !table)
		return err;
	if ((err = file_bytes(file, table, (uint64_t)frames * entry_size, &entries)))
		return err;
	for (uint32_t i = 0; i < frames; i++, entries += entry_size) {
		uint32_t len = load_u32(entries);

		*ret = false;
		if (len > table - SKIPPABLE_HEADER_SIZE - at)
			return NULL;
		err = add_frame(pieces, at, len, load_u32(entries + 4), ret);
		if (err || !*ret)
			return err;
		at += len;
	}
	*ret = at == table - SKIPPABLE_HEADER_SIZE;
	return NULL;
}

/* *ret false: a frame that does not state its size, or is too long, or damage. */
static struct error *walk_frames(const struct file *file, struct pieces *pieces, bool *ret)
{
	struct file_view all;
	struct error *err;
	uint64_t at = 0;

	*ret = false;
	if (file->content) /* which cannot show all of itself at once */
		return NULL;
	if ((err = file_view(file, 0, file->size, &all)))
		return err;
	for (*ret = true; *ret && at < file->size && !err;) {
		const uint8_t *frame = all.bytes + at;
		size_t left = (size_t)(file->size - at), len;
		unsigned long long content;

		if (skippable_size(frame, left)) {
			at += skippable_size(frame, left);
			*ret = at <= file->size;
			continue;
		}
		*ret = false;
		content = ZSTD_getFrameContentSize(frame, left);
		if (content == ZSTD_CONTENTSIZE_UNKNOWN || content == ZSTD_CONTENTSIZE_ERROR ||
		    !pieces_fit(pieces, content))
			break;
		len = ZSTD_findFrameCompressedSize(frame, left);
		if (!ZSTD_isError(len))
			err = add_frame(pieces, at, len, content, ret);
		at += len;
	}
	file_view_release(&all);
	return err;
}

struct zstd_stream {
	struct feed feed;
	ZSTD_DStream *d;
	bool in_frame;
};

static struct error *stream_error(const struct zstd_stream *s, size_t result)
{
	if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
		return error_new(ERROR_LIMIT,
				 "0x%" PRIx64 ": the frame's window does not fit the memory (see "
				 "--max-memory)",
				 s->feed.at);
	return error_new(ERROR_CORRUPT, "damaged before 0x%" PRIx64 ": %s", s->feed.at,
			 ZSTD_getErrorName(result));
}

static struct error *stream_read(void *arg, uint8_t *out, size_t room, size_t *got)
{
	struct zstd_stream *s = arg;
	ZSTD_outBuffer o = { out, room, 0 };
	struct error *err = NULL;
	size_t result, before;

	while (o.pos < o.size && !(err = feed_fill(&s->feed))) {
		ZSTD_inBuffer i = { s->feed.next, s->feed.avail, 0 };

		before = o.pos;
		if (!i.size && !s->in_frame)
			break;
		result = ZSTD_decompressStream(s->d, &o, &i);
		feed_skip(&s->feed, i.pos);
		if (ZSTD_isError(result)) {
			err = stream_error(s, result);
			break;
		}
		s->in_frame = result != 0;
		if (!i.size && o.pos == before) {
			err = error_new(ERROR_CORRUPT, "cut off in a frame, at 0x%" PRIx64,
					s->feed.at);
			break;
		}
	}
	*got = o.pos;
	return err;
}

static uint64_t stream_position(const void *arg)
{
	const struct zstd_stream *s = arg;

	return s->feed.at;
}

/* The longest window, as a power of two, that half of the memory holds. */
static int max_window(const struct container_input *in)
{
	uint64_t room = block_cache_room(in->cache) / 2;
	ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
	int log = 63 - __builtin_clzll(room | 1);

	return log < bounds.lowerBound	 ? bounds.lowerBound
	       : log > bounds.upperBound ? bounds.upperBound
					 : log;
}

static struct error *spool(const struct container_input *in, struct file *ret)
{
	static const struct stream_ops ops = { stream_read, stream_position };
	struct zstd_stream s = { .d = ZSTD_createDStream() };
	struct error *err;

	if (!s.d)
		return &error_no_memory;
	ZSTD_DCtx_setParameter(s.d, ZSTD_d_windowLogMax, max_window(in));
	feed_init(&s.feed, in->file, 0, in->file->size);
	err = stream_spool(in, &ops, &s, in->file->size,
			   "it cannot be read from anywhere but its beginning", ret);
	feed_deinit(&s.feed);
	ZSTD_freeDStream(s.d);
	return err;
}

static struct error *zstd_check(const struct container_input *in)
{
	uint8_t out[CONTAINER_TRIAL_SIZE];
	struct zstd_stream s = { .d = ZSTD_createDStream() };
	struct error *err;
	size_t got;

	if (!s.d)
		return &error_no_memory;
	ZSTD_DCtx_setParameter(s.d, ZSTD_d_windowLogMax, max_window(in));
	feed_init(&s.feed, in->file, 0, in->file->size);
	err = stream_read(&s, out, sizeof(out), &got);
	err = container_trial(err, got, s.feed.at == s.feed.end);
	feed_deinit(&s.feed);
	ZSTD_freeDStream(s.d);
	return err;
}

typedef struct error *index_fn(const struct file *file, struct pieces *pieces, bool *ret);

/* *ret false: that index is of no use. */
static struct error *open_index(const struct container_input *in, index_fn *read_index,
				struct file *file_ret, bool *ret)
{
	static const struct pieces_ops ops = { decode_frame, destroy };
	struct pieces *pieces CLEANUP(pieces_cleanup) = NULL;
	struct decoder *decoder;
	struct error *err;

	if ((err = decoder_create(CODEC_ZSTD, &decoder)) ||
	    (err = pieces_create(in, &ops, decoder, &pieces)) ||
	    (err = read_index(in->file, pieces, ret)))
		return err;
	*ret = *ret && pieces_size(pieces);
	return *ret ? pieces_open(take_ptr(pieces), file_ret) : NULL;
}

static struct error *zstd_open(const struct container_input *in, struct file *ret)
{
	static index_fn *const indexes[] = { read_seek_table, walk_frames };
	struct error *err = NULL;
	bool done = false;

	for (size_t i = 0; i < ARRAY_SIZE(indexes) && !err && !done; i++)
		err = open_index(in, indexes[i], ret, &done);
	return err || done ? err : spool(in, ret);
}
#else
#define zstd_open  NULL
#define zstd_check NULL
#endif

const struct container_ops zstd_container = {
	.name = "zstd",
	.recognised = "28 b5 2f fd",
	.library = "zstd",
#ifdef HAVE_ZSTD
	.built_in = true,
#endif
	.probe = zstd_probe,
	.check = zstd_check,
	.open = zstd_open,
};
