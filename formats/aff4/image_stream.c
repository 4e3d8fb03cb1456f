/* SPDX-License-Identifier: MIT */
/*
 * An image stream (AFF4 standard, section 3): chunks of one size, each compressed by itself, so
 * many of them in a "bevy", a stored member of the archive, with an index beside it:
 *
 *	NAME/00000000	     chunk | chunk | ...
 *	NAME/00000000.index  {u64 offset in the bevy, u32 length} of each
 *
 * Before the standard the index is NAME/00000000/index with a u32 for each chunk: where it begins
 * (c-aff4: the first is 0) or where it ends (Evimetry). A chunk as long as the chunk size is
 * stored as it is. The last one may be padded or short.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "codec/codec.h"
#include "formats/aff4/private.h"
#include "memory/block_file.h"

enum {
	DEFAULT_CHUNK_SIZE = 32 << 10, /* c-aff4's */
	DEFAULT_CHUNKS_PER_BEVY = 1024,
	MAX_CHUNK_SIZE = 16 << 20,
	MAX_BEVIES = 1 << 22,
	MAX_INDEX_SIZE = 256 << 20,
	ROW_SIZE = 12,	  /* of the standard's index */
	OLD_ROW_SIZE = 4, /* of those before */
};

struct bevy {
	uint64_t number;
	uint64_t offset, size; /* in the file */
	const uint8_t *index;  /* owned by the archive */
	uint64_t num_rows;
	uint32_t row_size;
	bool has_ends; /* old rows: where chunks end */
};

struct stream {
	struct aff4_volume *volume; /* a reference */
	const struct file *file;
	struct decoder *decoder; /* NULL: stored */
	uint64_t size, chunk_size, chunks_per_bevy;
	struct bevy *bevies; /* by number */
	size_t num_bevies, capacity;
};

static const struct {
	const char *iri; /* without the scheme and a slash at the end */
	enum codec codec;
} methods[] = {
	{ "www.ietf.org/rfc/rfc1950.txt", CODEC_ZLIB },
	{ "tools.ietf.org/html/rfc1950", CODEC_ZLIB },
	{ "tools.ietf.org/html/rfc1951", CODEC_DEFLATE },
	{ "code.google.com/p/snappy", CODEC_SNAPPY },
	{ "github.com/google/snappy", CODEC_SNAPPY },
	{ "code.google.com/p/lz4", CODEC_LZ4 },
	{ "github.com/lz4/lz4", CODEC_LZ4 },
};

static const char *const stored_methods[] = {
	AFF4_NAMESPACE "NullCompressor",
	AFF4_OLD_NAMESPACE "nullCompressor",
	AFF4_NAMESPACE "compression/stored",
};

bool aff4_compression(const char *iri, enum codec *codec_ret, bool *stored_ret)
{
	const char *rest = strstr(iri, "://");
	size_t len;

	*stored_ret = false;
	for (size_t i = 0; i < ARRAY_SIZE(stored_methods); i++)
		*stored_ret = *stored_ret || !strcmp(iri, stored_methods[i]);
	if (*stored_ret || !rest)
		return *stored_ret;
	rest += strlen("://");
	len = strlen(rest);
	len -= len && rest[len - 1] == '/';
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (strlen(methods[i].iri) != len || memcmp(methods[i].iri, rest, len))
			continue;
		*codec_ret = methods[i].codec;
		return true;
	}
	return false;
}

static struct error *choose_decoder(struct stream *s, const char *compression)
{
	/* Nothing said: chunks are stored, but c-aff4 means zlib. A stored chunk tells by its
	 * length. */
	enum codec codec = CODEC_ZLIB;
	bool stored = false;

	if (compression && !aff4_compression(compression, &codec, &stored))
		return error_new(ERROR_UNSUPPORTED, "compressed with %s: not known", compression);
	return stored ? NULL : decoder_create(codec, &s->decoder);
}

static const struct bevy *find_bevy(const struct stream *s, uint64_t number)
{
	size_t low = 0, high = s->num_bevies;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->bevies[middle].number == number)
			return &s->bevies[middle];
		if (s->bevies[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Where a chunk is in its bevy. */
static void read_row(const struct bevy *b, uint64_t row, uint64_t *offset_ret, uint64_t *len_ret)
{
	const uint8_t *at = b->index + row * b->row_size;
	uint64_t start, end;

	if (b->row_size == ROW_SIZE) {
		*offset_ret = load_u64(at);
		*len_ret = load_u32(at + 8);
		return;
	}
	if (b->has_ends) {
		start = row ? load_u32(at - OLD_ROW_SIZE) : 0;
		end = load_u32(at);
	} else {
		start = load_u32(at);
		end = row + 1 < b->num_rows ? load_u32(at + OLD_ROW_SIZE) : b->size;
	}
	*offset_ret = start;
	*len_ret = end > start ? end - start : 0;
}

/* The chunk's bytes in the file, which has them all. */
static struct error *find_chunk(const struct stream *s, uint64_t index, uint64_t *offset_ret,
				uint64_t *len_ret)
{
	uint64_t number = index / s->chunks_per_bevy, row = index % s->chunks_per_bevy;
	const struct bevy *b = find_bevy(s, number);
	uint64_t offset, len;

	if (!b)
		return error_new(ERROR_CORRUPT, "expected bevy %08" PRIu64 " in the volume",
				 number);
	if (row >= b->num_rows)
		return error_new(ERROR_CORRUPT,
				 "the index of bevy %08" PRIu64 " ends after %" PRIu64
				 " chunks, expected number %" PRIu64,
				 number, b->num_rows, row);
	read_row(b, row, &offset, &len);
	if (offset > b->size || len > b->size - offset)
		return error_new(ERROR_CORRUPT,
				 "bevy %08" PRIu64 " at file offset 0x%" PRIx64
				 ": chunk of %" PRIu64 " bytes at 0x%" PRIx64
				 ", expected it in %" PRIu64 " bytes",
				 number, b->offset, len, offset, b->size);
	/* Codecs make what cannot be compressed a little longer, never twice as long. */
	if (!len || len > 2 * s->chunk_size)
		return error_new(ERROR_CORRUPT,
				 "bevy %08" PRIu64 " at file offset 0x%" PRIx64
				 ": chunk of %" PRIu64 " bytes, expected 1 to %" PRIu64,
				 number, b->offset, len, 2 * s->chunk_size);
	*offset_ret = b->offset + offset;
	*len_ret = len;
	return NULL;
}

/* The last chunk: padded to a whole one, or short, or short and stored. */
static struct error *decode_last(const struct stream *s, const uint8_t *in, size_t in_len,
				 uint8_t *buf, size_t len)
{
	uint8_t *whole = malloc(s->chunk_size);
	struct error *err;
	size_t got;

	if (!whole)
		return &error_no_memory;
	err = decoder_run(s->decoder, in, in_len, whole, s->chunk_size, &got);
	if (!err && got < len)
		err = error_new(ERROR_CORRUPT, "expected %zu bytes, found %zu", len, got);
	if (!err)
		memcpy(buf, whole, len);
	free(whole);
	if (err && in_len == len && error_catch(&err, ERROR_CORRUPT))
		memcpy(buf, in, len);
	return err;
}

static struct error *decode_bytes(const struct stream *s, const uint8_t *in, size_t in_len,
				  uint8_t *buf, size_t len)
{
	if (in_len != s->chunk_size && s->decoder)
		return len == s->chunk_size ? decoder_run_exact(s->decoder, in, in_len, buf, len)
					    : decode_last(s, in, in_len, buf, len);
	if (in_len < len)
		return error_new(ERROR_CORRUPT, "stored chunk: expected %zu bytes, found %zu", len,
				 in_len);
	memcpy(buf, in, len);
	return NULL;
}

/* A chunk too long for a view. */
static struct error *decode_copy(const struct stream *s, uint64_t offset, size_t in_len,
				 uint8_t *buf, size_t len)
{
	uint8_t *in = malloc(in_len);
	struct error *err = in ? file_read(s->file, offset, in, in_len) : &error_no_memory;

	if (!err)
		err = decode_bytes(s, in, in_len, buf, len);
	free(in);
	return err;
}

static struct error *decode(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	const struct stream *s = arg;
	uint64_t offset = 0, in_len = 0;
	struct file_view v;
	struct error *err = find_chunk(s, index, &offset, &in_len);

	if (err)
		return error_wrap(err, "chunk %" PRIu64, index);
	if (in_len > FILE_MAX_VIEW) {
		err = decode_copy(s, offset, (size_t)in_len, buf, len);
	} else if (!(err = file_view(s->file, offset, (size_t)in_len, &v))) {
		err = decode_bytes(s, v.bytes, (size_t)in_len, buf, len);
		file_view_release(&v);
	}
	return error_wrap(err, "chunk %" PRIu64 " at file offset 0x%" PRIx64, index, offset);
}

static void destroy(void *arg)
{
	struct stream *s = arg;

	decoder_destroy(s->decoder);
	free(s->bevies);
	aff4_volume_close(s->volume);
	free(s);
}

/* The number of a bevy from what follows "NAME/"; false when it is something else. */
static bool parse_number(const char *s, size_t len, uint64_t *ret)
{
	uint64_t number = 0;

	if (len < 8 || len > 18)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		number = 10 * number + (uint64_t)(s[i] - '0');
	}
	*ret = number;
	return true;
}

/* NAME/00000000.index, or NAME/00000000/index before the standard. */
static struct error *read_index(struct stream *s, const struct zip_member *m, struct bevy *b)
{
	static const char *const suffixes[] = { ".index", "/index" };
	struct zip *zip = s->volume->zip;
	const struct zip_member *index = NULL;
	char name[AFF4_MAX_MEMBER_NAME + 16];
	uint64_t chunks;
	struct error *err;

	b->row_size = ROW_SIZE;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && !index; i++) {
		snprintf(name, sizeof(name), "%.*s%s", (int)m->name_len, m->name, suffixes[i]);
		index = zip_find(zip, name);
		if (index && i)
			b->row_size = OLD_ROW_SIZE;
	}
	if (!index)
		return error_new(ERROR_CORRUPT, "bevy %08" PRIu64 " has no index", b->number);
	if ((err = aff4_zip_read(s->volume, index, MAX_INDEX_SIZE, &b->index)))
		return err;
	/* Rows of the old kind under the new name? Their number tells. */
	chunks = (s->size + s->chunk_size - 1) / s->chunk_size - b->number * s->chunks_per_bevy;
	if (chunks > s->chunks_per_bevy)
		chunks = s->chunks_per_bevy;
	if (chunks && index->size == OLD_ROW_SIZE * chunks)
		b->row_size = OLD_ROW_SIZE;
	b->num_rows = index->size / b->row_size;
	b->has_ends = b->row_size == OLD_ROW_SIZE && b->num_rows && load_u32(b->index);
	return NULL;
}

static struct error *add_bevy(struct stream *s, const struct zip_member *m, uint64_t number)
{
	struct bevy b = { .number = number, .size = m->size };
	struct error *err;

	if (m->method != ZIP_STORED || m->compressed_size != m->size)
		return error_new(ERROR_UNSUPPORTED,
				 "bevy %08" PRIu64 " is compressed once more, with %s: expected it "
				 "stored",
				 number, zip_method_name(m->method));
	if ((err = zip_locate(s->volume->zip, m, &b.offset)) || (err = read_index(s, m, &b)) ||
	    (err = array_reserve(&s->bevies, &s->capacity, s->num_bevies + 1, sizeof(b), MAX_BEVIES,
				 "bevies")))
		return err;
	s->bevies[s->num_bevies++] = b;
	return NULL;
}

/* Members by name are in the order of their numbers, since these have one length (or, past eight
 * digits, are sorted here). */
static int compare_bevies(const void *a, const void *b)
{
	const struct bevy *first = a, *second = b;

	return (first->number > second->number) - (first->number < second->number);
}

/* Bevies below one name; what is damaged is left out and said. */
static struct error *add_bevies(struct stream *s, const char *name, struct diag *diag)
{
	struct zip *zip = s->volume->zip;
	size_t first, count = zip_find_prefix(zip, name, &first), len = strlen(name);
	uint64_t chunks = (s->size + s->chunk_size - 1) / s->chunk_size, number;

	for (size_t i = first; i < first + count; i++) {
		const struct zip_member *m = zip_member_by_name(zip, i);
		struct error *err;

		if (!parse_number(m->name + len, m->name_len - len, &number) ||
		    number >= (chunks + s->chunks_per_bevy - 1) / s->chunks_per_bevy)
			continue;
		/* Of two with one name the last counts. */
		if (s->num_bevies && s->bevies[s->num_bevies - 1].number == number)
			s->num_bevies--;
		err = add_bevy(s, m, number);
		if (err && (error_code(err) == ERROR_NO_MEMORY || error_code(err) == ERROR_LIMIT))
			return err;
		if (err)
			diag_error(diag, err, "a part of the image is left out");
	}
	if (s->num_bevies)
		qsort(s->bevies, s->num_bevies, sizeof(*s->bevies), compare_bevies);
	return NULL;
}

static struct error *find_bevies(struct stream *s, const struct aff4_object *o)
{
	struct aff4_volume *v = s->volume;
	char name[AFF4_MAX_MEMBER_NAME + 1];
	uint64_t per_bevy = s->chunk_size * s->chunks_per_bevy, expected;
	struct error *err;

	for (unsigned form = 0; !s->num_bevies && aff4_member_name(v, o->uri, form, name); form++) {
		strcat(name, "/");
		if ((err = add_bevies(s, name, v->context.diag)))
			return err;
	}
	expected = s->size / per_bevy + (s->size % per_bevy != 0);
	if (!s->num_bevies && s->size)
		return error_new(ERROR_NOT_FOUND,
				 "its %" PRIu64 " bevies are not in this volume: is the image "
				 "striped over several?",
				 expected);
	if (s->num_bevies < expected)
		diag_partial(v->context.diag,
			     "stream %s: expected %" PRIu64 " bevies in the volume, found %zu",
			     o->uri, expected, s->num_bevies);
	return block_cache_reserve(v->context.cache, s->capacity * sizeof(*s->bevies),
				   "the bevies of an AFF4 stream");
}

static struct error *check_sizes(const struct stream *s, const struct aff4_object *o)
{
	uint64_t per_bevy;

	if (!o->has_size)
		return error_new(ERROR_CORRUPT, "its size is not said");
	if (s->size > INT64_MAX)
		return error_new(ERROR_LIMIT,
				 "size of %" PRIu64 " bytes: expected at most %" PRIi64, s->size,
				 INT64_MAX);
	if (s->chunk_size > MAX_CHUNK_SIZE)
		return error_new(ERROR_LIMIT, "chunks of %" PRIu64 " bytes: expected at most %d",
				 s->chunk_size, MAX_CHUNK_SIZE);
	if (__builtin_mul_overflow(s->chunk_size, s->chunks_per_bevy, &per_bevy) ||
	    per_bevy > INT64_MAX)
		return error_new(ERROR_LIMIT, "%" PRIu64 " chunks of %" PRIu64 " bytes in a bevy",
				 s->chunks_per_bevy, s->chunk_size);
	return NULL;
}

static struct error *prepare(struct stream *s, const struct aff4_object *o)
{
	struct error *err = check_sizes(s, o);

	if (err || (err = choose_decoder(s, o->compression)))
		return err;
	return find_bevies(s, o);
}

struct error *aff4_image_stream_open(struct aff4_volume *v, const struct aff4_object *o,
				     struct file *ret)
{
	static const struct block_file_ops ops = { .decode = decode, .destroy = destroy };
	struct stream *s = calloc(1, sizeof(*s));
	struct block_file *blocks;
	struct error *err;

	if (!s)
		return &error_no_memory;
	*s = (struct stream){
		.volume = aff4_volume_reference(v),
		.file = v->context.file,
		.size = o->size,
		.chunk_size = o->chunk_size ? o->chunk_size : DEFAULT_CHUNK_SIZE,
		.chunks_per_bevy =
			o->chunks_per_bevy ? o->chunks_per_bevy : DEFAULT_CHUNKS_PER_BEVY,
	};
	if ((err = prepare(s, o))) {
		destroy(s);
		return err;
	}
	if ((err = block_file_create(v->context.cache, &ops, s, &blocks)))
		return err;
	if ((err = block_file_add(blocks, s->size / s->chunk_size, s->chunk_size)) ||
	    (s->size % s->chunk_size &&
	     (err = block_file_add(blocks, 1, s->size % s->chunk_size)))) {
		block_file_destroy(blocks);
		return err;
	}
	if ((err = block_file_open(blocks, o->uri, ret)))
		return err;
	ret->is_internal = true;
	return NULL;
}
