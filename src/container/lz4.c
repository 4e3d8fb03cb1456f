/* SPDX-License-Identifier: MIT */
/*
 * LZ4 files: frames (lz4, doc/lz4_Frame_format.md) and legacy frames (the same, "Legacy frame").
 * Independent blocks are an index; a block but the last decodes to the frame's block size unless
 * its writer flushed, so blocks are measured where the frame does not state its whole size. Frames
 * whose blocks depend on each other are spooled.
 */
#include <inttypes.h>
#include <lz4.h>
#include <lz4frame.h>

#include "base/progress.h"
#include "codec/codec.h"
#include "container/feed.h"
#include "container/lz4_block.h"
#include "container/pieces.h"
#include "container/skippable.h"
#include "container/stream.h"

#define FRAME_MAGIC  UINT32_C(0x184d2204)
#define LEGACY_MAGIC UINT32_C(0x184c2102)
enum { LEGACY_BLOCK = 8 << 20 };

/* Frame header: magic, FLG, BD, [content size], [dictionary id], HC. */
enum {
	FLAG_VERSION = 0xc0,
	FLAG_VERSION_1 = 0x40,
	FLAG_INDEPENDENT = 0x20,
	FLAG_BLOCK_CHECKSUM = 0x10,
	FLAG_CONTENT_SIZE = 0x08,
	FLAG_CONTENT_CHECKSUM = 0x04,
	FLAG_DICTIONARY = 0x01,
	MIN_HEADER = 7,
	MAX_HEADER = 19,
	CHECKSUM_SIZE = 4,
};
#define BLOCK_STORED (UINT32_C(1) << 31)
/* A compressed block this much smaller than its content may be all zeros. */
enum { ZERO_RATIO = 128 };

enum { TAG_STORED = 1, TAG_CHECKSUM = 2 };

static bool lz4_probe(const uint8_t *head, size_t size)
{
	uint64_t at = skippable_size(head, size);
	uint32_t magic;

	if (at > size || size - at < MIN_HEADER)
		return false;
	magic = load_u32(head + at);
	return magic == LEGACY_MAGIC ||
	       (magic == FRAME_MAGIC && (head[at + 4] & FLAG_VERSION) == FLAG_VERSION_1);
}

struct frame {
	bool is_legacy;
	uint8_t flags;
	uint32_t max_block;
	bool has_size;
	uint64_t size, found;	  /* of its content: as stated, and so far */
	uint64_t blocks, shorter; /* but the last one */
};

/* A block whose content's size depends on whether another one follows. */
struct block {
	struct piece piece;
	bool there;
};

struct walk {
	const struct container_input *in;
	struct pieces *pieces;
	uint64_t at;
	struct progress progress;
	/* Sizes that frames state are believed: then all blocks but the last are as long as they
	 * may be. Else blocks are measured. */
	bool trusts, trusted;
	const char *why_not; /* the file cannot be read block by block; NULL: it can */
};

/* Without the checksum behind it. */
static uint32_t data_len(const struct piece *piece)
{
	return piece->len - (piece->tag & TAG_CHECKSUM ? CHECKSUM_SIZE : 0);
}

static struct error *read_u32(struct walk *w, const char *what, uint32_t *ret)
{
	uint8_t bytes[4];
	struct error *err;

	if (w->in->file->size - w->at < sizeof(bytes))
		return error_new(ERROR_CORRUPT, "cut off at 0x%" PRIx64 ": expected %s", w->at,
				 what);
	if ((err = file_read(w->in->file, w->at, bytes, sizeof(bytes))))
		return err;
	w->at += sizeof(bytes);
	*ret = load_u32(bytes);
	return NULL;
}

static struct error *read_header(struct walk *w, struct frame *ret)
{
	uint64_t left = w->in->file->size - w->at;
	uint8_t head[MAX_HEADER] = { 0 };
	size_t have = left < sizeof(head) ? (size_t)left : sizeof(head), len = MIN_HEADER;
	struct error *err = file_read(w->in->file, w->at, head, have);

	if (err)
		return err;
	*ret = (struct frame){
		.flags = head[4],
		.has_size = head[4] & FLAG_CONTENT_SIZE,
		.size = load_u64(head + 6),
		.max_block = 1u << (8 + 2 * (head[5] >> 4 & 7)),
	};
	len += ret->has_size ? 8 : 0;
	len += ret->flags & FLAG_DICTIONARY ? 4 : 0;
	if (len > have)
		return error_new(ERROR_CORRUPT, "cut off in a frame's header, at 0x%" PRIx64,
				 w->at);
	if ((ret->flags & FLAG_VERSION) != FLAG_VERSION_1 || (head[5] >> 4 & 7) < 4 ||
	    head[len - 1] != (xxh32(head + 4, len - 5) >> 8 & 0xff))
		return error_new(ERROR_CORRUPT, "0x%" PRIx64 ": the header of the frame is damaged",
				 w->at);
	if (ret->flags & FLAG_DICTIONARY)
		return error_new(ERROR_UNSUPPORTED, "0x%" PRIx64 ": the frame wants a dictionary",
				 w->at);
	w->at += len;
	return NULL;
}

static bool is_frame(uint32_t magic)
{
	return magic == FRAME_MAGIC || magic == LEGACY_MAGIC ||
	       (magic & ~UINT32_C(15)) == SKIPPABLE_MAGIC;
}

/* The first frame's header, which has a checksum; a legacy frame's first block. */
static struct error *lz4_check(const struct container_input *in)
{
	struct walk w = { .in = in };
	struct frame f;
	uint8_t head[SKIPPABLE_HEADER_SIZE];
	struct error *err;
	uint32_t word;

	if (in->file->size < sizeof(head))
		return NULL;
	if ((err = file_read(in->file, 0, head, sizeof(head))))
		return err;
	w.at = skippable_size(head, sizeof(head));
	if (in->file->size - w.at < MAX_HEADER)
		return NULL;
	if ((err = read_u32(&w, "a frame", &word)))
		return err;
	if (word == FRAME_MAGIC) {
		w.at -= sizeof(word);
		return read_header(&w, &f);
	}
	if ((err = read_u32(&w, "a block", &word)))
		return err;
	if (word <= (uint32_t)LZ4_COMPRESSBOUND(LEGACY_BLOCK) || is_frame(word))
		return NULL;
	return error_new(ERROR_CORRUPT, "0x%" PRIx64 ": expected a block, found %08x",
			 w.at - sizeof(word), word);
}

/* What the block decodes to; *ret false: it is damaged. */
static struct error *measure(struct walk *w, const struct frame *f, struct piece *piece,
			     size_t *len_ret, bool *ret)
{
	struct piece_view v;
	struct error *err = piece_view(w->in->file, w->in->cache, piece, &v);
	bool zero;

	if (err)
		return err;
	*ret = lz4_block_measure(v.bytes, data_len(piece), f->max_block, len_ret, &zero);
	if (*ret && zero)
		piece->tag |= PIECE_ZERO;
	piece_view_release(&v);
	return NULL;
}

/* The length of a block's content, measured or known. What is damaged takes the room that it must
 * have had. */
static struct error *find_length(struct walk *w, const struct frame *f, struct piece *piece,
				 bool is_last, size_t *ret)
{
	bool known = f->has_size && w->trusts && !is_last, ok = true;
	size_t len = f->max_block;
	struct error *err;

	if (piece->tag & TAG_STORED) {
		*ret = data_len(piece);
		return NULL;
	}
	if ((!known || piece->len < f->max_block / ZERO_RATIO) &&
	    (err = measure(w, f, piece, &len, &ok)))
		return err;
	if (ok && (!known || len == f->max_block)) {
		*ret = len;
		return NULL;
	}
	len = f->max_block;
	piece->tag &= ~PIECE_ZERO;
	if (is_last && f->has_size && f->size - f->found <= len && f->size > f->found)
		len = (size_t)(f->size - f->found);
	if (!ok) /* else the frame's size shows whether it is damaged or short */
		diag_partial(w->in->diag,
			     "%s: %s: the block at 0x%" PRIx64
			     " is damaged: %zu bytes are not there",
			     w->in->path, w->in->name, piece->offset, len);
	*ret = len;
	return NULL;
}

static struct error *add_block(struct walk *w, struct frame *f, struct piece *piece, bool is_last)
{
	size_t len;
	struct error *err = find_length(w, f, piece, is_last, &len);
	bool fits;

	if (err || !len)
		return err;
	f->found += len;
	f->blocks++;
	f->shorter += !is_last && len != f->max_block;
	if ((err = pieces_add(w->pieces, piece, len, &fits)) || fits)
		return err;
	w->why_not = "its blocks do not fit what --max-memory allows";
	if (f->is_legacy) /* the library does not stream these */
		return error_new(ERROR_LIMIT,
				 "the blocks of a legacy frame, %zu bytes long, do not fit the "
				 "memory (see --max-memory)",
				 len);
	return NULL;
}

/* Looks at the block whose length has just been read. */
static struct error *find_block(struct walk *w, const struct frame *f, uint32_t word,
				struct block *ret)
{
	uint32_t len = f->is_legacy ? word : word & ~BLOCK_STORED;
	uint64_t checksum = f->flags & FLAG_BLOCK_CHECKSUM ? CHECKSUM_SIZE : 0;

	if (!f->is_legacy && len > f->max_block)
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 ": a block of %u bytes: expected at most %u",
				 w->at - 4, len, f->max_block);
	if (w->in->file->size - w->at < len + checksum)
		return error_new(ERROR_CORRUPT,
				 "cut off in the block at 0x%" PRIx64
				 ": expected %u bytes, found %" PRIu64,
				 w->at, len, w->in->file->size - w->at);
	*ret = (struct block){ { .offset = w->at, .len = len + (uint32_t)checksum }, true };
	if (len != word)
		ret->piece.tag |= TAG_STORED;
	if (checksum)
		ret->piece.tag |= TAG_CHECKSUM;
	w->at += ret->piece.len;
	progress_add(&w->progress, ret->piece.len);
	return NULL;
}

/* The blocks of a frame, up to its end mark. `last` is the one that is not added yet. */
static struct error *walk_blocks(struct walk *w, struct frame *f, struct block *last)
{
	struct error *err;
	uint32_t word;

	while (!w->why_not) {
		if (f->is_legacy && w->at == w->in->file->size)
			return NULL;
		if ((err = read_u32(w, "a block or the end of the frame", &word)))
			return err;
		if (f->is_legacy ? word > (uint32_t)LZ4_COMPRESSBOUND(LEGACY_BLOCK) : !word)
			break;
		if (last->there && !f->is_legacy && !(f->flags & FLAG_INDEPENDENT)) {
			w->why_not = "its blocks depend on each other";
			break;
		}
		if (last->there && (err = add_block(w, f, &last->piece, false)))
			return err;
		last->there = false;
		if ((err = find_block(w, f, word, last)))
			return err;
	}
	if (f->is_legacy) /* that was the magic of the next frame */
		w->at -= sizeof(word);
	else if (f->flags & FLAG_CONTENT_CHECKSUM)
		w->at += CHECKSUM_SIZE;
	return NULL;
}

static struct error *walk_frame(struct walk *w, struct frame *f)
{
	struct block last = { .there = false };
	struct error *err = walk_blocks(w, f, &last), *add_err;

	w->trusted |= f->has_size && w->trusts;
	if (!w->why_not && last.there && (add_err = add_block(w, f, &last.piece, true))) {
		error_destroy(err);
		return add_err;
	}
	if (!err && !w->why_not && f->has_size && f->size != f->found)
		err = error_new(ERROR_CORRUPT,
				"the frame that ends at 0x%" PRIx64 " should hold %" PRIu64
				" bytes, its blocks hold %" PRIu64,
				w->at, f->size, f->found);
	if (!err && f->shorter)
		diag_note(w->in->diag,
			  "%s: %s: %" PRIu64 " of the %" PRIu64 " blocks before 0x%" PRIx64
			  " are shorter than the others: their writer flushed, or they are damaged",
			  w->in->path, w->in->name, f->shorter, f->blocks, w->at);
	return err;
}

static struct error *walk_file(struct walk *w)
{
	struct error *err = NULL;

	while (!err && !w->why_not && w->at < w->in->file->size) {
		struct frame f = { .is_legacy = true, .max_block = LEGACY_BLOCK };
		uint32_t magic, len;

		if ((err = read_u32(w, "a frame", &magic)))
			break;
		if ((magic & ~UINT32_C(15)) == SKIPPABLE_MAGIC) {
			if (!(err = read_u32(w, "the length of a frame", &len)))
				w->at += len;
		} else if (magic == LEGACY_MAGIC) {
			err = walk_frame(w, &f);
		} else if (magic == FRAME_MAGIC) {
			w->at -= sizeof(magic);
			if (!(err = read_header(w, &f)))
				err = walk_frame(w, &f);
		} else {
			err = error_new(ERROR_CORRUPT,
					"0x%" PRIx64 ": expected an LZ4 frame or the end of the "
					"file, found %08x",
					w->at - sizeof(magic), magic);
		}
	}
	if (err && w->trusted) /* the walk that measures tells */
		return err;
	if (err && !w->why_not && pieces_size(w->pieces) && error_code(err) == ERROR_CORRUPT) {
		diag_error(w->in->diag, err, "%s: %s: what follows 0x%" PRIx64 " is not there",
			   w->in->path, w->in->name, pieces_size(w->pieces));
		err = NULL;
	}
	return err;
}

static struct error *decode(void *arg, const struct piece *piece, const uint8_t *in, uint8_t *out,
			    size_t out_len)
{
	uint32_t len = data_len(piece), found;

	if (piece->tag & TAG_CHECKSUM) {
		found = xxh32(in, len);
		if (found != load_u32(in + len))
			return error_new(ERROR_CORRUPT, "expected the checksum %08x, found %08x",
					 load_u32(in + len), found);
	}
	if (!(piece->tag & TAG_STORED))
		return decoder_run_exact(arg, in, len, out, out_len);
	memcpy(out, in, out_len);
	return NULL;
}

static void destroy(void *arg)
{
	decoder_destroy(arg);
}

struct lz4_stream {
	struct feed feed;
	LZ4F_dctx *d;
	bool in_frame;
};

static struct error *stream_read(void *arg, uint8_t *out, size_t room, size_t *got)
{
	struct lz4_stream *s = arg;
	struct error *err = NULL;

	for (*got = 0; *got < room && !(err = feed_fill(&s->feed));) {
		size_t in_len = s->feed.avail, out_len = room - *got, result;

		if (!in_len && !s->in_frame)
			break;
		result = LZ4F_decompress(s->d, out + *got, &out_len, s->feed.next, &in_len, NULL);
		if (LZ4F_isError(result))
			return error_new(ERROR_CORRUPT, "damaged before 0x%" PRIx64 ": %s",
					 s->feed.at + in_len, LZ4F_getErrorName(result));
		if (!in_len && !out_len)
			return error_new(ERROR_CORRUPT, "cut off in a frame, at 0x%" PRIx64,
					 s->feed.at);
		feed_skip(&s->feed, in_len);
		s->in_frame = result != 0;
		*got += out_len;
	}
	return err;
}

static uint64_t stream_position(const void *arg)
{
	const struct lz4_stream *s = arg;

	return s->feed.at;
}

static struct error *spool(const struct container_input *in, const char *why, struct file *ret)
{
	static const struct stream_ops ops = { stream_read, stream_position };
	struct lz4_stream s = { .d = NULL };
	struct error *err;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&s.d, LZ4F_VERSION)))
		return &error_no_memory;
	feed_init(&s.feed, in->file, 0, in->file->size);
	err = stream_spool(in, &ops, &s, in->file->size, why, ret);
	feed_deinit(&s.feed);
	LZ4F_freeDecompressionContext(s.d);
	return err;
}

/* One walk over the file; *why_not_ret as in struct walk, else *ret is open. */
static struct error *open_blocks(const struct container_input *in, bool trusts,
				 const char **why_not_ret, bool *trusted_ret, struct file *ret)
{
	static const struct pieces_ops ops = { decode, destroy };
	struct pieces *pieces CLEANUP(pieces_cleanup) = NULL;
	struct walk w = { .in = in, .trusts = trusts };
	struct decoder *decoder;
	struct error *err;

	if ((err = decoder_create(CODEC_LZ4, &decoder)) ||
	    (err = pieces_create(in, &ops, decoder, &pieces)))
		return err;
	w.pieces = pieces;
	progress_begin(&w.progress, "indexing", in->file->size, in->options->quiet);
	err = walk_file(&w);
	progress_end(&w.progress);
	*why_not_ret = w.why_not;
	*trusted_ret = w.trusted;
	return err || w.why_not ? err : pieces_open(take_ptr(pieces), ret);
}

static struct error *lz4_open(const struct container_input *in, struct file *ret)
{
	const char *why_not = NULL;
	bool trusted = false;
	struct error *err = open_blocks(in, true, &why_not, &trusted, ret);

	if (trusted && error_catch(&err, ERROR_CORRUPT)) /* cut off, or its writer flushed */
		err = open_blocks(in, false, &why_not, &trusted, ret);
	return err || !why_not ? err : spool(in, why_not, ret);
}

const struct container_ops lz4_container = {
	.name = "lz4",
	.recognised = "04 22 4d 18, or 02 21 4c 18 (legacy)",
	.library = "lz4",
	.built_in = true,
	.probe = lz4_probe,
	.check = lz4_check,
	.open = lz4_open,
};
