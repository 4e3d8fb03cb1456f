/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_LIME_SNAPPY_FRAME_H
#define FORMATS_LIME_SNAPPY_FRAME_H

#include "base/crc32c.h"
#include "base/file.h"
#include "codec/codec.h"

/*
 * The chunks of a snappy framed stream. Source: google/snappy, framing_format.txt. A chunk is a
 * byte that says its kind, 24 bits of length, and that many bytes; of a data chunk the first four
 * are the masked CRC-32C of what it decodes to.
 */
enum { SNAPPY_MAX_DECODED = 1 << 16 };

struct snappy_chunk {
	uint64_t offset;    /* in the file */
	uint32_t stored;    /* bytes, with the chunk's header */
	uint32_t decoded;   /* bytes of data; 0: none */
	bool is_identifier; /* which every stream begins with */
};

/* The chunk at an offset: its header alone is looked at. Errors: CORRUPT, or what reading says. */
MUST_CHECK struct error *snappy_chunk_at(const struct file *file, uint64_t offset,
					 struct snappy_chunk *ret);

/* Decodes data chunks; safe across threads. */
struct snappy_frame {
	struct decoder *decoder;
	struct crc32c crc;
};
/* Errors: UNSUPPORTED where snappy is not built in. */
MUST_CHECK struct error *snappy_frame_init(struct snappy_frame *ret);
void snappy_frame_deinit(struct snappy_frame *f); /* a zeroed one is fine */
/* The data of the chunk at an offset, len bytes, checked by its sum. */
MUST_CHECK struct error *snappy_frame_decode(const struct snappy_frame *f, const struct file *file,
					     uint64_t offset, uint8_t *buf, size_t len);

#endif
