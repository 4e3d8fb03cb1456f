/* SPDX-License-Identifier: MIT */
#include "memory/block_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum {
	MAX_RUNS = 1 << 26,
	RESERVED_AT_ONCE = 1 << 12,
	MAX_STRETCH = 64 << 20, /* of next_data(): more is told by the next call */
};

/* Blocks of one length. */
struct run {
	uint64_t start; /* offset of its first block */
	uint64_t first; /* index of that */
	uint64_t len;
};

struct block_file {
	struct block_cache *cache;
	struct block_source source;
	const struct block_file_ops *ops;
	void *arg;
	struct run *runs;
	size_t num_runs, capacity, reserved;
	uint64_t size, count;
};

/* What a view of zeros shows. */
static const uint8_t zeros[FILE_MAX_VIEW];

static struct error *fill(void *arg, uint64_t index, uint8_t *buf, size_t size)
{
	struct block_file *b = arg;

	return b->ops->decode(b->arg, index, buf, size);
}

static size_t size_of(void *arg, uint64_t index);

struct error *block_file_create(struct block_cache *cache, const struct block_file_ops *ops,
				void *arg, struct block_file **ret)
{
	struct block_file *b = calloc(1, sizeof(*b));

	if (!b) {
		if (ops->destroy)
			ops->destroy(arg);
		return &error_no_memory;
	}
	*b = (struct block_file){ .cache = cache, .ops = ops, .arg = arg };
	b->source = (struct block_source){ .fill = fill, .size_of = size_of, .arg = b };
	block_cache_join(cache, &b->source);
	*ret = b;
	return NULL;
}

void block_file_destroy(struct block_file *b)
{
	if (!b)
		return;
	block_cache_leave(b->cache, &b->source);
	if (b->ops->destroy)
		b->ops->destroy(b->arg);
	free(b->runs);
	free(b);
}

static struct error *add_run(struct block_file *b, uint64_t len)
{
	struct error *err;

	if (b->num_runs == b->reserved) {
		err = block_cache_reserve(b->cache, RESERVED_AT_ONCE * sizeof(*b->runs),
					  "the index of the file's blocks");
		if (err)
			return err;
		b->reserved += RESERVED_AT_ONCE;
	}
	err = array_reserve(&b->runs, &b->capacity, b->num_runs + 1, sizeof(*b->runs), MAX_RUNS,
			    "block lengths");
	if (err)
		return err;
	b->runs[b->num_runs++] = (struct run){ .start = b->size, .first = b->count, .len = len };
	return NULL;
}

struct error *block_file_add(struct block_file *b, uint64_t count, uint64_t len)
{
	uint64_t bytes;
	struct error *err;

	if (!len || len > BLOCK_FILE_MAX_BLOCK)
		return error_new(ERROR_LIMIT,
				 "block %" PRIu64 " of %" PRIu64 " bytes: expected 1 to %d",
				 b->count, len, BLOCK_FILE_MAX_BLOCK);
	if (__builtin_mul_overflow(count, len, &bytes) || bytes > INT64_MAX - b->size)
		return error_new(ERROR_LIMIT, "more than %" PRIi64 " bytes of decoded blocks",
				 INT64_MAX);
	if (!count)
		return NULL;
	if ((!b->num_runs || b->runs[b->num_runs - 1].len != len) && (err = add_run(b, len)))
		return err;
	b->size += bytes;
	b->count += count;
	return NULL;
}

uint64_t block_file_size(const struct block_file *b)
{
	return b->size;
}

uint64_t block_file_count(const struct block_file *b)
{
	return b->count;
}

/* The block that holds a byte of the file. */
struct place {
	uint64_t index, start, len;
};

/* The run of a block, or the one that holds a byte. */
static const struct run *find_run(const struct block_file *b, uint64_t key, bool by_index)
{
	size_t low = 0, high = b->num_runs;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		const struct run *r = &b->runs[middle];

		if ((by_index ? r->first : r->start) <= key)
			low = middle;
		else
			high = middle;
	}
	return &b->runs[low];
}

static struct place find(const struct block_file *b, uint64_t offset)
{
	const struct run *r = find_run(b, offset, false);
	uint64_t nth = (offset - r->start) / r->len;

	return (struct place){ r->first + nth, r->start + nth * r->len, r->len };
}

static bool is_zero(const struct block_file *b, uint64_t index)
{
	return b->ops->is_zero && b->ops->is_zero(b->arg, index);
}

/* For reading ahead. */
static size_t size_of(void *arg, uint64_t index)
{
	const struct block_file *b = arg;

	if (index >= b->count || is_zero(b, index))
		return 0;
	return find_run(b, index, true)->len;
}

/* Part of one block: [offset, offset + len). */
static struct error *view_part(struct block_file *b, const struct place *p, uint64_t offset,
			       const uint8_t **ret, void **pin)
{
	struct error *err;

	*pin = NULL;
	if (is_zero(b, p->index)) {
		*ret = zeros;
		return NULL;
	}
	err = block_cache_get(b->cache, &b->source, p->index, p->len, ret, pin);
	if (!err)
		*ret += offset - p->start;
	return err;
}

/* What spans several blocks is put together in a copy. */
static struct error *copy_parts(struct block_file *b, uint64_t offset, size_t len, uint8_t *out)
{
	while (len) {
		struct place p = find(b, offset);
		uint64_t left = p.start + p.len - offset;
		size_t part = len < left ? len : (size_t)left;
		const uint8_t *bytes;
		void *pin;
		struct error *err = view_part(b, &p, offset, &bytes, &pin);

		if (err)
			return err;
		memcpy(out, bytes, part);
		block_cache_release(b->cache, pin);
		out += part;
		offset += part;
		len -= part;
	}
	return NULL;
}

static struct error *view(void *arg, uint64_t offset, size_t len, const uint8_t **ret, void **pin)
{
	struct block_file *b = arg;
	struct place p;
	struct error *err;
	uint8_t *copy;

	*pin = NULL;
	if (!len) {
		*ret = zeros;
		return NULL;
	}
	p = find(b, offset);
	if (len <= p.start + p.len - offset)
		return view_part(b, &p, offset, ret, pin);
	if ((err = block_cache_scratch(b->cache, len, &copy, pin)))
		return err;
	if ((err = copy_parts(b, offset, len, copy))) {
		block_cache_release(b->cache, take_ptr(*pin));
		return err;
	}
	*ret = copy;
	return NULL;
}

static void release(void *arg, void *pin)
{
	struct block_file *b = arg;

	block_cache_release(b->cache, pin);
}

static bool next_data(void *arg, uint64_t offset, uint64_t *start, uint64_t *end)
{
	struct block_file *b = arg;
	struct place p;

	if (!b->ops->is_zero) {
		*start = offset;
		*end = b->size;
		return true;
	}
	while (offset < b->size && (p = find(b, offset), is_zero(b, p.index)))
		offset = p.start + p.len;
	if (offset >= b->size)
		return false;
	*start = offset;
	while (offset < b->size && offset - *start < MAX_STRETCH &&
	       (p = find(b, offset), !is_zero(b, p.index)))
		offset = p.start + p.len;
	*end = offset;
	return true;
}

static void destroy(void *arg)
{
	block_file_destroy(arg);
}

struct error *block_file_open(struct block_file *b, const char *path, struct file *ret)
{
	static const struct file_ops ops = {
		.view = view,
		.release = release,
		.next_data = next_data,
		.destroy = destroy,
	};

	return file_create(ret, path, b->size, b->cache, &ops, b);
}
