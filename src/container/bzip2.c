/* SPDX-License-Identifier: MIT */
/* bzip2 files: streams one after the other, spooled as a whole. */
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif

#include "container/feed.h"
#include "container/stream.h"

/* The stream's header and that of its first block, or the footer of an empty one (Python's
 * Lib/bz2 tests, file(1)'s magic: 'BZh', level, BCD of pi or of its root). */
static bool bzip2_probe(const uint8_t *head, size_t size)
{
	return size >= 10 && !memcmp(head, "BZh", 3) && head[3] >= '1' && head[3] <= '9' &&
	       (!memcmp(head + 4, "\x31\x41\x59\x26\x53\x59", 6) ||
		!memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6));
}

#ifdef HAVE_BZIP2
struct bzip2_stream {
	struct feed feed;
	bz_stream z;
	bool in_stream;
};

/* Another stream, or the end. */
static struct error *begin_stream(struct bzip2_stream *s)
{
	if (*s->feed.next != 'B')
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 ": expected a bzip2 stream or the end of the file",
				 s->feed.at);
	s->z = (bz_stream){ 0 };
	if (BZ2_bzDecompressInit(&s->z, 0, 0) != BZ_OK)
		return &error_no_memory;
	s->in_stream = true;
	return NULL;
}

static void end_stream(struct bzip2_stream *s)
{
	if (s->in_stream)
		BZ2_bzDecompressEnd(&s->z);
	s->in_stream = false;
}

static struct error *step(struct bzip2_stream *s, uint8_t *out, size_t room, size_t *got)
{
	size_t avail = s->feed.avail;
	int result;

	s->z.next_in = (char *)(uintptr_t)s->feed.next;
	s->z.avail_in = (unsigned)avail;
	s->z.next_out = (char *)out;
	s->z.avail_out = room < UINT_MAX ? (unsigned)room : UINT_MAX;
	result = BZ2_bzDecompress(&s->z);
	feed_skip(&s->feed, avail - s->z.avail_in);
	*got = (size_t)((uint8_t *)s->z.next_out - out);
	if (result == BZ_STREAM_END) {
		end_stream(s);
		return NULL;
	}
	if (result == BZ_OK && (avail || *got))
		return NULL;
	if (result == BZ_MEM_ERROR)
		return &error_no_memory;
	if (result == BZ_OK)
		return error_new(ERROR_CORRUPT, "cut off at 0x%" PRIx64, s->feed.at);
	return error_new(ERROR_CORRUPT, "damaged before 0x%" PRIx64 " (bzip2 %d)", s->feed.at,
			 result);
}

static struct error *stream_read(void *arg, uint8_t *out, size_t room, size_t *got)
{
	struct bzip2_stream *s = arg;
	struct error *err = NULL;
	size_t part;

	for (*got = 0; *got < room && !err; *got += part) {
		part = 0;
		if ((err = feed_fill(&s->feed)) || (!s->in_stream && !s->feed.avail))
			break;
		if (!s->in_stream)
			err = begin_stream(s);
		else
			err = step(s, out + *got, room - *got, &part);
	}
	return err;
}

static uint64_t stream_position(const void *arg)
{
	const struct bzip2_stream *s = arg;

	return s->feed.at;
}

static struct error *bzip2_open(const struct container_input *in, struct file *ret)
{
	static const struct stream_ops ops = { stream_read, stream_position };
	struct bzip2_stream s = { .in_stream = false };
	struct error *err;

	feed_init(&s.feed, in->file, 0, in->file->size);
	err = stream_spool(in, &ops, &s, in->file->size,
			   "it cannot be read from anywhere but its beginning", ret);
	end_stream(&s);
	feed_deinit(&s.feed);
	return err;
}
#else
#define bzip2_open NULL
#endif

const struct container_ops bzip2_container = {
	.name = "bzip2",
	.recognised = "BZh",
	.library = "bz2",
#ifdef HAVE_BZIP2
	.built_in = true,
#endif
	.probe = bzip2_probe,
	.open = bzip2_open,
};
