/* SPDX-License-Identifier: MIT */
#include "formats/vmware/state.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"

enum {
	HEADER_SIZE = 12,
	GROUP_SIZE = 80,
	GROUP_NAME_SIZE = 64,
	GROUP_OFFSET = 64,
	MAX_GROUPS = 4096,
	/* A tag's flags: number of indices in the upper two bits, size of the value below. */
	INDICES_SHIFT = 6,
	SIZE_MASK = 0x3f,
	SIZE_COMPRESSED_BLOCK = 0x3e,
	SIZE_BLOCK = 0x3f,
};

/* Of 32-bit files, whose sizes of blocks have four bytes, the last digit is 0. */
static const uint32_t magics[] = { 0xbed0bed0, 0xbed2bed0, 0xbad1bad1, 0xbed1bed1,
				   0xbad2bad2, 0xbed2bed2, 0xbed3bed3 };

bool state_is_magic(const uint8_t bytes[STATE_MAGIC_SIZE])
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		if (load_u32(bytes) == magics[i])
			return true;
	}
	return false;
}

/* The group's first tag; 0: there is no such group. */
static struct error *find_group(struct file_reader *r, const char *group, uint64_t *offset_ret,
				size_t *size_bytes_ret)
{
	const uint8_t *header, *row;
	uint32_t count;
	struct error *err = file_reader_take(r, HEADER_SIZE, &header);

	if (err)
		return err;
	if (!state_is_magic(header))
		return error_new(ERROR_UNSUPPORTED,
				 "expected VMware's snapshot state, found magic 0x%08" PRIx32,
				 load_u32(header));
	*size_bytes_ret = header[0] & 0xf ? sizeof(uint64_t) : sizeof(uint32_t);
	count = load_u32(header + 8);
	if (count > MAX_GROUPS)
		return error_new(ERROR_LIMIT, "%" PRIu32 " groups: expected at most %d", count,
				 MAX_GROUPS);
	*offset_ret = 0;
	for (uint32_t i = 0; i < count; i++) {
		if ((err = file_reader_take(r, GROUP_SIZE, &row)))
			return error_wrap(err, "group %" PRIu32 " of %" PRIu32, i, count);
		if (strncmp((const char *)row, group, GROUP_NAME_SIZE))
			continue;
		*offset_ret = load_u64(row + GROUP_OFFSET);
		return NULL;
	}
	return NULL;
}

/* Sizes in the file and in memory, and how many bytes of padding there are before the block. */
static struct error *read_block_header(struct file_reader *r, size_t size_bytes,
				       struct state_tag *tag)
{
	uint64_t in_memory, padding;
	struct error *err;

	if ((err = file_reader_little_endian(r, size_bytes, &tag->size)) ||
	    (err = file_reader_little_endian(r, size_bytes, &in_memory)) ||
	    (err = file_reader_little_endian(r, 2, &padding)))
		return err;
	tag->offset = r->pos + padding;
	return NULL;
}

/* *is_end: the empty tag, which ends a group. */
static struct error *read_tag(struct file_reader *r, size_t size_bytes, struct state_tag *tag,
			      bool *is_end)
{
	const uint8_t *head, *name;
	uint8_t flags, length;
	uint64_t index;
	struct error *err = file_reader_take(r, 2, &head);

	if (err)
		return err;
	flags = head[0];
	length = head[1];
	*is_end = !flags && !length;
	if (*is_end)
		return NULL;
	if ((err = file_reader_take(r, length, &name)))
		return err;
	memcpy(tag->name, name, length);
	tag->name[length] = '\0';
	tag->num_indices = flags >> INDICES_SHIFT;
	for (size_t i = 0; i < tag->num_indices; i++) {
		if ((err = file_reader_little_endian(r, 4, &index)))
			return err;
		tag->indices[i] = (uint32_t)index;
	}
	tag->is_compressed = (flags & SIZE_MASK) == SIZE_COMPRESSED_BLOCK;
	tag->is_block = tag->is_compressed || (flags & SIZE_MASK) == SIZE_BLOCK;
	tag->offset = r->pos;
	tag->size = flags & SIZE_MASK;
	return tag->is_block ? read_block_header(r, size_bytes, tag) : NULL;
}

static struct error *skip_value(struct file_reader *r, const struct state_tag *tag)
{
	if (tag->offset > r->file->size || tag->size > r->file->size - tag->offset)
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 " bytes at file offset 0x%" PRIx64
				 ": the file has 0x%" PRIx64,
				 tag->size, tag->offset, r->file->size);
	r->pos = tag->offset + tag->size;
	return NULL;
}

static struct error *walk_tags(struct file_reader *r, size_t size_bytes,
			       struct error *(*visit)(void *arg, const struct state_tag *tag),
			       void *arg)
{
	struct state_tag tag;
	bool is_end;

	for (;;) {
		uint64_t offset = r->pos;
		struct error *err = read_tag(r, size_bytes, &tag, &is_end);

		if (err)
			return error_wrap(err, "tag at file offset 0x%" PRIx64, offset);
		if (is_end)
			return NULL;
		/* The visitor sees a value that is cut off as well. */
		if ((err = visit(arg, &tag)) || (err = skip_value(r, &tag)))
			return error_wrap(err, "tag '%s' at file offset 0x%" PRIx64, tag.name,
					  offset);
	}
}

struct error *state_walk(const struct file *file, const char *group,
			 struct error *(*visit)(void *arg, const struct state_tag *tag), void *arg,
			 bool *found_ret)
{
	struct file_reader r;
	uint64_t offset;
	size_t size_bytes;
	struct error *err;

	file_reader_init(&r, file, 0);
	err = find_group(&r, group, &offset, &size_bytes);
	*found_ret = !err && offset;
	if (*found_ret) {
		r.pos = offset;
		err = error_wrap(walk_tags(&r, size_bytes, visit, arg), "group '%s'", group);
	}
	file_reader_deinit(&r);
	return err;
}

bool state_value(const struct file *file, const struct state_tag *tag, uint64_t at, size_t size,
		 uint64_t *ret)
{
	uint8_t bytes[sizeof(*ret)] = { 0 };
	struct error *err;

	if (tag->is_compressed || at > tag->size || size > tag->size - at)
		return false;
	err = file_read(file, tag->offset + at, bytes, size);
	if (err) {
		error_destroy(err);
		return false;
	}
	*ret = load_u64(bytes);
	return true;
}
