/* SPDX-License-Identifier: MIT */
#include "tests/pack.h"

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
	PAGE = 4096,
	BGZF_CONTENT = 65280,
	FRAME_CONTENT = 256 << 10, /* of zstd frames and xz blocks */
	LEGACY_BLOCK = 8 << 20,
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

void packed_free(struct packed *p)
{
	free(p->bytes);
	*p = (struct packed){ 0 };
}

/* Room for len more bytes. */
static uint8_t *room(struct packed *p, size_t len)
{
	if (p->capacity - p->len < len) {
		p->capacity = 2 * p->capacity + len;
		p->bytes = realloc(p->bytes, p->capacity);
		must(p->bytes != NULL);
	}
	return p->bytes + p->len;
}

void packed_add(struct packed *p, const void *bytes, size_t len)
{
	uint8_t *out = room(p, len + 1);

	if (len)
		memcpy(out, bytes, len);
	p->len += len;
}

void packed_add_u16(struct packed *p, uint16_t value)
{
	packed_add(p, &value, sizeof(value));
}

void packed_add_u32(struct packed *p, uint32_t value)
{
	packed_add(p, &value, sizeof(value));
}

void packed_add_u64(struct packed *p, uint64_t value)
{
	packed_add(p, &value, sizeof(value));
}

void pack_deflate(struct packed *p, const uint8_t *in, size_t len, int level, int window_bits)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)len };
	uLong bound;

	must(deflateInit2(&z, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	bound = deflateBound(&z, len);
	z.next_out = room(p, bound);
	z.avail_out = (uInt)bound;
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	p->len += z.total_out;
	deflateEnd(&z);
}

void pack_gzip(struct packed *p, const uint8_t *in, size_t len)
{
	pack_deflate(p, in, len, 1, MAX_WBITS + 16);
}

void pack_gzip_members(struct packed *p, const uint8_t *in, size_t len)
{
	size_t part = 1;

	for (size_t at = 0; at < len; at += part, part = part * 3 + 1) {
		if (part > len - at)
			part = len - at;
		pack_gzip(p, in + at, part);
		pack_gzip(p, in, 0);
	}
	packed_add(p, "\0\0\0", 3); /* padding */
}

void pack_gzip_fields(struct packed *p, const uint8_t *in, size_t len)
{
	packed_add(p, "\x1f\x8b\x08\x1e\0\0\0\0\0\xff", 10);
	packed_add(p, "\x05\0extra", 7);
	packed_add(p, "name\0comment", sizeof("name\0comment"));
	packed_add(p, "\0\0", 2); /* of the header: nobody checks it */
	pack_deflate(p, in, len, 9, -MAX_WBITS);
	packed_add_u32(p, (uint32_t)crc32_z(0, in, len));
	packed_add_u32(p, (uint32_t)len);
}

static void pack_bgzf_member(struct packed *p, const uint8_t *in, size_t len)
{
	struct packed body = { 0 };

	pack_deflate(&body, in, len, 1, -MAX_WBITS);
	packed_add(p, "\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0", 16);
	packed_add_u16(p, (uint16_t)(body.len + 25));
	packed_add(p, body.bytes, body.len);
	packed_add_u32(p, (uint32_t)crc32_z(0, in, len));
	packed_add_u32(p, (uint32_t)len);
	packed_free(&body);
}

void pack_bgzf(struct packed *p, const uint8_t *in, size_t len)
{
	for (size_t at = 0; at < len; at += BGZF_CONTENT)
		pack_bgzf_member(p, in + at, len - at < BGZF_CONTENT ? len - at : BGZF_CONTENT);
	pack_bgzf_member(p, in, 0);
}

static void pack_bzip2_stream(struct packed *p, const uint8_t *in, size_t len)
{
	unsigned got = (unsigned)(len + len / 100 + 600);

	must(BZ2_bzBuffToBuffCompress((char *)room(p, got), &got, (char *)(uintptr_t)in,
				      (unsigned)len, 1, 0, 0) == BZ_OK);
	p->len += got;
}

void pack_bzip2(struct packed *p, const uint8_t *in, size_t len)
{
	pack_bzip2_stream(p, in, len / 3);
	pack_bzip2_stream(p, in + len / 3, len - len / 3);
}

static void pack_xz_stream(struct packed *p, const uint8_t *in, size_t len, size_t block)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &options }, { LZMA_VLI_UNKNOWN, NULL } };
	size_t bound = lzma_stream_buffer_bound(len) + (len / block + 1) * 128;

	must(!lzma_lzma_preset(&options, 0));
	options.dict_size = 64 << 10;
	must(lzma_stream_encoder(&z, filters, LZMA_CHECK_CRC64) == LZMA_OK);
	z.next_out = room(p, bound);
	z.avail_out = bound;
	for (size_t at = 0; at < len; at += block) {
		z.next_in = in + at;
		z.avail_in = len - at < block ? len - at : block;
		if (at + block < len)
			must(lzma_code(&z, LZMA_FULL_FLUSH) == LZMA_STREAM_END);
	}
	must(lzma_code(&z, LZMA_FINISH) == LZMA_STREAM_END);
	p->len += bound - z.avail_out;
	lzma_end(&z);
}

void pack_xz(struct packed *p, const uint8_t *in, size_t len)
{
	pack_xz_stream(p, in, len, len);
}

void pack_xz_blocks(struct packed *p, const uint8_t *in, size_t len)
{
	pack_xz_stream(p, in, len / 2, FRAME_CONTENT);
	packed_add(p, "\0\0\0\0", 4); /* padding */
	pack_xz_stream(p, in + len / 2, len - len / 2, FRAME_CONTENT + 1);
}

static size_t pack_zstd_frame(struct packed *p, const uint8_t *in, size_t len, int with_size)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(len), got;

	must(c != NULL);
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, 1);
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, with_size);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	got = ZSTD_compress2(c, room(p, bound), bound, in, len);
	must(!ZSTD_isError(got));
	p->len += got;
	ZSTD_freeCCtx(c);
	return got;
}

void pack_zstd(struct packed *p, const uint8_t *in, size_t len)
{
	pack_zstd_frame(p, in, len, 0);
}

/* As pzstd: a skippable frame before each. */
void pack_zstd_frames(struct packed *p, const uint8_t *in, size_t len)
{
	for (size_t at = 0; at < len; at += FRAME_CONTENT) {
		packed_add(p, "\x50\x2a\x4d\x18\x04\0\0\0skip", 12);
		pack_zstd_frame(p, in + at, len - at < FRAME_CONTENT ? len - at : FRAME_CONTENT, 1);
	}
}

void pack_zstd_seekable(struct packed *p, const uint8_t *in, size_t len)
{
	struct packed table = { 0 };
	uint32_t frames = 0;

	for (size_t at = 0, part; at < len; at += part, frames++) {
		part = len - at < FRAME_CONTENT ? len - at : FRAME_CONTENT;
		packed_add_u32(&table, (uint32_t)pack_zstd_frame(p, in + at, part, 0));
		packed_add_u32(&table, (uint32_t)part);
	}
	packed_add_u32(&table, frames);
	packed_add(&table, "", 1);
	packed_add_u32(&table, 0x8f92eab1);
	packed_add_u32(p, 0x184d2a5e);
	packed_add_u32(p, (uint32_t)table.len);
	packed_add(p, table.bytes, table.len);
	packed_free(&table);
}

static void add_lz4(struct packed *p, size_t got)
{
	must(!LZ4F_isError(got));
	p->len += got;
}

void pack_lz4_frame(struct packed *p, const uint8_t *in, size_t len, unsigned flags)
{
	LZ4F_preferences_t prefs = {
		.frameInfo = {
			.blockSizeID = flags & PACK_LZ4_LARGE ? LZ4F_max1MB : LZ4F_max64KB,
			.blockMode = flags & PACK_LZ4_LINKED ? LZ4F_blockLinked
							     : LZ4F_blockIndependent,
			.blockChecksumFlag = !!(flags & PACK_LZ4_CHECKED),
			.contentChecksumFlag = !!(flags & PACK_LZ4_CHECKED),
			.contentSize = flags & PACK_LZ4_SIZE ? len : 0,
		},
	};
	size_t step = flags & PACK_LZ4_FLUSHED ? 50000 : len;
	size_t bound = LZ4F_compressBound(step, &prefs) + 64;
	LZ4F_cctx *c;

	must(!LZ4F_isError(LZ4F_createCompressionContext(&c, LZ4F_VERSION)));
	add_lz4(p, LZ4F_compressBegin(c, room(p, bound), bound, &prefs));
	for (size_t at = 0; at < len; at += step) {
		add_lz4(p, LZ4F_compressUpdate(c, room(p, bound), bound, in + at,
					       len - at < step ? len - at : step, NULL));
		if (flags & PACK_LZ4_FLUSHED)
			add_lz4(p, LZ4F_flush(c, room(p, bound), bound, NULL));
	}
	add_lz4(p, LZ4F_compressEnd(c, room(p, bound), bound, NULL));
	LZ4F_freeCompressionContext(c);
}

void pack_lz4(struct packed *p, const uint8_t *in, size_t len)
{
	packed_add(p, "\x51\x2a\x4d\x18\x02\0\0\0no", 10);
	pack_lz4_frame(p, in, len / 2, 0);
	pack_lz4_frame(p, in + len / 2, len - len / 2, 0);
}

void pack_lz4_size(struct packed *p, const uint8_t *in, size_t len)
{
	pack_lz4_frame(p, in, len, PACK_LZ4_SIZE);
}

void pack_lz4_linked(struct packed *p, const uint8_t *in, size_t len)
{
	pack_lz4_frame(p, in, len, PACK_LZ4_LINKED);
}

void pack_lz4_checked(struct packed *p, const uint8_t *in, size_t len)
{
	pack_lz4_frame(p, in, len, PACK_LZ4_CHECKED | PACK_LZ4_SIZE);
}

void pack_lz4_flushed(struct packed *p, const uint8_t *in, size_t len)
{
	pack_lz4_frame(p, in, len, PACK_LZ4_FLUSHED);
}

void pack_lz4_flushed_size(struct packed *p, const uint8_t *in, size_t len)
{
	pack_lz4_frame(p, in, len, PACK_LZ4_FLUSHED | PACK_LZ4_SIZE);
}

void pack_lz4_legacy(struct packed *p, const uint8_t *in, size_t len)
{
	packed_add_u32(p, 0x184c2102);
	for (size_t at = 0; at < len; at += LEGACY_BLOCK) {
		int part = (int)(len - at < LEGACY_BLOCK ? len - at : LEGACY_BLOCK);
		int bound = LZ4_compressBound(part), got;
		uint8_t *out;

		packed_add_u32(p, 0);
		out = room(p, (size_t)bound);
		got = LZ4_compress_default((const char *)in + at, (char *)out, part, bound);
		must(got > 0);
		memcpy(out - 4, &got, sizeof(got));
		p->len += (size_t)got;
	}
}

struct zip_entry {
	uint32_t crc, packed_len, content_len, offset;
};

/* What the local header and the directory share, from "version needed" on. */
static void add_zip_fields(struct packed *p, const struct pack_member *m, const struct zip_entry *e)
{
	packed_add_u16(p, 20);
	packed_add_u16(p, 0);
	packed_add_u16(p, m->method);
	packed_add_u32(p, 0);
	packed_add_u32(p, e->crc);
	packed_add_u32(p, e->packed_len);
	packed_add_u32(p, e->content_len);
	packed_add_u16(p, (uint16_t)strlen(m->name));
	packed_add_u16(p, 0);
}

static struct zip_entry add_zip_member(struct packed *p, const struct pack_member *m)
{
	struct packed body = { 0 };
	struct zip_entry e = { .offset = (uint32_t)p->len };

	if (m->method == 8)
		pack_deflate(&body, m->bytes, m->len, 1, -MAX_WBITS);
	else
		packed_add(&body, m->bytes, m->len);
	e.crc = (uint32_t)crc32_z(0, m->bytes, m->len);
	e.packed_len = (uint32_t)body.len;
	e.content_len = (uint32_t)(m->content_len ? m->content_len : m->len);
	packed_add_u32(p, 0x04034b50);
	add_zip_fields(p, m, &e);
	packed_add(p, m->name, strlen(m->name));
	packed_add(p, body.bytes, body.len);
	packed_free(&body);
	return e;
}

void pack_zip(struct packed *p, const struct pack_member *members, size_t count)
{
	struct zip_entry *entries = calloc(count + 1, sizeof(*entries));
	uint32_t start;

	must(entries != NULL);
	for (size_t i = 0; i < count; i++)
		entries[i] = add_zip_member(p, &members[i]);
	start = (uint32_t)p->len;
	for (size_t i = 0; i < count; i++) {
		packed_add_u32(p, 0x02014b50);
		packed_add_u16(p, 20);
		add_zip_fields(p, &members[i], &entries[i]);
		packed_add(p, "\0\0\0\0\0\0\0\0\0\0", 10);
		packed_add_u32(p, entries[i].offset);
		packed_add(p, members[i].name, strlen(members[i].name));
	}
	entries[0].packed_len = (uint32_t)p->len - start;
	packed_add_u32(p, 0x06054b50);
	packed_add_u32(p, 0);
	packed_add_u16(p, (uint16_t)count);
	packed_add_u16(p, (uint16_t)count);
	packed_add_u32(p, entries[0].packed_len);
	packed_add_u32(p, start);
	packed_add_u16(p, 0);
	free(entries);
}

void pack_fill_memory(uint8_t *out, size_t len, uint64_t seed)
{
	static const uint8_t text[] = "the quick brown fox jumps over the lazy dog";
	uint64_t x = seed * 2 + 1;

	for (size_t at = 0; at < len; at++) {
		size_t page = at / PAGE;

		if (at % 8 == 0) { /* xorshift64 */
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		if (page % 4 == 0 || (page / 64 % 3 == 1))
			out[at] = 0;
		else if (page % 4 == 1)
			out[at] = (uint8_t)(x >> (at % 8 * 8));
		else
			out[at] = at % 8 ? text[(x + at) % (sizeof(text) - 1)] : (uint8_t)page;
	}
}
