/* SPDX-License-Identifier: MIT */
#include "base/file_content.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A copy that file_bytes() gave out. */
struct kept {
	struct kept *next;
	uint64_t offset, len;
	uint8_t bytes[];
};

struct file_content {
	struct block_cache *cache;
	const struct file_ops *ops;
	void *arg;
	pthread_mutex_t lock; /* of kept */
	struct kept *kept;
};

static struct file_content *content_new(struct block_cache *cache, const struct file_ops *ops,
					void *arg)
{
	struct file_content *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct file_content){ .cache = cache, .ops = ops, .arg = arg };
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void file_content_destroy(struct file_content *c)
{
	if (!c)
		return;
	while (c->kept) {
		struct kept *k = c->kept;

		c->kept = k->next;
		free(k);
	}
	pthread_mutex_destroy(&c->lock);
	c->ops->destroy(c->arg);
	free(c);
}

struct error *file_create(struct file *ret, const char *path, uint64_t size,
			  struct block_cache *cache, const struct file_ops *ops, void *arg)
{
	struct file f = { .fd = -1, .path = strdup(path), .size = size };

	f.content = content_new(cache, ops, arg);
	if (!f.content)
		ops->destroy(arg);
	if (!f.path || !f.content) {
		file_close(&f);
		return &error_no_memory;
	}
	*ret = f;
	return NULL;
}

bool file_content_next_data(const struct file *f, uint64_t offset, uint64_t *start, uint64_t *end)
{
	const struct file_content *c = f->content;

	if (c->ops->next_data)
		return c->ops->next_data(c->arg, offset, start, end);
	*start = offset;
	*end = f->size;
	return true;
}

static struct error *check_range(const struct file *f, uint64_t offset, uint64_t len)
{
	if (offset <= f->size && len <= f->size - offset)
		return NULL;
	return error_new(ERROR_CORRUPT,
			 "expected %" PRIu64 " bytes at file offset 0x%" PRIx64
			 ", the file ends at 0x%" PRIx64,
			 len, offset, f->size);
}

struct error *file_view(const struct file *f, uint64_t offset, size_t len, struct file_view *ret)
{
	struct file_view v = { .file = f };
	struct error *err = check_range(f, offset, len);

	if (err)
		return err;
	if (f->content)
		err = f->content->ops->view(f->content->arg, offset, len, &v.bytes, &v.pin);
	else
		v.bytes = f->bytes + offset;
	if (!err)
		*ret = v;
	return err;
}

void file_view_release(struct file_view *v)
{
	if (v->pin)
		v->file->content->ops->release(v->file->content->arg, v->pin);
	*v = (struct file_view){ 0 };
}

struct error *file_read(const struct file *f, uint64_t offset, void *buf, size_t len)
{
	uint8_t *out = buf;
	struct error *err = check_range(f, offset, len);

	if (err || !len)
		return err;
	if (!f->content) {
		memcpy(buf, f->bytes + offset, len);
		return NULL;
	}
	for (size_t done = 0, part; done < len; done += part) {
		struct file_view v;

		part = len - done < FILE_MAX_VIEW ? len - done : FILE_MAX_VIEW;
		if ((err = file_view(f, offset + done, part, &v)))
			return err;
		memcpy(out + done, v.bytes, part);
		file_view_release(&v);
	}
	return NULL;
}

static struct error *keep(const struct file *f, uint64_t offset, uint64_t len, const uint8_t **ret)
{
	struct file_content *c = f->content;
	struct error *err = block_cache_reserve(c->cache, len, "a table of the file");
	struct kept *k;

	if (err)
		return err;
	if (!(k = malloc(sizeof(*k) + len)))
		return &error_no_memory;
	if ((err = file_read(f, offset, k->bytes, len))) {
		free(k);
		return err;
	}
	k->offset = offset;
	k->len = len;
	pthread_mutex_lock(&c->lock);
	k->next = c->kept;
	c->kept = k;
	pthread_mutex_unlock(&c->lock);
	*ret = k->bytes;
	return NULL;
}

/* What was given out before and covers the range. */
static const uint8_t *find_kept(struct file_content *c, uint64_t offset, uint64_t len)
{
	const uint8_t *found = NULL;

	pthread_mutex_lock(&c->lock);
	for (const struct kept *k = c->kept; k && !found; k = k->next) {
		if (offset >= k->offset && len <= k->len && offset - k->offset <= k->len - len)
			found = k->bytes + (offset - k->offset);
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

struct error *file_bytes(const struct file *f, uint64_t offset, uint64_t len, const uint8_t **ret)
{
	struct error *err = check_range(f, offset, len);

	if (err)
		return err;
	if (!f->content) {
		*ret = f->size ? f->bytes + offset : NULL;
		return NULL;
	}
	*ret = find_kept(f->content, offset, len);
	return *ret ? NULL : keep(f, offset, len, ret);
}
