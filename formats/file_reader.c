/* SPDX-License-Identifier: MIT */
#include "formats/file_reader.h"

#include <inttypes.h>

enum { SHORT_STRETCH = 4096 };

void file_reader_init(struct file_reader *r, const struct file *file, uint64_t pos)
{
	*r = (struct file_reader){ .file = file, .pos = pos };
}

void file_reader_deinit(struct file_reader *r)
{
	file_view_release(&r->view);
	r->view_len = 0;
}

uint64_t file_reader_left(const struct file_reader *r)
{
	return r->pos < r->file->size ? r->file->size - r->pos : 0;
}

static struct error *too_short(const struct file_reader *r, uint64_t len)
{
	return error_new(ERROR_CORRUPT,
			 "file offset 0x%" PRIx64 ": expected 0x%" PRIx64
			 " bytes, the file ends after 0x%" PRIx64,
			 r->pos, len, file_reader_left(r));
}

/* Looks at a stretch from pos on; where that holds something that cannot be decoded at a short one,
 * and where that does at the piece alone. */
static struct error *look(struct file_reader *r, size_t len)
{
	static const size_t stretches[] = { FILE_MAX_VIEW, SHORT_STRETCH, 0 };
	uint64_t left = file_reader_left(r);
	size_t i = r->pos < r->short_until, stretch;
	struct error *err;

	file_reader_deinit(r);
	for (;; i++) {
		stretch = left < stretches[i] ? (size_t)left : stretches[i];
		if (stretch < len)
			stretch = len;
		err = file_view(r->file, r->pos, stretch, &r->view);
		if (!err || stretch == len)
			break;
		error_destroy(err);
		if (!i)
			r->short_until = r->pos + stretch;
	}
	if (err)
		return err;
	r->view_start = r->pos;
	r->view_len = stretch;
	return NULL;
}

struct error *file_reader_take(struct file_reader *r, size_t len, const uint8_t **ret)
{
	struct error *err;

	if (len > file_reader_left(r))
		return too_short(r, len);
	if (r->pos < r->view_start || r->pos - r->view_start > r->view_len ||
	    len > r->view_len - (r->pos - r->view_start)) {
		err = look(r, len);
		if (err)
			return err;
	}
	*ret = r->view.bytes + (r->pos - r->view_start);
	r->pos += len;
	return NULL;
}

struct error *file_reader_big_endian(struct file_reader *r, size_t len, uint64_t *ret)
{
	const uint8_t *bytes;
	struct error *err = file_reader_take(r, len, &bytes);
	uint64_t value = 0;

	if (err)
		return err;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	*ret = value;
	return NULL;
}

struct error *file_reader_little_endian(struct file_reader *r, size_t len, uint64_t *ret)
{
	const uint8_t *bytes;
	struct error *err = file_reader_take(r, len, &bytes);
	uint64_t value = 0;

	if (err)
		return err;
	for (size_t i = len; i-- > 0;)
		value = value << 8 | bytes[i];
	*ret = value;
	return NULL;
}

struct error *file_reader_skip(struct file_reader *r, uint64_t len)
{
	if (len > file_reader_left(r))
		return too_short(r, len);
	r->pos += len;
	return NULL;
}
