/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_LZ4_STREAM_H
#define FORMATS_WRITERS_LZ4_STREAM_H

#include "base/error.h"

/*
 * Bytes that become one LZ4 frame (lz4_Frame_format.md of the lz4 sources): independent blocks of
 * 4 MiB, so that a reader can enter it anywhere, with checksums and the content's size.
 */
struct lz4_stream;

typedef struct error *lz4_put_fn(void *arg, const void *bytes, size_t len);

/* size: of all that will be added. */
MUST_CHECK struct error *lz4_stream_create(uint64_t size, lz4_put_fn *put, void *arg,
					   struct lz4_stream **ret);
void lz4_stream_destroy(struct lz4_stream *s); /* NULL ok */
MUST_CHECK struct error *lz4_stream_add(struct lz4_stream *s, const void *bytes, size_t len);
MUST_CHECK struct error *lz4_stream_add_zeros(struct lz4_stream *s, uint64_t len);
/* Zeros up to the size, and the end of the frame. */
MUST_CHECK struct error *lz4_stream_end(struct lz4_stream *s);
/* Bytes added so far. */
uint64_t lz4_stream_position(const struct lz4_stream *s);

#endif
