/* SPDX-License-Identifier: MIT */
#include "container/feed.h"

#include <string.h>

enum { VIEW_SIZE = 256 << 10 };

void feed_init(struct feed *f, const struct file *file, uint64_t offset, uint64_t end)
{
	*f = (struct feed){ .file = file, .at = offset, .end = end };
}

void feed_deinit(struct feed *f)
{
	file_view_release(&f->view);
}

struct error *feed_fill(struct feed *f)
{
	uint64_t left = f->end > f->at ? f->end - f->at : 0;
	size_t len = left < VIEW_SIZE ? (size_t)left : VIEW_SIZE;
	struct error *err;

	if (f->avail || !len)
		return NULL;
	file_view_release(&f->view);
	if ((err = file_view(f->file, f->at, len, &f->view)))
		return err;
	f->next = f->view.bytes;
	f->avail = len;
	return NULL;
}

void feed_skip(struct feed *f, size_t len)
{
	f->next += len;
	f->avail -= len;
	f->at += len;
}

struct error *feed_get(struct feed *f, void *buf, size_t len, bool *ret)
{
	uint8_t *out = buf;
	struct error *err;

	for (size_t part; len; len -= part, out += part) {
		if ((err = feed_fill(f)))
			return err;
		part = len < f->avail ? len : f->avail;
		if (!part) {
			*ret = false;
			return NULL;
		}
		memcpy(out, f->next, part);
		feed_skip(f, part);
	}
	*ret = true;
	return NULL;
}

void feed_seek(struct feed *f, uint64_t offset)
{
	f->at = offset < f->end ? offset : f->end;
	f->avail = 0;
}
