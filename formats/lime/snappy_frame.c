/* SPDX-License-Identifier: MIT */
#include "formats/lime/snappy_frame.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"

enum {
	COMPRESSED = 0x00,
	STORED = 0x01,
	FIRST_SKIPPABLE = 0x80,
	IDENTIFIER = 0xff,

	HEADER_SIZE = 4,
	SUM_SIZE = 4,
	MAX_VARINT = 3, /* of 65536 */
	/* What snappy makes of 65536 bytes at worst: snappy-c.h, snappy_max_compressed_length(). */
	MAX_COMPRESSED = 32 + SNAPPY_MAX_DECODED + SNAPPY_MAX_DECODED / 6,
};
static const char identifier[] = "sNaPpY";

/* The bytes at the chunk's begin that say what it is. */
struct peek {
	uint8_t bytes[HEADER_SIZE + SUM_SIZE + MAX_VARINT];
	size_t len; /* fewer where the file ends */
};

/* A block of snappy begins with the length of what it decodes to, in groups of seven bits. */
static bool read_varint(const uint8_t *bytes, size_t len, uint32_t *ret)
{
	uint32_t value = 0;

	for (size_t i = 0; i < len && i < MAX_VARINT; i++) {
		value |= (uint32_t)(bytes[i] & 0x7f) << 7 * i;
		if (!(bytes[i] & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

static struct error *bad(const struct snappy_chunk *chunk, const char *expected, uint32_t found)
{
	return error_new(ERROR_CORRUPT,
			 "snappy chunk at file offset 0x%" PRIx64 ": expected %s, found 0x%" PRIx32,
			 chunk->offset, expected, found);
}

static struct error *check_data(const struct peek *peek, uint8_t kind, uint32_t len,
				struct snappy_chunk *chunk)
{
	const uint8_t *block = peek->bytes + HEADER_SIZE + SUM_SIZE;

	if (len < SUM_SIZE || len - SUM_SIZE > MAX_COMPRESSED)
		return bad(chunk, "at most 65536 bytes of data, their sum before them", len);
	if (kind == STORED)
		chunk->decoded = len - SUM_SIZE;
	else if (peek->len < HEADER_SIZE + SUM_SIZE ||
		 !read_varint(block, peek->len - HEADER_SIZE - SUM_SIZE, &chunk->decoded))
		return bad(chunk, "the length of at most 65536 bytes",
			   peek->len > HEADER_SIZE + SUM_SIZE ? *block : 0);
	if (chunk->decoded > SNAPPY_MAX_DECODED)
		return bad(chunk, "at most 65536 bytes of data", chunk->decoded);
	return NULL;
}

struct error *snappy_chunk_at(const struct file *file, uint64_t offset, struct snappy_chunk *ret)
{
	struct snappy_chunk chunk = { .offset = offset };
	struct peek peek;
	struct error *err;
	uint64_t left = offset < file->size ? file->size - offset : 0;
	uint32_t len;

	peek.len = left < sizeof(peek.bytes) ? (size_t)left : sizeof(peek.bytes);
	if (peek.len < HEADER_SIZE)
		return error_new(ERROR_CORRUPT,
				 "snappy chunk at file offset 0x%" PRIx64
				 ": the file ends at 0x%" PRIx64,
				 offset, file->size);
	if ((err = file_read(file, offset, peek.bytes, peek.len)))
		return err;
	len = load_u32(peek.bytes) >> 8;
	chunk.stored = HEADER_SIZE + len;
	if (chunk.stored > left)
		return error_new(ERROR_CORRUPT,
				 "snappy chunk at file offset 0x%" PRIx64 ": expected 0x%" PRIx32
				 " bytes, the file has 0x%" PRIx64 " of them",
				 offset, chunk.stored, left);
	if (peek.bytes[0] == COMPRESSED || peek.bytes[0] == STORED) {
		if ((err = check_data(&peek, peek.bytes[0], len, &chunk)))
			return err;
	} else if (peek.bytes[0] < FIRST_SKIPPABLE) {
		return bad(&chunk, "a kind of chunk that is known", peek.bytes[0]);
	} else if (peek.bytes[0] == IDENTIFIER) {
		if (len != strlen(identifier) || memcmp(peek.bytes + HEADER_SIZE, identifier, len))
			return bad(&chunk, "'sNaPpY'", load_u32(peek.bytes + HEADER_SIZE));
		chunk.is_identifier = true;
	}
	*ret = chunk;
	return NULL;
}

struct error *snappy_frame_init(struct snappy_frame *ret)
{
	crc32c_init(&ret->crc);
	return decoder_create(CODEC_SNAPPY, &ret->decoder);
}

void snappy_frame_deinit(struct snappy_frame *f)
{
	decoder_destroy(f->decoder);
}

/* Sums are stored like this, so that the sum of data with its own sum in it is not a constant. */
static uint32_t mask(uint32_t sum)
{
	return (sum >> 15 | sum << 17) + 0xa282ead8;
}

static struct error *decode(const struct snappy_frame *f, const uint8_t *chunk, size_t stored,
			    uint8_t *buf, size_t len)
{
	uint32_t expected = load_u32(chunk + HEADER_SIZE), found;
	struct error *err = NULL;

	if (chunk[0] == STORED)
		memcpy(buf, chunk + HEADER_SIZE + SUM_SIZE, len);
	else
		err = decoder_run_exact(f->decoder, chunk + HEADER_SIZE + SUM_SIZE,
					stored - HEADER_SIZE - SUM_SIZE, buf, len);
	if (err)
		return err;
	found = mask(crc32c_of(&f->crc, buf, len));
	if (found != expected)
		return error_new(ERROR_CORRUPT,
				 "expected the masked CRC-32C 0x%08" PRIx32 ", found 0x%08" PRIx32,
				 expected, found);
	return NULL;
}

struct error *snappy_frame_decode(const struct snappy_frame *f, const struct file *file,
				  uint64_t offset, uint8_t *buf, size_t len)
{
	struct snappy_chunk chunk = { 0 };
	struct file_view view;
	struct error *err = snappy_chunk_at(file, offset, &chunk);

	if (err)
		return err;
	if (chunk.decoded != len)
		return bad(&chunk, "the data that was there before", chunk.decoded);
	if ((err = file_view(file, offset, chunk.stored, &view)))
		return err;
	err = decode(f, view.bytes, chunk.stored, buf, len);
	file_view_release(&view);
	return error_wrap(err, "snappy chunk at file offset 0x%" PRIx64, offset);
}
