/* SPDX-License-Identifier: MIT */
/*
 * One member of a zip archive: what is stored is looked at where it is, what is deflated gets an
 * index, and other methods are other containers' content without a wrapping of its own (PKWARE's
 * APPNOTE.TXT 6.3.10, 4.4.5).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "container/deflate_index.h"
#include "container/file_part.h"
#include "container/zip.h"

enum {
	TINY = 64 << 10, /* what may be a note beside the snapshot */
	MAX_LISTED = 8,	 /* names in a message */
	NAMES_SIZE = 512,
	LOCAL_HEADER_SIZE = 30,
	FLAG_ENCRYPTED = 1 << 0,
	FLAG_SIZES_FOLLOW = 1 << 3, /* the data */
};

/* Names that tell an AFF4 volume (Evimetry, AFF4 Standard v1.0), which is a snapshot format. */
static const char *const aff4_names[] = { "information.turtle", "container.description" };

static bool zip_probe(const uint8_t *head, size_t size)
{
	return size >= LOCAL_HEADER_SIZE && !memcmp(head, "PK\3\4", 4);
}

static void zip_cleanup(struct zip **z)
{
	zip_close(*z);
}

static bool is_at(const struct file *file, uint64_t offset, const char *bytes, size_t len)
{
	char found[64];
	struct error *err;

	if (offset > file->size || len > file->size - offset || len > sizeof(found))
		return false;
	err = file_read(file, offset, found, len);
	if (!err)
		return !memcmp(found, bytes, len);
	error_destroy(err);
	return false;
}

/* Is that the first member's name? For archives that have lost their directory. */
static bool begins_with(const struct file *file, const char *name)
{
	uint16_t len = (uint16_t)strlen(name);
	const char len_bytes[] = { (char)len, (char)(len >> 8) };

	return is_at(file, 26, len_bytes, sizeof(len_bytes)) &&
	       is_at(file, LOCAL_HEADER_SIZE, name, len);
}

/* AFF4 volumes are left to their format. */
static bool zip_leaves(const struct container_input *in)
{
	struct diag quiet;
	struct zip *z CLEANUP(zip_cleanup) = NULL;
	struct error *err;

	diag_init(&quiet, NULL, NULL);
	err = zip_open(in->file, in->cache, &quiet, &z);
	error_destroy(err);
	for (size_t i = 0; i < ARRAY_SIZE(aff4_names); i++) {
		if (z ? zip_find(z, aff4_names[i]) != NULL : begins_with(in->file, aff4_names[i]))
			return true;
	}
	return false;
}

/* Neither a directory nor a first member that an archive could have. */
static struct error *zip_check_first(const struct container_input *in)
{
	enum { MAX_VERSION = 63, MAX_METHOD = 99, MAX_NAME = 4096 };
	struct zip *z CLEANUP(zip_cleanup) = NULL;
	uint8_t h[LOCAL_HEADER_SIZE];
	struct error *err = file_read(in->file, 0, h, sizeof(h));
	struct diag quiet;

	if (err || (h[4] <= MAX_VERSION && load_u16(h + 8) <= MAX_METHOD && load_u16(h + 26) &&
		    load_u16(h + 26) <= MAX_NAME))
		return err;
	diag_init(&quiet, NULL, NULL);
	if (!(err = zip_open(in->file, in->cache, &quiet, &z)))
		return NULL;
	error_destroy(err);
	return error_new(ERROR_CORRUPT,
			 "no directory, and a first member of version %u, method %u, with a name "
			 "of %u bytes",
			 h[4], load_u16(h + 8), load_u16(h + 26));
}

static bool is_candidate(const struct zip_member *m)
{
	return m->size && m->name_len && m->name[m->name_len - 1] != '/';
}

static struct error *ask_which(const struct zip *z, size_t candidates)
{
	char names[NAMES_SIZE] = "";
	size_t used = 0, listed = 0;

	for (size_t i = 0; i < zip_num_members(z) && listed < MAX_LISTED; i++) {
		const struct zip_member *m = zip_member(z, i);

		if (!is_candidate(m))
			continue;
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%.*s'",
					 listed++ ? ", " : "", (int)m->name_len, m->name);
		if (used >= sizeof(names))
			break;
	}
	if (!candidates)
		return error_new(ERROR_UNSUPPORTED, "no member of the archive can be a snapshot");
	return error_new(ERROR_USAGE, "%zu members, choose with --member: %s%s", candidates, names,
			 listed < candidates ? ", ..." : "");
}

/* The member that is asked for, or the only one that can be meant. */
static struct error *choose(const struct zip *z, const char *name, const struct zip_member **ret)
{
	const struct zip_member *only = NULL, *only_large = NULL;
	size_t candidates = 0, large = 0;

	if (name) {
		*ret = zip_find(z, name);
		return *ret ? NULL : error_new(ERROR_USAGE, "no member '%s' in the archive", name);
	}
	for (size_t i = 0; i < zip_num_members(z); i++) {
		const struct zip_member *m = zip_member(z, i);

		if (!is_candidate(m))
			continue;
		only = m;
		candidates++;
		if (m->size < TINY)
			continue;
		only_large = m;
		large++;
	}
	*ret = candidates == 1 ? only : only_large;
	return candidates == 1 || large == 1 ? NULL : ask_which(z, candidates);
}

static struct error *open_stored(const struct container_input *in, uint64_t offset, uint64_t size,
				 struct file *ret)
{
	struct error *err = file_part_open(in->file, offset, size, in->path, in->cache, ret);

	if (!err)
		ret->is_internal = true;
	return err;
}

static const struct container_ops *method_container(uint16_t method)
{
	static const struct {
		uint16_t method;
		const struct container_ops *ops;
	} rows[] = {
		{ 12, &bzip2_container },
		{ 20, &zstd_container },
		{ 93, &zstd_container },
		{ 95, &xz_container },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].method == method)
			return rows[i].ops;
	}
	return NULL;
}

/* What another container's code unpacks. */
static struct error *open_other(const struct container_input *in, const struct container_ops *ops,
				uint64_t offset, uint64_t size, struct file *ret)
{
	struct file *packed CLEANUP(heap_file_cleanup) = NULL;
	struct container_input inner = *in;
	struct file part;
	struct error *err;

	if (!ops->built_in)
		return error_new(ERROR_UNSUPPORTED, "%s-compressed: built without %s", ops->name,
				 ops->library);
	if ((err = file_part_open(in->file, offset, size, in->path, in->cache, &part)) ||
	    (err = file_to_heap(&part, &packed)))
		return err;
	inner.file = packed;
	if (!(err = ops->open(&inner, ret)))
		ret->below = take_ptr(packed);
	return err;
}

static struct error *open_member(const struct container_input *in, const struct zip *z,
				 const struct zip_member *m, struct file *ret)
{
	const struct container_ops *other = method_container(m->method);
	struct deflate_range range = { .expected_size = m->size, .expected_crc = m->crc32 };
	struct error *err;

	if ((err = container_check_size(in, m->size)) || (err = zip_locate(z, m, &range.offset)))
		return err;
	range.end = range.offset + m->compressed_size;
	if (m->method == ZIP_STORED)
		return open_stored(in, range.offset, m->compressed_size, ret);
	if (m->method == ZIP_DEFLATE)
		return deflate_open(in, &range, ret);
	if (other)
		return open_other(in, other, range.offset, m->compressed_size, ret);
	return error_new(ERROR_UNSUPPORTED,
			 "member '%.*s': compressed with method %u (%s), which is not read here",
			 (int)m->name_len, m->name, m->method, zip_method_name(m->method));
}

/* The local header of the first member that is no folder and no note; or of the last one. */
static struct error *find_first(const struct file *file, uint8_t h[LOCAL_HEADER_SIZE],
				uint64_t *data_ret)
{
	uint64_t next = 0;
	struct error *err = NULL;

	do {
		if ((err = file_read(file, next, h, LOCAL_HEADER_SIZE)))
			return err;
		*data_ret = next + LOCAL_HEADER_SIZE + load_u16(h + 26) + load_u16(h + 28);
		next = *data_ret + load_u32(h + 18);
	} while (!(load_u16(h + 6) & FLAG_SIZES_FOLLOW) && load_u32(h + 22) < TINY &&
		 is_at(file, next, "PK\3\4", 4));
	return NULL;
}

/* The first member, of an archive whose end is not there. */
static struct error *open_first(const struct container_input *in, struct file *ret)
{
	uint8_t h[LOCAL_HEADER_SIZE];
	struct deflate_range range = { .end = in->file->size };
	uint16_t flags, method;
	uint64_t left, size;
	struct error *err = find_first(in->file, h, &range.offset);

	if (err)
		return err;
	flags = load_u16(h + 6);
	method = load_u16(h + 8);
	size = load_u32(h + 18);
	if (flags & FLAG_ENCRYPTED || range.offset >= range.end ||
	    (method != ZIP_STORED && method != ZIP_DEFLATE))
		return error_new(ERROR_CORRUPT, "the archive has no directory and its first member "
						"cannot be read without it");
	diag_partial(in->diag,
		     "%s: %s: the archive is cut off: expected a directory at its end, reading its "
		     "first member",
		     in->path, in->name);
	left = range.end - range.offset;
	if (method == ZIP_STORED)
		return open_stored(in, range.offset, size && size < left ? size : left, ret);
	range.is_unchecked = flags & FLAG_SIZES_FOLLOW;
	range.expected_crc = load_u32(h + 14);
	range.expected_size = load_u32(h + 22);
	return deflate_open(in, &range, ret);
}

static struct error *zip_open_one(const struct container_input *in, struct file *ret)
{
	struct zip *z CLEANUP(zip_cleanup) = NULL;
	const struct zip_member *m;
	struct error *err = zip_open(in->file, in->cache, in->diag, &z);

	if (error_catch(&err, ERROR_NOT_FOUND))
		return open_first(in, ret);
	if (err || (err = choose(z, in->options->member, &m)))
		return err;
	return open_member(in, z, m, ret);
}

const struct container_ops zip_container = {
	.name = "zip",
	.recognised = "50 4b 03 04 (AFF4 volumes are a format)",
	.library = "zlib",
	.built_in = true,
	.probe = zip_probe,
	.leaves = zip_leaves,
	.check = zip_check_first,
	.open = zip_open_one,
};
