/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PACK_H
#define TESTS_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes as the containers hold them, made by the libraries themselves. A failure aborts. */
struct packed {
	uint8_t *bytes; /* from malloc() */
	size_t len, capacity;
};

void packed_free(struct packed *p);
void packed_add(struct packed *p, const void *bytes, size_t len);
void packed_add_u16(struct packed *p, uint16_t value);
void packed_add_u32(struct packed *p, uint32_t value);
void packed_add_u64(struct packed *p, uint64_t value);

/* Each appends a file of its own. */
typedef void pack_fn(struct packed *p, const uint8_t *in, size_t len);

/* window_bits: zlib's: MAX_WBITS + 16 for gzip, -MAX_WBITS for a bare stream. */
void pack_deflate(struct packed *p, const uint8_t *in, size_t len, int level, int window_bits);
void pack_gzip(struct packed *p, const uint8_t *in, size_t len);	 /* one member */
void pack_gzip_members(struct packed *p, const uint8_t *in, size_t len); /* of any length */
void pack_gzip_fields(struct packed *p, const uint8_t *in, size_t len);	 /* all header fields */
void pack_bgzf(struct packed *p, const uint8_t *in, size_t len);
void pack_bzip2(struct packed *p, const uint8_t *in, size_t len);     /* two streams */
void pack_xz(struct packed *p, const uint8_t *in, size_t len);	      /* one stream, one block */
void pack_xz_blocks(struct packed *p, const uint8_t *in, size_t len); /* two streams of blocks */
void pack_zstd(struct packed *p, const uint8_t *in, size_t len);      /* no content size */
void pack_zstd_frames(struct packed *p, const uint8_t *in, size_t len);
void pack_zstd_seekable(struct packed *p, const uint8_t *in, size_t len);

enum pack_lz4_flags {
	PACK_LZ4_LINKED = 1 << 0,
	PACK_LZ4_SIZE = 1 << 1,	   /* content size */
	PACK_LZ4_CHECKED = 1 << 2, /* checksums of blocks and content */
	PACK_LZ4_FLUSHED = 1 << 3, /* blocks of odd lengths */
	PACK_LZ4_LARGE = 1 << 4,   /* blocks of 1 MiB instead of 64 KiB */
};
void pack_lz4_frame(struct packed *p, const uint8_t *in, size_t len, unsigned flags);
void pack_lz4(struct packed *p, const uint8_t *in, size_t len); /* as the lz4 program */
void pack_lz4_size(struct packed *p, const uint8_t *in, size_t len);
void pack_lz4_linked(struct packed *p, const uint8_t *in, size_t len);
void pack_lz4_checked(struct packed *p, const uint8_t *in, size_t len);
void pack_lz4_flushed(struct packed *p, const uint8_t *in, size_t len);
void pack_lz4_flushed_size(struct packed *p, const uint8_t *in, size_t len);
void pack_lz4_legacy(struct packed *p, const uint8_t *in, size_t len);

/* A member for pack_zip(). */
struct pack_member {
	const char *name;
	uint16_t method; /* 0, 8, or any other: `bytes` are then what is stored */
	const uint8_t *bytes;
	size_t len;
	uint64_t content_len; /* of another method */
};
void pack_zip(struct packed *p, const struct pack_member *members, size_t count);

/* Bytes as memory has them: zero pages, text-like pages and pages of noise. */
void pack_fill_memory(uint8_t *out, size_t len, uint64_t seed);

#endif
