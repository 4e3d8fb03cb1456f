/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/crashdump/parts.h"

/*
 * Secondary data: what drivers add to a dump when the machine crashes. It follows the dump proper:
 *
 *	DUMP_BLOB_FILE_HEADER	"DumpBlob", HeaderSize u32, BuildNumber u32
 *	DUMP_BLOB_HEADER	HeaderSize u32, Tag GUID, DataSize u32, PrePad u32, PostPad u32
 *	PrePad bytes, DataSize bytes, PostPad bytes, and the next DUMP_BLOB_HEADER, to the file's
 *end
 *
 * Nothing counts them; a HeaderSize of 0 ends them early. Layout: the Windows driver kit's symbols.
 */
enum {
	BLOB_FILE_HEADER_SIZE = 16,
	BLOB_HEADER_SIZE = 32,
	BLOB_TAG_SIZE = 16,
	BLOB_MAX_HEADER = 4096,
	BLOB_MAX_COUNT = 4096,
};
static const char signature[] = "DumpBlob";

/* Moves to the first blob; false: there are none. */
static bool enter_blobs(struct cursor *c)
{
	const uint8_t *mark;
	uint32_t header_size;

	if (!cur_take(c, strlen(signature), &mark) ||
	    memcmp(mark, signature, strlen(signature)) != 0 || !cur_u32(c, &header_size))
		return false;
	return header_size >= BLOB_FILE_HEADER_SIZE && cur_seek(c, header_size);
}

/* One blob, its header and padding passed; false: none follows. */
static bool next_blob(struct cursor *c, struct dump_blob *ret)
{
	uint32_t header_size, pre_pad, post_pad;
	size_t start = c->pos;

	if (!cur_u32(c, &header_size) || header_size < BLOB_HEADER_SIZE ||
	    header_size > BLOB_MAX_HEADER || !cur_copy(c, ret->tag, BLOB_TAG_SIZE) ||
	    !cur_u32(c, &ret->size) || !cur_u32(c, &pre_pad) || !cur_u32(c, &post_pad) ||
	    !cur_seek(c, start) || !cur_skip(c, header_size) || !cur_skip(c, pre_pad))
		return false;
	ret->file_offset = cur_offset(c);
	ret->captured = ret->size < cur_left(c) ? ret->size : (uint32_t)cur_left(c);
	if (!cur_skip(c, ret->size) || !cur_skip(c, post_pad))
		return cur_seek(c, c->len);
	return true;
}

static size_t count_blobs(struct cursor c)
{
	struct dump_blob blob;
	size_t count = 0;

	while (count < BLOB_MAX_COUNT && next_blob(&c, &blob))
		count++;
	return count;
}

struct error *crash_read_blobs(struct crash_dump *d, uint64_t offset)
{
	struct dump_info *info = d->info;
	struct cursor c;
	size_t count;
	const uint8_t *rest;
	struct error *err;

	if (offset >= d->file->size)
		return NULL;
	if ((err = file_bytes(d->file, offset, d->file->size - offset, &rest)))
		return error_wrap(err, "secondary data");
	cur_init(&c, rest, (size_t)(d->file->size - offset), offset);
	if (!enter_blobs(&c))
		return NULL;
	count = count_blobs(c);
	info->blobs = arena_calloc(&info->arena, count, sizeof(*info->blobs));
	if (!info->blobs && count)
		return &error_no_memory;
	while (info->num_blobs < count && next_blob(&c, &info->blobs[info->num_blobs]))
		info->num_blobs++;
	if (count && info->blobs[count - 1].captured < info->blobs[count - 1].size)
		diag_partial(d->diag,
			     "secondary data at 0x%" PRIx64 ": %" PRIu32
			     " bytes, the file ends at 0x%" PRIx64,
			     info->blobs[count - 1].file_offset, info->blobs[count - 1].size,
			     d->file->size);
	return NULL;
}
