/* SPDX-License-Identifier: MIT */
#include "formats/writers/lz4_stream.h"

#include <inttypes.h>
#include <lz4frame.h>
#include <stdlib.h>

enum { MAX_ADD = 1 << 20 /* bytes at once */ };

struct lz4_stream {
	LZ4F_cctx *context;
	lz4_put_fn *put;
	void *arg;
	uint64_t size, position;
	uint8_t *buffer;
	size_t buffer_size;
};

static LZ4F_preferences_t preferences(uint64_t size)
{
	return (LZ4F_preferences_t){
		.frameInfo = {
			.blockSizeID = LZ4F_max4MB,
			.blockMode = LZ4F_blockIndependent,
			.contentChecksumFlag = LZ4F_contentChecksumEnabled,
			.blockChecksumFlag = LZ4F_blockChecksumEnabled,
			.contentSize = size,
		},
	};
}

/* Passes on what a call of the library has put into the buffer. */
static struct error *pass_on(struct lz4_stream *s, size_t len)
{
	if (LZ4F_isError(len))
		return error_new(ERROR_CORRUPT, "LZ4: %s", LZ4F_getErrorName(len));
	return len ? s->put(s->arg, s->buffer, len) : NULL;
}

struct error *lz4_stream_create(uint64_t size, lz4_put_fn *put, void *arg, struct lz4_stream **ret)
{
	const LZ4F_preferences_t prefs = preferences(size);
	struct lz4_stream *s = calloc(1, sizeof(*s));
	struct error *err = s ? NULL : &error_no_memory;

	if (err)
		return err;
	s->put = put;
	s->arg = arg;
	s->size = size;
	s->buffer_size = LZ4F_compressBound(MAX_ADD, &prefs);
	s->buffer = malloc(s->buffer_size);
	if (!s->buffer ||
	    LZ4F_isError(LZ4F_createCompressionContext(&s->context, LZ4F_getVersion())))
		err = &error_no_memory;
	if (!err)
		err = pass_on(s, LZ4F_compressBegin(s->context, s->buffer, s->buffer_size, &prefs));
	if (err)
		lz4_stream_destroy(s);
	else
		*ret = s;
	return err;
}

void lz4_stream_destroy(struct lz4_stream *s)
{
	if (!s)
		return;
	LZ4F_freeCompressionContext(s->context);
	free(s->buffer);
	free(s);
}

struct error *lz4_stream_add(struct lz4_stream *s, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;
	struct error *err = NULL;

	while (len && !err) {
		size_t part = len < MAX_ADD ? len : MAX_ADD;

		err = pass_on(s, LZ4F_compressUpdate(s->context, s->buffer, s->buffer_size, in,
						     part, NULL));
		in += part;
		len -= part;
		s->position += part;
	}
	return err;
}

struct error *lz4_stream_add_zeros(struct lz4_stream *s, uint64_t len)
{
	static const uint8_t zeros[64 << 10];
	struct error *err = NULL;

	for (; len && !err; len -= len < sizeof(zeros) ? len : sizeof(zeros))
		err = lz4_stream_add(s, zeros, len < sizeof(zeros) ? (size_t)len : sizeof(zeros));
	return err;
}

struct error *lz4_stream_end(struct lz4_stream *s)
{
	struct error *err = lz4_stream_add_zeros(s, s->size - s->position);

	if (err)
		return err;
	return pass_on(s, LZ4F_compressEnd(s->context, s->buffer, s->buffer_size, NULL));
}

uint64_t lz4_stream_position(const struct lz4_stream *s)
{
	return s->position;
}
