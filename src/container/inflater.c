/* SPDX-License-Identifier: MIT */
#include "container/inflater.h"

#include <inttypes.h>
#include <limits.h>

#include "base/cursor.h"

/* RFC 1952, 2.3. */
enum {
	MAGIC_1 = 0x1f,
	MAGIC_2 = 0x8b,
	METHOD_DEFLATE = 8,
	HEADER_SIZE = 10,
	FLAG_CRC = 1 << 1,
	FLAG_EXTRA = 1 << 2,
	FLAG_NAME = 1 << 3,
	FLAG_COMMENT = 1 << 4,
	TRAILER_SIZE = 8,
};

/* zlib.h, inflate(): data_type. */
enum { DATA_BITS = 7, DATA_LAST_BLOCK = 64, DATA_BLOCK_ENDED = 128 };

struct error *inflater_init(struct inflater *i, const struct container_input *in, bool is_gzip,
			    uint64_t offset, uint64_t end)
{
	*i = (struct inflater){ .in = in, .is_gzip = is_gzip, .checks = true };
	feed_init(&i->feed, in->file, offset, end);
	i->in_member = i->at_start = !is_gzip;
	i->member_start = offset;
	return inflateInit2(&i->z, -MAX_WBITS) == Z_OK ? NULL : &error_no_memory;
}

void inflater_deinit(struct inflater *i)
{
	inflateEnd(&i->z);
	feed_deinit(&i->feed);
}

struct error *inflater_resume(struct inflater *i, const struct inflate_place *place,
			      const uint8_t *window, size_t window_len)
{
	uint8_t before;
	struct error *err;
	bool there = true;

	i->checks = false;
	i->in_member = true;
	i->at_start = false;
	feed_seek(&i->feed, place->offset - (place->bits ? 1 : 0));
	if (place->bits && (err = feed_get(&i->feed, &before, 1, &there)))
		return err;
	if (place->bits && there)
		inflatePrime(&i->z, place->bits, before >> (8 - place->bits));
	if (window_len)
		inflateSetDictionary(&i->z, window, (uInt)window_len);
	return NULL;
}

static struct error *truncated(const struct inflater *i, const char *where)
{
	return error_new(ERROR_CORRUPT,
			 "the stream that begins at 0x%" PRIx64
			 " is cut off in its %s, at 0x%" PRIx64,
			 i->member_start, where, i->feed.at);
}

static struct error *skip(struct inflater *i, size_t len)
{
	uint8_t byte;
	struct error *err;
	bool there;

	while (len--) {
		if ((err = feed_get(&i->feed, &byte, 1, &there)))
			return err;
		if (!there)
			return truncated(i, "header");
	}
	return NULL;
}

static struct error *skip_text(struct inflater *i)
{
	uint8_t byte;
	struct error *err;
	bool there;

	do {
		if ((err = feed_get(&i->feed, &byte, 1, &there)))
			return err;
		if (!there)
			return truncated(i, "header");
	} while (byte);
	return NULL;
}

static struct error *skip_fields(struct inflater *i, uint8_t flags)
{
	struct error *err;
	uint8_t len[2];
	bool there;

	if (flags & FLAG_EXTRA) {
		if ((err = feed_get(&i->feed, len, sizeof(len), &there)))
			return err;
		if (!there)
			return truncated(i, "header");
		if ((err = skip(i, load_u16(len))))
			return err;
	}
	if (flags & FLAG_NAME && (err = skip_text(i)))
		return err;
	if (flags & FLAG_COMMENT && (err = skip_text(i)))
		return err;
	return flags & FLAG_CRC ? skip(i, 2) : NULL;
}

/* What follows the last member: nothing, or zeros that a tape or a writer added. */
static struct error *read_padding(struct inflater *i)
{
	struct error *err;

	i->ended = true;
	for (;;) {
		if ((err = feed_fill(&i->feed)) || !i->feed.avail)
			return err;
		if (*i->feed.next)
			return error_new(ERROR_CORRUPT,
					 "0x%" PRIx64 ": expected a gzip member or the end of the "
					 "file, found a byte 0x%02x",
					 i->feed.at, *i->feed.next);
		feed_skip(&i->feed, 1);
	}
}

static struct error *read_header(struct inflater *i)
{
	uint8_t head[HEADER_SIZE];
	struct error *err;
	bool there;

	if ((err = feed_fill(&i->feed)))
		return err;
	i->member_start = i->feed.at;
	if (!i->feed.avail || *i->feed.next != MAGIC_1)
		return read_padding(i);
	if ((err = feed_get(&i->feed, head, sizeof(head), &there)))
		return err;
	if (!there)
		return truncated(i, "header");
	if (head[1] != MAGIC_2 || head[2] != METHOD_DEFLATE)
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 ": expected a gzip member that is deflated, found "
				 "%02x %02x %02x",
				 i->member_start, head[0], head[1], head[2]);
	if ((err = skip_fields(i, head[3])))
		return err;
	if (inflateReset(&i->z) != Z_OK)
		return &error_no_memory;
	i->in_member = i->at_start = true;
	i->member_out = 0;
	i->crc = 0;
	return NULL;
}

/* A member whose content is not what its writer saw is still there, and said to be bad. */
static void check_member(const struct inflater *i, uint32_t crc, uint64_t size)
{
	if (!i->checks)
		return;
	if (crc != i->crc)
		diag_partial(i->in->diag,
			     "%s: %s: the stream at 0x%" PRIx64
			     ": expected CRC-32 %08x, found %08x of its %" PRIu64 " bytes",
			     i->in->path, i->in->name, i->member_start, crc, i->crc, i->member_out);
	else if (size != i->member_out)
		diag_partial(i->in->diag,
			     "%s: %s: the stream at 0x%" PRIx64 ": expected %" PRIu64
			     " bytes, found %" PRIu64,
			     i->in->path, i->in->name, i->member_start, size, i->member_out);
}

static struct error *end_member(struct inflater *i)
{
	uint8_t trailer[TRAILER_SIZE];
	struct error *err;
	bool there;

	i->in_member = false;
	if (!i->is_gzip) {
		i->ended = true;
		check_member(i, i->expected_crc, i->expected_out);
		return NULL;
	}
	if ((err = feed_get(&i->feed, trailer, sizeof(trailer), &there)))
		return err;
	if (!there)
		return truncated(i, "trailer");
	/* ISIZE is modulo 2^32. */
	check_member(i, load_u32(trailer),
		     (i->member_out & ~(uint64_t)UINT32_MAX) | load_u32(trailer + 4));
	return NULL;
}

static struct error *bad_data(const struct inflater *i)
{
	return error_new(ERROR_CORRUPT,
			 "the stream that begins at 0x%" PRIx64 " is damaged before 0x%" PRIx64
			 " (%s), 0x%" PRIx64 " bytes into its content",
			 i->member_start, i->feed.at, i->z.msg ? i->z.msg : "no deflate data",
			 i->member_out);
}

/* One call of inflate(). */
static struct error *step(struct inflater *i, bool stops, uint8_t *out, size_t room, size_t *got)
{
	struct error *err = feed_fill(&i->feed);
	size_t avail = i->feed.avail;
	int result;

	*got = 0;
	if (err)
		return err;
	i->z.next_in = (Bytef *)(uintptr_t)i->feed.next;
	i->z.avail_in = (uInt)avail;
	i->z.next_out = out;
	i->z.avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
	result = inflate(&i->z, stops ? Z_BLOCK : Z_NO_FLUSH);
	feed_skip(&i->feed, avail - i->z.avail_in);
	*got = (size_t)(i->z.next_out - out);
	i->at_start = false;
	if (i->checks)
		i->crc = (uint32_t)crc32_z(i->crc, out, *got);
	i->member_out += *got;
	if (result == Z_STREAM_END)
		return end_member(i);
	if (result == Z_BUF_ERROR && !avail)
		return truncated(i, "data");
	if (result != Z_OK)
		return result == Z_MEM_ERROR ? &error_no_memory : bad_data(i);
	return NULL;
}

struct error *inflater_read(struct inflater *i, bool stops, uint8_t *out, size_t room, size_t *got)
{
	struct inflate_place place;
	struct error *err = NULL;
	size_t part;

	for (*got = 0; *got < room && !i->ended && !err; *got += part) {
		part = 0;
		if (i->in_member) {
			err = step(i, stops, out + *got, room - *got, &part);
		} else {
			err = read_header(i);
			if (stops)
				break;
		}
		if (stops && inflater_place(i, &place)) {
			*got += part;
			break;
		}
	}
	return err;
}

bool inflater_place(const struct inflater *i, struct inflate_place *ret)
{
	int type = i->z.data_type;

	if (!i->in_member || i->ended)
		return false;
	if (!i->at_start && (!(type & DATA_BLOCK_ENDED) || type & DATA_LAST_BLOCK))
		return false;
	*ret = (struct inflate_place){ .offset = i->feed.at };
	if (!i->at_start)
		ret->bits = (uint8_t)(type & DATA_BITS);
	return true;
}
