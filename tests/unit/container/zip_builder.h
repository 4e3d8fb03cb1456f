/* SPDX-License-Identifier: MIT */
#ifndef UNIT_CONTAINER_ZIP_BUILDER_H
#define UNIT_CONTAINER_ZIP_BUILDER_H

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"

/* A zip archive in memory, made as a test wants it: fields that lie are set by the test. */
struct built_member {
	const char *name;
	const void *data;
	size_t size;
	uint16_t method; /* 8: deflated */
	uint16_t flags;
	bool zip64;	       /* sizes and offset in an extra field */
	uint64_t claimed_size; /* unless 0 */
	int64_t shift;	       /* of the local header's offset in the directory */
	const char *local_name;
	bool bad_crc;
};

#define STORED(name, data, size)              \
	{                                     \
		name, data, size, .method = 0 \
	}

struct built_zip {
	uint8_t bytes[256 << 10];
	size_t len;
	size_t directory; /* offset */
	size_t end;	  /* of the end of central directory, or of the zip64 one */
};

static inline void put16(struct built_zip *z, uint16_t v)
{
	store_u16(z->bytes + z->len, v);
	z->len += 2;
}

static inline void put32(struct built_zip *z, uint32_t v)
{
	store_u32(z->bytes + z->len, v);
	z->len += 4;
}

static inline void put64(struct built_zip *z, uint64_t v)
{
	store_u64(z->bytes + z->len, v);
	z->len += 8;
}

static inline void put_bytes(struct built_zip *z, const void *bytes, size_t len)
{
	if (len)
		memcpy(z->bytes + z->len, bytes, len);
	z->len += len;
}

static inline size_t built_deflate(const void *in, size_t len, uint8_t *out, size_t room)
{
	z_stream s = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)len };

	s.next_out = out;
	s.avail_out = (uInt)room;
	if (deflateInit2(&s, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&s, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&s);
	return s.total_out;
}

/* The fields that local header and directory share: flags to sizes. */
static inline void put_common(struct built_zip *z, const struct built_member *m, size_t packed,
			      bool narrow)
{
	uint64_t size = m->claimed_size ? m->claimed_size : m->size;

	put16(z, m->flags);
	put16(z, m->method);
	put32(z, 0); /* time, date */
	put32(z, (uint32_t)crc32_z(0, m->data, m->size) ^ m->bad_crc);
	put32(z, narrow ? UINT32_MAX : (uint32_t)packed);
	put32(z, narrow ? UINT32_MAX : (uint32_t)size);
}

static inline size_t put_local(struct built_zip *z, const struct built_member *m)
{
	static uint8_t deflated[128 << 10];
	const char *name = m->local_name ? m->local_name : m->name;
	size_t packed = m->method == 8 ? built_deflate(m->data, m->size, deflated, sizeof(deflated))
				       : m->size;

	put32(z, 0x04034b50);
	put16(z, 45);
	put_common(z, m, packed, false);
	put16(z, (uint16_t)strlen(name));
	put16(z, 3); /* an extra field that only the local header has */
	put_bytes(z, name, strlen(name));
	put_bytes(z, "abc", 3);
	put_bytes(z, m->method == 8 ? deflated : m->data, packed);
	return packed;
}

static inline void put_entry(struct built_zip *z, const struct built_member *m, size_t packed,
			     size_t offset)
{
	uint64_t at = offset + (uint64_t)m->shift;

	put32(z, 0x02014b50);
	put16(z, 45);
	put16(z, 45);
	put_common(z, m, packed, m->zip64);
	put16(z, (uint16_t)strlen(m->name));
	put16(z, m->zip64 ? 5 + 28 : 0);
	put16(z, 2); /* comment */
	put64(z, 0); /* disk, attributes */
	put32(z, m->zip64 ? UINT32_MAX : (uint32_t)at);
	put_bytes(z, m->name, strlen(m->name));
	if (m->zip64) {
		put16(z, 0x7075); /* another extra field first */
		put16(z, 1);
		put_bytes(z, "x", 1);
		put16(z, 1);
		put16(z, 24);
		put64(z, m->claimed_size ? m->claimed_size : m->size);
		put64(z, packed);
		put64(z, at);
	}
	put_bytes(z, "co", 2);
}

/* zip64: with the zip64 records. base: bytes already in z that offsets do not count. */
static inline void built_zip_make(struct built_zip *z, const struct built_member *members,
				  size_t count, bool zip64, const char *comment)
{
	size_t base = z->len, offsets[64], packed[64];

	for (size_t i = 0; i < count; i++) {
		offsets[i] = z->len - base;
		packed[i] = put_local(z, &members[i]);
	}
	z->directory = z->len;
	for (size_t i = 0; i < count; i++)
		put_entry(z, &members[i], packed[i], offsets[i]);
	z->end = z->len;
	if (zip64) {
		put32(z, 0x06064b50);
		put64(z, 44);
		put32(z, 45 | 45 << 16);
		put64(z, 0); /* disks */
		put64(z, count);
		put64(z, count);
		put64(z, z->end - z->directory);
		put64(z, z->directory - base);
		put32(z, 0x07064b50);
		put32(z, 0);
		put64(z, z->end - base);
		put32(z, 1);
	}
	put32(z, 0x06054b50);
	put32(z, 0); /* disks */
	put16(z, zip64 ? 0xffff : (uint16_t)count);
	put16(z, zip64 ? 0xffff : (uint16_t)count);
	put32(z, zip64 ? UINT32_MAX : (uint32_t)(z->end - z->directory));
	put32(z, zip64 ? UINT32_MAX : (uint32_t)(z->directory - base));
	put16(z, (uint16_t)strlen(comment));
	put_bytes(z, comment, strlen(comment));
}

#endif
