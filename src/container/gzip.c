/* SPDX-License-Identifier: MIT */
/*
 * gzip files (RFC 1952): one member or several; and BGZF (SAM/BAM format specification, section
 * 4.1), whose members are at most 64 KiB long and say so, which makes them an index.
 */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"
#include "container/deflate_index.h"
#include "container/inflater.h"
#include "container/pieces.h"

static bool gzip_probe(const uint8_t *head, size_t size)
{
	enum { RESERVED_FLAGS = 0xe0 };

	return size >= 18 && !memcmp(head, "\x1f\x8b\x08", 3) && !(head[3] & RESERVED_FLAGS);
}

/* A BGZF member: a gzip header with just one extra field of 6 bytes. */
enum {
	BGZF_HEADER_SIZE = 18,
	BGZF_SIZE = 16, /* u16: of the whole member, less 1 */
	BGZF_TRAILER_SIZE = 8,
	BGZF_CONTENT_SIZE = 4, /* u32, from the end */
	BGZF_MAX_CONTENT = 64 << 10,
	GZIP_WINDOW_BITS = MAX_WBITS + 16, /* zlib.h: with gzip's header and trailer */
};

static bool is_bgzf(const uint8_t head[BGZF_HEADER_SIZE])
{
	return !memcmp(head, "\x1f\x8b\x08\x04", 4) && !memcmp(head + 10, "\x06\0BC\x02\0", 6);
}

static struct error *bgzf_decode(void *arg, const struct piece *piece, const uint8_t *in,
				 uint8_t *out, size_t out_len)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = piece->len };
	int result;

	(void)arg;
	if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK)
		return &error_no_memory;
	z.next_out = out;
	z.avail_out = (uInt)out_len;
	result = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (result == Z_STREAM_END && z.total_out == out_len)
		return NULL;
	return error_new(ERROR_CORRUPT, "%s: expected %zu bytes, found %lu",
			 z.msg ? z.msg : "no whole member", out_len, z.total_out);
}

static void bgzf_destroy(void *arg)
{
	(void)arg;
}

/* *ret false: a member is none of BGZF's. */
static struct error *bgzf_walk(const struct file *file, struct pieces *pieces, bool *ret)
{
	uint64_t at = 0;
	uint8_t head[BGZF_HEADER_SIZE], size[BGZF_CONTENT_SIZE];
	struct error *err;

	for (*ret = true; *ret && at < file->size;) {
		struct piece piece = { .offset = at };
		uint64_t left = file->size - at;
		uint32_t content;

		*ret = false;
		if (left < sizeof(head))
			return NULL;
		if ((err = file_read(file, at, head, sizeof(head))))
			return err;
		piece.len = load_u16(head + BGZF_SIZE) + 1u;
		if (!is_bgzf(head) || piece.len > left ||
		    piece.len < BGZF_HEADER_SIZE + BGZF_TRAILER_SIZE)
			return NULL;
		at += piece.len;
		if ((err = file_read(file, at - sizeof(size), size, sizeof(size))))
			return err;
		content = load_u32(size);
		if (content > BGZF_MAX_CONTENT)
			return NULL;
		*ret = true; /* the last member is empty */
		if (content && (err = pieces_add(pieces, &piece, content, ret)))
			return err;
	}
	return NULL;
}

static struct error *gzip_check(const struct container_input *in)
{
	uint8_t out[CONTAINER_TRIAL_SIZE];
	struct inflater i;
	struct error *err = inflater_init(&i, in, true, 0, in->file->size);
	size_t got = 0;

	i.checks = false;
	if (!err)
		err = inflater_read(&i, false, out, sizeof(out), &got);
	err = container_trial(err, got, i.feed.at == i.feed.end);
	inflater_deinit(&i);
	return err;
}

static struct error *gzip_open(const struct container_input *in, struct file *ret)
{
	static const struct pieces_ops bgzf = { bgzf_decode, bgzf_destroy };
	struct deflate_range all = { .is_gzip = true, .end = in->file->size };
	struct pieces *pieces CLEANUP(pieces_cleanup) = NULL;
	struct error *err;
	bool is_index;

	if ((err = pieces_create(in, &bgzf, NULL, &pieces)) ||
	    (err = bgzf_walk(in->file, pieces, &is_index)))
		return err;
	if (is_index && pieces_size(pieces))
		return pieces_open(take_ptr(pieces), ret);
	return deflate_open(in, &all, ret);
}

const struct container_ops gzip_container = {
	.name = "gzip",
	.recognised = "1f 8b 08",
	.library = "zlib",
	.built_in = true,
	.probe = gzip_probe,
	.check = gzip_check,
	.open = gzip_open,
};
