/* SPDX-License-Identifier: MIT */
#include "windows/symbols/pdb/records.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_SIZE = 2, KIND_SIZE = 2, MAX_COPIES = 1 << 20 };

struct record_copy {
	uint32_t offset; /* of the record */
	const uint8_t *bytes;
};

static int compare_offsets(const void *a, const void *b)
{
	const struct record_copy *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The length of what follows the length; false where the stream ends. */
static bool record_length(const struct record_stream *rs, uint32_t offset, uint32_t *ret)
{
	uint8_t bytes[LENGTH_SIZE];

	if (offset > rs->end || rs->end - offset < LENGTH_SIZE ||
	    !msf_copy(&rs->stream, offset, LENGTH_SIZE, bytes))
		return false;
	*ret = load_u16(bytes);
	return *ret >= KIND_SIZE && *ret <= rs->end - offset - LENGTH_SIZE;
}

static void fill_record(struct record *ret, uint32_t offset, const uint8_t *bytes, uint32_t len)
{
	ret->offset = offset;
	ret->kind = load_u16(bytes);
	cur_init(&ret->data, bytes + KIND_SIZE, len - KIND_SIZE,
		 (uint64_t)offset + LENGTH_SIZE + KIND_SIZE);
}

bool records_at(const struct record_stream *rs, uint32_t offset, struct record *ret)
{
	const struct record_copy key = { .offset = offset }, *copy;
	const uint8_t *bytes;
	uint32_t len;

	if (!record_length(rs, offset, &len))
		return false;
	bytes = msf_piece(&rs->stream, offset + LENGTH_SIZE, len);
	if (!bytes) {
		if (!rs->num_copies)
			return false;
		copy = bsearch(&key, rs->copies, rs->num_copies, sizeof(key), compare_offsets);
		if (!copy)
			return false;
		bytes = copy->bytes;
	}
	fill_record(ret, offset, bytes, len);
	return true;
}

bool records_next(const struct record_stream *rs, struct record *record)
{
	uint32_t offset = rs->begin;

	if (record->data.base)
		offset = record->offset + LENGTH_SIZE + KIND_SIZE + (uint32_t)record->data.len;
	return records_at(rs, offset, record);
}

/* Copies the bytes of a record that is not in one piece. */
static struct error *add_copy(struct record_stream *rs, uint32_t offset, uint32_t len,
			      const uint8_t **ret)
{
	struct error *err = array_reserve(&rs->copies, &rs->capacity, rs->num_copies + 1,
					  sizeof(*rs->copies), MAX_COPIES, "records across blocks");
	uint8_t *bytes;

	if (err)
		return err;
	bytes = arena_alloc(&rs->arena, len);
	if (!bytes)
		return &error_no_memory;
	if (!msf_copy(&rs->stream, offset + LENGTH_SIZE, len, bytes))
		return error_new(ERROR_CORRUPT, "record at 0x%x: truncated", offset);
	rs->copies[rs->num_copies++] = (struct record_copy){ offset, bytes };
	*ret = bytes;
	return NULL;
}

static struct error *walk(struct record_stream *rs, record_visit_fn *visit, void *arg)
{
	const uint8_t *bytes;
	struct record record;
	struct error *err;
	uint32_t len;

	for (uint32_t offset = rs->begin; offset < rs->end; offset += LENGTH_SIZE + len) {
		if (!record_length(rs, offset, &len))
			return error_new(ERROR_CORRUPT,
					 "record at 0x%x: its length does not fit; %u bytes left",
					 offset, rs->end - offset);
		bytes = msf_piece(&rs->stream, offset + LENGTH_SIZE, len);
		if (!bytes && (err = add_copy(rs, offset, len, &bytes)))
			return err;
		fill_record(&record, offset, bytes, len);
		if ((err = visit(arg, &record)))
			return err;
	}
	return NULL;
}

struct error *records_init(struct record_stream *ret, const struct msf_stream *stream,
			   uint32_t begin, uint32_t end, const char *what, record_visit_fn *visit,
			   void *arg)
{
	struct error *err;

	*ret = (struct record_stream){ .stream = *stream, .begin = begin, .end = end };
	arena_init(&ret->arena, 0);
	if (begin > end || end > stream->size)
		err = error_new(ERROR_CORRUPT, "records end at 0x%x; the stream has 0x%x bytes",
				end, stream->size);
	else
		err = walk(ret, visit, arg);
	if (err)
		records_deinit(ret);
	return error_wrap(err, "%s", what);
}

void records_deinit(struct record_stream *rs)
{
	free(rs->copies);
	arena_deinit(&rs->arena);
	*rs = (struct record_stream){ 0 };
}

bool record_string(struct cursor *c, const char **ret)
{
	const uint8_t *bytes;
	size_t len = c->base ? strnlen((const char *)c->base + c->pos, cur_left(c)) : 0;

	if (len == cur_left(c) || !cur_take(c, len + 1, &bytes))
		return false;
	*ret = (const char *)bytes;
	return true;
}
