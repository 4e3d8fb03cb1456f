/* SPDX-License-Identifier: MIT */
/*
 * AVML with compression: LiME's header with another magic and version 2, a snappy framed stream
 * (snappy_frame.h) and the stream's length in eight bytes, again and again. Ranges are cut at
 * 16 MiB since AVML 0.3, and those that hold just zeros are left out: here they are absent, as
 * nothing tells them from memory that the machine does not have. Source of the layout: AVML,
 * src/image.rs and src/io/snappy.rs; the reading of it agrees with Volatility's layers/avml.py.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "formats/lime/ranges.h"
#include "formats/lime/snappy_frame.h"
#include "formats/registry.h"
#include "memory/block_file.h"

static const struct lime_kind kind;

enum {
	TRAILER_SIZE = 8,
	MAX_CHUNKS = 1 << 30,
	MAX_PLACES = 1 << 20,
	RESERVED_AT_ONCE = 1 << 12, /* rows of a table */
};

/* What decoding needs: of each data chunk, its offset in the file. */
struct chunks {
	struct snappy_frame frame;
	const struct file *file;
	uint64_t *offsets;
	size_t count, capacity;
};

/* Where the decoded bytes of a range, which lie one after another, are in physical memory. */
struct place {
	uint64_t pa, offset, length;
};

struct avml {
	const struct format_input *in;
	struct chunks *chunks; /* owned by blocks */
	struct block_file *blocks;
	struct place *places;
	size_t num_places, places_capacity;
};

static struct error *decode_chunk(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	const struct chunks *c = arg;

	return snappy_frame_decode(&c->frame, c->file, c->offsets[index], buf, len);
}

static void chunks_destroy(void *arg)
{
	struct chunks *c = arg;

	snappy_frame_deinit(&c->frame);
	free(c->offsets);
	free(c);
}

static const struct block_file_ops chunk_ops = {
	.decode = decode_chunk,
	.destroy = chunks_destroy,
};

/* Room for one more row of a table that grows with the file. */
static struct error *reserve_row(struct block_cache *cache, void *array, size_t *capacity,
				 size_t count, size_t row, size_t max, const char *what)
{
	struct error *err = NULL;

	if (count % RESERVED_AT_ONCE == 0)
		err = block_cache_reserve(cache, RESERVED_AT_ONCE * row, what);
	return err ? err : array_reserve(array, capacity, count + 1, row, max, what);
}

static struct error *add_chunk(struct avml *a, const struct snappy_chunk *chunk)
{
	struct chunks *c = a->chunks;
	struct error *err = reserve_row(a->in->cache, &c->offsets, &c->capacity, c->count,
					sizeof(*c->offsets), MAX_CHUNKS, "the index of chunks");

	if (err || (err = block_file_add(a->blocks, 1, chunk->decoded)))
		return err;
	c->offsets[c->count++] = chunk->offset;
	return NULL;
}

static struct error *add_place(struct avml *a, uint64_t pa, uint64_t offset, uint64_t length)
{
	struct error *err;

	if (!length)
		return NULL;
	err = reserve_row(a->in->cache, &a->places, &a->places_capacity, a->num_places,
			  sizeof(*a->places), MAX_PLACES, "the table of ranges");
	if (err)
		return err;
	a->places[a->num_places++] = (struct place){ pa, offset, length };
	return NULL;
}

/* Is the length of the stream here, and behind it the next range or the file's end? */
static bool ends_here(const struct avml *a, const struct lime_range *range, uint64_t offset)
{
	const struct file *file = a->in->file;
	uint8_t bytes[TRAILER_SIZE];
	struct lime_range next;
	struct error *err CLEANUP(error_cleanup) = file_read(file, offset, bytes, sizeof(bytes));

	return !err && load_u64(bytes) == offset - range->data &&
	       (offset + TRAILER_SIZE == file->size ||
		lime_header_at(&kind, file, offset + TRAILER_SIZE, &next));
}

static struct error *next_chunk(const struct avml *a, const struct lime_range *range,
				uint64_t offset, struct snappy_chunk *ret)
{
	struct error *err;

	/* The length may look like any chunk. */
	if (ends_here(a, range, offset))
		return error_new(ERROR_CORRUPT, "the stream ends at file offset 0x%" PRIx64,
				 offset);
	err = snappy_chunk_at(a->in->file, offset, ret);
	if (!err && offset == range->data && !ret->is_identifier)
		return error_new(ERROR_CORRUPT,
				 "expected a snappy stream at file offset 0x%" PRIx64, offset);
	return err;
}

/* The chunks that hold a range's data, until there is as much as the range is long. *why: what
 * ended them before that; NULL: nothing did. */
static struct error *take_chunks(struct avml *a, const struct lime_range *range, uint64_t *offset,
				 uint64_t *decoded, struct error **why)
{
	struct snappy_chunk chunk = { 0 };
	struct error *err;

	*why = NULL;
	while (*decoded < range->length) {
		if ((*why = next_chunk(a, range, *offset, &chunk)))
			return NULL;
		if (chunk.decoded && (err = add_chunk(a, &chunk)))
			return err;
		*decoded += chunk.decoded;
		*offset += chunk.stored;
	}
	return NULL;
}

/*
 * Of a stream that came out short: how much of it is surely where it belongs. A damaged chunk may
 * claim to be shorter than it was, and all that is behind it would be in the wrong place.
 */
static uint64_t trusted_length(const struct avml *a, size_t first)
{
	uint8_t buf[SNAPPY_MAX_DECODED];
	uint64_t length = 0;

	for (size_t i = first; i < a->chunks->count; i++) {
		const struct chunks *c = a->chunks;
		struct snappy_chunk chunk = { 0 };
		struct error *err = snappy_chunk_at(c->file, c->offsets[i], &chunk);

		if (!err && chunk.decoded < SNAPPY_MAX_DECODED)
			err = snappy_frame_decode(&c->frame, c->file, c->offsets[i], buf,
						  chunk.decoded);
		if (err) {
			error_destroy(err);
			break;
		}
		length += chunk.decoded;
	}
	return length;
}

/* The length after the stream guards nothing that the chunks' own sums do not: when it is wrong,
 * memory is as good as with it. */
static uint64_t pass_trailer(const struct avml *a, const struct lime_range *range, uint64_t offset)
{
	const struct file *file = a->in->file;
	uint8_t bytes[TRAILER_SIZE] = { 0 };
	struct lime_range next;
	struct error *err = NULL;

	if (file->size - offset < TRAILER_SIZE ||
	    (err = file_read(file, offset, bytes, sizeof(bytes)))) {
		error_destroy(err);
		diag_note(a->in->diag,
			  "range at file offset 0x%" PRIx64 ": the length behind its stream is cut",
			  range->offset);
		return file->size;
	}
	if (load_u64(bytes) == offset - range->data)
		return offset + TRAILER_SIZE;
	diag_note(a->in->diag,
		  "range at file offset 0x%" PRIx64 ": expected its stream's length 0x%" PRIx64
		  " at file offset 0x%" PRIx64 ", found 0x%" PRIx64,
		  range->offset, offset - range->data, offset, load_u64(bytes));
	return lime_header_at(&kind, file, offset, &next) ? offset : offset + TRAILER_SIZE;
}

static struct error *take(void *arg, const struct lime_range *range, uint64_t *next_ret,
			  struct error **why)
{
	struct avml *a = arg;
	uint64_t offset = range->data, decoded = 0, start = block_file_size(a->blocks);
	uint64_t length = lime_clip(range, a->in->diag);
	size_t first = a->chunks->count;
	struct error *err = take_chunks(a, range, &offset, &decoded, why);

	if (err)
		return err;
	if (*why) {
		decoded = trusted_length(a, first);
		*why = error_wrap(*why,
				  "range at file offset 0x%" PRIx64 ": 0x%" PRIx64 " of 0x%" PRIx64
				  " bytes are missing",
				  range->offset, range->length - decoded, range->length);
	} else {
		offset = pass_trailer(a, range, offset);
	}
	if (decoded > range->length)
		diag_note(a->in->diag,
			  "range at file offset 0x%" PRIx64 ": expected 0x%" PRIx64
			  " bytes, its stream has 0x%" PRIx64,
			  range->offset, range->length, decoded);
	*next_ret = offset;
	return add_place(a, range->start, start, length < decoded ? length : decoded);
}

/* A stream begins behind the header. */
static bool looks_right(void *arg, const struct lime_range *range)
{
	const struct avml *a = arg;
	struct snappy_chunk chunk;
	struct error *err CLEANUP(error_cleanup) =
		snappy_chunk_at(a->in->file, range->data, &chunk);

	return !err && chunk.is_identifier;
}

static const struct lime_kind kind = {
	.name = "AVML",
	.magic = "AVML",
	.version = 2,
	.take = take,
	.looks_right = looks_right,
};

static struct error *create(struct avml *a)
{
	struct chunks *chunks = calloc(1, sizeof(*chunks));
	struct error *err;

	if (!chunks)
		return &error_no_memory;
	chunks->file = a->in->file;
	if ((err = snappy_frame_init(&chunks->frame))) {
		chunks_destroy(chunks);
		return err;
	}
	a->chunks = chunks;
	return block_file_create(a->in->cache, &chunk_ops, chunks, &a->blocks);
}

static struct error *add_memory(struct avml *a)
{
	const struct file *decoded;
	struct file file;
	struct error *err;

	if (!a->num_places)
		return NULL;
	err = block_file_open(take_ptr(a->blocks), a->in->file->path, &file);
	if (err)
		return err;
	file.is_internal = true;
	if ((err = file_set_add(a->in->files, &file, &decoded)))
		return err;
	for (size_t i = 0; !err && i < a->num_places; i++) {
		const struct place *p = &a->places[i];

		err = physmem_add_file(a->in->mem, p->pa, p->length, decoded, p->offset);
	}
	return err;
}

static unsigned probe(const struct probe_input *in)
{
	return lime_probe(&kind, in);
}

static struct error *open_avml(const struct format_input *in)
{
	struct avml a = { .in = in };
	struct error *err;

	in->info->format = "avml";
	in->info->machine = "amd64";
	if (!(err = create(&a)) && !(err = lime_each_range(&kind, in, &a)))
		err = add_memory(&a);
	block_file_destroy(a.blocks);
	free(a.places);
	return err;
}

const struct format_ops avml_format = {
	.name = "avml",
	.description = "AVML with snappy: compressed ranges of physical memory",
	.recognised = "AVML",
	.codecs = 1u << CODEC_SNAPPY,
	.probe = probe,
	.open = open_avml,
};
