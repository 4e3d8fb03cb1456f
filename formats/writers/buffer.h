/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_BUFFER_H
#define FORMATS_WRITERS_BUFFER_H

#include <string.h>

#include "formats/writers/output.h"

/* Small pieces of a table that follow each other in an output. */
enum { WRITE_BUFFER_SIZE = 16 << 10 };

struct write_buffer {
	struct output *out;
	uint64_t offset; /* of bytes[0] */
	size_t len;
	uint8_t bytes[WRITE_BUFFER_SIZE];
};

MUST_CHECK static inline struct error *write_buffer_flush(struct write_buffer *b)
{
	struct error *err = output_write(b->out, b->offset, b->bytes, b->len);

	b->offset += b->len;
	b->len = 0;
	return err;
}

/* Zeroed room for the next piece of the table, size <= WRITE_BUFFER_SIZE, until the next call. */
MUST_CHECK static inline struct error *write_buffer_next(struct write_buffer *b, size_t size,
							 uint8_t **ret)
{
	struct error *err = NULL;

	if (b->len + size > WRITE_BUFFER_SIZE && (err = write_buffer_flush(b)))
		return err;
	*ret = memset(b->bytes + b->len, 0, size);
	b->len += size;
	return NULL;
}

#endif
