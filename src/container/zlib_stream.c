/* SPDX-License-Identifier: MIT */
/*
 * A bare zlib stream (RFC 1950), as LiME writes with compress=1 (its src/deflate.c). Two bytes are
 * no magic, so what it holds has to be a LiME file. LiME's other modes, raw and padded, cannot be
 * told from memory that begins with these two bytes. The Adler-32 at the end is not checked.
 */
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"
#include "container/deflate_index.h"

enum {
	HEADER_SIZE = 2,
	METHOD_MASK = 0x0f,
	METHOD_DEFLATE = 8,
	FLAG_DICTIONARY = 0x20,
	HEAD_SIZE = 512, /* more than the tables of a first block take */
	MAGIC_SIZE = 8,
};
static const char lime_magic[MAGIC_SIZE] = "EMiL\1\0\0";

static bool zlib_probe(const uint8_t *head, size_t size)
{
	return size > HEADER_SIZE && (head[0] & METHOD_MASK) == METHOD_DEFLATE &&
	       (head[0] << 8 | head[1]) % 31 == 0 && !(head[1] & FLAG_DICTIONARY);
}

static bool holds_something_else(const struct container_input *in)
{
	uint8_t head[HEAD_SIZE], out[MAGIC_SIZE] = { 0 };
	size_t size = in->file->size < HEAD_SIZE ? (size_t)in->file->size : HEAD_SIZE;
	z_stream z = {
		.next_in = head, .avail_in = (uInt)size, .next_out = out, .avail_out = sizeof(out)
	};
	struct error *err = file_read(in->file, 0, head, size);

	if (err || inflateInit(&z) != Z_OK) {
		error_destroy(err);
		return true;
	}
	inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	return memcmp(out, lime_magic, sizeof(out)) != 0;
}

static struct error *zlib_open(const struct container_input *in, struct file *ret)
{
	struct deflate_range all = {
		.is_unchecked = true,
		.offset = HEADER_SIZE,
		.end = in->file->size,
	};

	return deflate_open(in, &all, ret);
}

const struct container_ops zlib_container = {
	.name = "zlib",
	.recognised = "a zlib stream that begins with EMiL",
	.library = "zlib",
	.built_in = true,
	.probe = zlib_probe,
	.leaves = holds_something_else,
	.open = zlib_open,
};
