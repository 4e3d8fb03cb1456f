/* SPDX-License-Identifier: MIT */
#include "container/file_part.h"

#include <inttypes.h>
#include <stdlib.h>

struct part {
	const struct file *whole;
	uint64_t offset, size;
};

static struct error *view(void *arg, uint64_t offset, size_t len, const uint8_t **ret, void **pin)
{
	const struct part *p = arg;
	struct file_view v;
	struct error *err = file_view(p->whole, p->offset + offset, len, &v);

	if (err)
		return err;
	*ret = v.bytes;
	*pin = v.pin;
	return NULL;
}

static void release(void *arg, void *pin)
{
	const struct part *p = arg;
	struct file_view v = { .file = p->whole, .pin = pin };

	file_view_release(&v);
}

static bool next_data(void *arg, uint64_t offset, uint64_t *start, uint64_t *end)
{
	const struct part *p = arg;
	uint64_t limit = p->offset + p->size, first, last;

	if (!file_next_data(p->whole, p->offset + offset, &first, &last) || first >= limit)
		return false;
	*start = first - p->offset;
	*end = (last < limit ? last : limit) - p->offset;
	return true;
}

static void destroy(void *arg)
{
	free(arg);
}

struct error *file_part_open(const struct file *whole, uint64_t offset, uint64_t size,
			     const char *path, struct block_cache *cache, struct file *ret)
{
	static const struct file_ops ops = {
		.view = view,
		.release = release,
		.next_data = next_data,
		.destroy = destroy,
	};
	struct part *p;

	if (offset > whole->size || size > whole->size - offset)
		return error_new(ERROR_CORRUPT,
				 "%s: expected %" PRIu64 " bytes at offset 0x%" PRIx64
				 " of a file of %" PRIu64,
				 path, size, offset, whole->size);
	if (!(p = malloc(sizeof(*p))))
		return &error_no_memory;
	*p = (struct part){ .whole = whole, .offset = offset, .size = size };
	return file_create(ret, path, size, cache, &ops, p);
}
