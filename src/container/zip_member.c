/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"
#include "codec/codec.h"
#include "container/file_part.h"
#include "container/zip_private.h"

enum {
	LOCAL_SIGNATURE = 0x04034b50,
	MAX_NAME_SHOWN = 80,
	/* Deflate cannot do better than 1032 to 1. */
	MAX_DEFLATE_RATIO = 1032,
};

/* How a message names a member: the text goes through the sinks' escaping. */
#define NAME_FORMAT "zip member '%.*s'"
#define NAME_ARGS(m) \
	(int)((m)->name_len < MAX_NAME_SHOWN ? (m)->name_len : MAX_NAME_SHOWN), (m)->name

static const struct {
	uint16_t method;
	const char *name;
} methods[] = {
	{ 0, "stored" },    { 1, "shrink" }, { 6, "implode" }, { 8, "deflate" },
	{ 9, "deflate64" }, { 12, "bzip2" }, { 14, "lzma" },   { 20, "zstd (old number)" },
	{ 93, "zstd" },	    { 94, "mp3" },   { 95, "xz" },     { 97, "wavpack" },
	{ 98, "ppmd" },	    { 99, "aes" },
};

const char *zip_method_name(uint16_t method)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (methods[i].method == method)
			return methods[i].name;
	}
	return "unknown";
}

/* What the local header says must not contradict the directory. */
static struct error *check_local(const struct zip_member *m, const uint8_t *header)
{
	uint32_t signature = load_u32(header);
	uint16_t method = load_u16(header + 8), name_len = load_u16(header + 26);

	if (signature != LOCAL_SIGNATURE)
		return error_new(ERROR_CORRUPT,
				 "expected a local header at file offset 0x%" PRIx64
				 ", found signature 0x%x",
				 m->header_offset, signature);
	if (method != m->method)
		return error_new(ERROR_CORRUPT,
				 "local header at file offset 0x%" PRIx64
				 ": expected method %u, found %u",
				 m->header_offset, m->method, method);
	if (name_len != m->name_len)
		return error_new(ERROR_CORRUPT,
				 "local header at file offset 0x%" PRIx64
				 ": expected a name of %u bytes, found %u",
				 m->header_offset, m->name_len, name_len);
	return NULL;
}

static struct error *check_local_name(const struct zip *z, const struct zip_member *m)
{
	struct file_view v;
	struct error *err = file_view(z->file, m->header_offset + ZIP_LOCAL_SIZE, m->name_len, &v);
	bool same;

	if (err)
		return err;
	same = !memcmp(v.bytes, m->name, m->name_len);
	file_view_release(&v);
	return same ? NULL
		    : error_new(ERROR_CORRUPT,
				"local header at file offset 0x%" PRIx64
				" has another name than the directory",
				m->header_offset);
}

static struct error *locate(const struct zip *z, const struct zip_member *m, uint64_t *ret)
{
	uint8_t header[ZIP_LOCAL_SIZE];
	struct error *err;
	uint64_t offset;

	if (m->overlaps)
		return error_new(ERROR_CORRUPT, "shares bytes with another member");
	if (m->flags & ZIP_ENCRYPTED)
		return error_new(ERROR_UNSUPPORTED, "encrypted");
	if (m->header_offset > z->directory_offset)
		return error_new(ERROR_CORRUPT,
				 "local header at file offset 0x%" PRIx64
				 ": expected it before the directory at 0x%" PRIx64,
				 m->header_offset, z->directory_offset);
	if ((err = file_read(z->file, m->header_offset, header, sizeof(header))) ||
	    (err = check_local(m, header)) || (err = check_local_name(z, m)))
		return err;
	offset = m->header_offset + ZIP_LOCAL_SIZE + m->name_len + load_u16(header + 28);
	if (offset > z->directory_offset || m->compressed_size > z->directory_offset - offset)
		return error_new(ERROR_CORRUPT,
				 "%" PRIu64 " bytes at file offset 0x%" PRIx64
				 ", expected them before the directory at 0x%" PRIx64,
				 m->compressed_size, offset, z->directory_offset);
	*ret = offset;
	return NULL;
}

struct error *zip_locate(const struct zip *z, const struct zip_member *m, uint64_t *offset_ret)
{
	return error_wrap(locate(z, m, offset_ret), NAME_FORMAT, NAME_ARGS(m));
}

static struct error *method_error(const struct zip_member *m)
{
	return error_new(ERROR_UNSUPPORTED, NAME_FORMAT ": compressed with method %u (%s)",
			 NAME_ARGS(m), m->method, zip_method_name(m->method));
}

static struct error *check_stored_size(const struct zip_member *m)
{
	if (m->size == m->compressed_size)
		return NULL;
	return error_new(ERROR_CORRUPT,
			 NAME_FORMAT ": stored, expected equal sizes, found %" PRIu64
				     " and %" PRIu64,
			 NAME_ARGS(m), m->compressed_size, m->size);
}

struct error *zip_open_stored(const struct zip *z, const struct zip_member *m, const char *path,
			      struct file *ret)
{
	uint64_t offset;
	struct error *err;

	if (m->method != ZIP_STORED)
		return method_error(m);
	if ((err = zip_locate(z, m, &offset)) || (err = check_stored_size(m)))
		return err;
	return file_part_open(z->file, offset, m->size, path, z->cache, ret);
}

static struct error *inflate_member(const struct zip_member *m, const uint8_t *in, uint8_t *out)
{
	struct decoder *decoder;
	struct error *err = decoder_create(CODEC_DEFLATE, &decoder);

	if (err)
		return err;
	err = decoder_run_exact(decoder, in, m->compressed_size, out, m->size);
	decoder_destroy(decoder);
	return err;
}

static struct error *check_crc(const struct zip_member *m, const uint8_t *bytes)
{
	uLong crc = crc32_z(0, bytes, m->size);

	if (crc == m->crc32)
		return NULL;
	return error_new(ERROR_CORRUPT, "expected CRC 0x%08x, found 0x%08lx", m->crc32, crc);
}

struct error *zip_check(const struct zip_member *m, const uint8_t *bytes)
{
	return error_wrap(check_crc(m, bytes), NAME_FORMAT, NAME_ARGS(m));
}

/* in: the compressed bytes, from the mapping or a copy. */
static struct error *decode(const struct zip_member *m, const uint8_t *in, uint8_t *out)
{
	struct error *err;

	if (m->method == ZIP_DEFLATE) {
		err = inflate_member(m, in, out);
		return err ? err : check_crc(m, out);
	}
	if (m->size)
		memcpy(out, in, m->size);
	return NULL;
}

/* The member's compressed bytes: the mapping's, or a copy that the cache pays for and takes back
 * by *pin_ret. */
static struct error *load(const struct zip *z, const struct zip_member *m, uint64_t offset,
			  const uint8_t **ret, void **pin_ret)
{
	uint8_t *copy;
	struct error *err;

	*pin_ret = NULL;
	if (!z->file->content)
		return file_bytes(z->file, offset, m->compressed_size, ret);
	err = block_cache_scratch(z->cache, m->compressed_size + 1, &copy, pin_ret);
	if (err)
		return err;
	*ret = copy;
	return file_read(z->file, offset, copy, m->compressed_size);
}

static struct error *read_kept(struct zip *z, const struct zip_member *m, uint64_t offset,
			       const uint8_t **ret)
{
	struct zip_kept *k;
	const uint8_t *in;
	void *pin;
	struct error *err = block_cache_reserve(z->cache, m->size, "a member of the zip archive");

	if (err)
		return err;
	if (!(k = malloc(sizeof(*k) + m->size)))
		return &error_no_memory;
	err = load(z, m, offset, &in, &pin);
	if (!err)
		err = decode(m, in, k->bytes);
	block_cache_release(z->cache, pin);
	if (err) {
		free(k);
		return err;
	}
	k->next = z->kept;
	z->kept = k;
	*ret = k->bytes;
	return NULL;
}

struct error *zip_read(struct zip *z, const struct zip_member *m, uint64_t max_size,
		       const uint8_t **ret)
{
	uint64_t offset;
	struct error *err;

	if (m->method != ZIP_STORED && m->method != ZIP_DEFLATE)
		return method_error(m);
	if (m->size > max_size)
		return error_new(ERROR_LIMIT,
				 NAME_FORMAT ": %" PRIu64 " bytes, expected at most %" PRIu64,
				 NAME_ARGS(m), m->size, max_size);
	if ((err = zip_locate(z, m, &offset)))
		return err;
	if (m->method == ZIP_STORED && (err = check_stored_size(m)))
		return err;
	if (m->method == ZIP_DEFLATE && m->size / MAX_DEFLATE_RATIO > m->compressed_size)
		return error_new(ERROR_CORRUPT,
				 NAME_FORMAT ": %" PRIu64 " bytes cannot be in %" PRIu64
					     " of deflate",
				 NAME_ARGS(m), m->size, m->compressed_size);
	if (m->method == ZIP_STORED && !z->file->content)
		err = file_bytes(z->file, offset, m->size, ret);
	else
		err = read_kept(z, m, offset, ret);
	return error_wrap(err, NAME_FORMAT, NAME_ARGS(m));
}
