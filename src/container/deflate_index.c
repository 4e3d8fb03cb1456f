/* SPDX-License-Identifier: MIT */
#include "container/deflate_index.h"

#include <inttypes.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/progress.h"
#include "container/inflater.h"
#include "container/stream.h"
#include "memory/block_file.h"

enum {
	FIRST_SPACING = 256 << 10, /* content between two places */
	READ_SIZE = 256 << 10,
	MAX_SEGMENTS = 1 << 26,
	INDEX_SHARE = 4, /* of the memory: one in so many */
};

/* The content from one place up to the next. */
struct segment {
	uint64_t out; /* offset of its first byte in the content */
	struct inflate_place place;
	uint8_t *window; /* what is before it, compressed by LZ4; owned; NULL: nothing */
	uint16_t packed_len, window_len;
	bool is_zero; /* then it has no window */
};

struct deflate_index {
	struct container_input in;
	struct deflate_range range;
	struct segment *items;
	size_t count, capacity;
	uint64_t size;	       /* of the content so far */
	uint64_t window_bytes; /* of all */
	uint64_t spacing, budget, max_block;
};

static void index_destroy(void *arg)
{
	struct deflate_index *x = arg;

	for (size_t n = 0; n < x->count; n++)
		free(x->items[n].window);
	free(x->items);
	free(x);
}

static void index_cleanup(struct deflate_index **x)
{
	if (*x)
		index_destroy(*x);
}

static void drop_window(struct deflate_index *x, struct segment *s)
{
	x->window_bytes -= s->packed_len;
	s->packed_len = s->window_len = 0;
	free(take_ptr(s->window));
}

static struct error *keep_window(struct deflate_index *x, struct segment *s, z_stream *z)
{
	uint8_t window[INFLATE_WINDOW], packed[LZ4_COMPRESSBOUND(INFLATE_WINDOW)];
	uInt len = 0;
	int packed_len;

	if (inflateGetDictionary(z, window, &len) != Z_OK || !len)
		return NULL;
	packed_len = LZ4_compress_default((const char *)window, (char *)packed, (int)len,
					  sizeof(packed));
	if (!(s->window = malloc((size_t)packed_len)))
		return &error_no_memory;
	memcpy(s->window, packed, (size_t)packed_len);
	s->packed_len = (uint16_t)packed_len;
	s->window_len = (uint16_t)len;
	x->window_bytes += s->packed_len;
	return NULL;
}

static uint64_t memory_used(const struct deflate_index *x)
{
	return x->window_bytes + x->count * sizeof(*x->items);
}

/* May the segments `a` and the one after it, which ends at `end`, be one? */
static bool can_merge(const struct deflate_index *x, const struct segment *a,
		      const struct segment *b, uint64_t end)
{
	uint64_t len = end - a->out;

	if (a->is_zero)
		return b->is_zero && len <= BLOCK_FILE_MAX_BLOCK / 2;
	return b->out - a->out < x->spacing && len <= x->max_block;
}

/* Drops places that are nearer to the one before than the spacing, which doubles. The last one's
 * segment has just begun. */
static void thin(struct deflate_index *x)
{
	size_t kept = 1;

	x->spacing *= 2;
	for (size_t n = 1; n < x->count; n++) {
		struct segment *s = &x->items[n];

		if (n + 1 < x->count && can_merge(x, &x->items[kept - 1], s, s[1].out)) {
			x->items[kept - 1].is_zero &= s->is_zero;
			drop_window(x, s);
		} else {
			x->items[kept++] = *s;
		}
	}
	x->count = kept;
}

/* The last segment is whole. */
static void end_segment(struct deflate_index *x)
{
	struct segment *s = x->count ? &x->items[x->count - 1] : NULL;

	if (s && s->out == x->size) { /* empty */
		drop_window(x, s);
		x->count--;
	} else if (s && s->is_zero) {
		drop_window(x, s);
	}
}

/* *ret false: even the widest spacing takes too much memory. */
static struct error *begin_segment(struct deflate_index *x, struct inflater *i,
				   const struct inflate_place *place, bool *ret)
{
	struct segment s = { .out = x->size, .place = *place, .is_zero = true };
	struct error *err;

	end_segment(x);
	err = array_reserve(&x->items, &x->capacity, x->count + 1, sizeof(*x->items), MAX_SEGMENTS,
			    "places in a deflated file");
	if (err || (!i->at_start && (err = keep_window(x, &s, &i->z))))
		return err;
	x->items[x->count++] = s;
	while (memory_used(x) > x->budget && x->spacing < x->max_block)
		thin(x);
	*ret = memory_used(x) <= x->budget;
	return NULL;
}

static bool begins_here(const struct deflate_index *x)
{
	const struct segment *s = x->count ? &x->items[x->count - 1] : NULL;
	uint64_t len = s ? x->size - s->out : 0;

	return !s || len >= x->spacing;
}

/* Counts bytes that were decoded; false: the segment is too long to be decoded at once. */
static bool count_bytes(struct deflate_index *x, const uint8_t *bytes, size_t len)
{
	struct segment *s = &x->items[x->count - 1];

	if (s->is_zero && !bytes_are_zero(bytes, len))
		s->is_zero = false;
	x->size += len;
	return x->size - s->out <= (s->is_zero ? (uint64_t)BLOCK_FILE_MAX_BLOCK : x->max_block);
}

/* *ret false: the content cannot be cut into pieces that fit the memory. */
static struct error *walk(struct deflate_index *x, struct inflater *i, uint8_t *buf,
			  struct progress *progress, bool *ret)
{
	struct inflate_place place;
	struct error *err = NULL, *size_err;
	uint64_t at = i->feed.at;
	size_t got;

	for (*ret = true; *ret && !err && !i->ended; at = i->feed.at) {
		if (inflater_place(i, &place) && begins_here(x) &&
		    ((err = begin_segment(x, i, &place, ret)) || !*ret))
			break;
		err = inflater_read(i, true, buf, READ_SIZE, &got);
		if (got && !count_bytes(x, buf, got))
			*ret = false;
		if ((size_err = container_check_size(&x->in, x->size))) {
			error_destroy(err);
			return size_err;
		}
		progress_add(progress, i->feed.at - at);
	}
	if (err && x->size && error_code(err) == ERROR_CORRUPT) {
		diag_error(x->in.diag, err, "%s: %s: what follows 0x%" PRIx64 " is not there",
			   x->in.path, x->in.name, x->size);
		err = NULL;
	}
	end_segment(x);
	return err;
}

static struct error *start(struct inflater *i, const struct container_input *in,
			   const struct deflate_range *range)
{
	struct error *err = inflater_init(i, in, range->is_gzip, range->offset, range->end);

	i->checks = !range->is_unchecked;
	i->expected_out = range->expected_size;
	i->expected_crc = range->expected_crc;
	return err;
}

static struct error *index_build(struct deflate_index *x, bool *ret)
{
	uint8_t *buf = malloc(READ_SIZE);
	struct inflater i;
	struct progress progress;
	struct error *err = buf ? NULL : &error_no_memory;

	if (!err && !(err = start(&i, &x->in, &x->range))) {
		progress_begin(&progress, "indexing", x->range.end - x->range.offset,
			       x->in.options->quiet);
		err = walk(x, &i, buf, &progress, ret);
		progress_end(&progress);
		inflater_deinit(&i);
	}
	free(buf);
	return err;
}

static struct error *decode_segment(const struct deflate_index *x, const struct segment *s,
				    uint8_t *buf, size_t len)
{
	uint8_t window[INFLATE_WINDOW];
	struct inflater i;
	struct error *err;
	size_t got = 0;

	if (s->window && LZ4_decompress_safe((const char *)s->window, (char *)window, s->packed_len,
					     sizeof(window)) != s->window_len)
		return error_new(ERROR_CORRUPT, "the index is damaged");
	if ((err = start(&i, &x->in, &x->range)))
		return err;
	err = inflater_resume(&i, &s->place, window, s->window_len);
	if (!err)
		err = inflater_read(&i, false, buf, len, &got);
	inflater_deinit(&i);
	if (got == len) { /* what is damaged comes behind it */
		error_destroy(err);
		return NULL;
	}
	return err ? err
		   : error_new(ERROR_CORRUPT, "expected %zu bytes decoded, found %zu", len, got);
}

static struct error *decode(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	const struct deflate_index *x = arg;
	const struct segment *s = &x->items[index];

	return error_wrap(decode_segment(x, s, buf, len),
			  "%s: block %" PRIu64 " at offset 0x%" PRIx64, x->in.name, index,
			  s->place.offset);
}

static bool is_zero(void *arg, uint64_t index)
{
	const struct deflate_index *x = arg;

	return x->items[index].is_zero;
}

/* Takes x. */
static struct error *index_open(struct deflate_index *x, struct file *ret)
{
	static const struct block_file_ops ops = {
		.decode = decode,
		.is_zero = is_zero,
		.destroy = index_destroy,
	};
	struct block_file *b;
	struct error *err =
		block_cache_reserve(x->in.cache, memory_used(x), "the index of a deflated file");

	if (err) {
		index_destroy(x);
		return err;
	}
	if ((err = block_file_create(x->in.cache, &ops, x, &b)))
		return err;
	for (size_t n = 0; n < x->count && !err; n++) {
		uint64_t end = n + 1 < x->count ? x->items[n + 1].out : x->size;

		err = block_file_add(b, 1, end - x->items[n].out);
	}
	if (err) {
		block_file_destroy(b);
		return err;
	}
	if (!(err = block_file_open(b, x->in.path, ret)))
		ret->is_internal = true;
	return err;
}

static struct error *stream_read(void *arg, uint8_t *out, size_t room, size_t *got)
{
	return inflater_read(arg, false, out, room, got);
}

static uint64_t stream_position(const void *arg)
{
	const struct inflater *i = arg;

	return i->feed.at;
}

static struct error *spool(const struct container_input *in, const struct deflate_range *range,
			   struct file *ret)
{
	static const struct stream_ops ops = { stream_read, stream_position };
	struct inflater i;
	struct error *err = start(&i, in, range);

	if (err)
		return err;
	err = stream_spool(in, &ops, &i, range->end - range->offset,
			   "its blocks do not fit what --max-memory allows", ret);
	inflater_deinit(&i);
	return err;
}

struct error *deflate_open(const struct container_input *in, const struct deflate_range *range,
			   struct file *ret)
{
	struct deflate_index *x CLEANUP(index_cleanup) = calloc(1, sizeof(*x));
	struct error *err;
	bool fits;

	if (!x)
		return &error_no_memory;
	x->in = *in;
	x->range = *range;
	x->max_block = container_max_block(in);
	x->budget = block_cache_room(in->cache) / INDEX_SHARE;
	x->spacing = x->max_block / 2 < FIRST_SPACING ? x->max_block / 2 : FIRST_SPACING;
	if ((err = index_build(x, &fits)))
		return err;
	if (!fits)
		return spool(in, range, ret);
	return index_open(take_ptr(x), ret);
}
