/* SPDX-License-Identifier: MIT */
#include "windows/symbols/pdb/msf.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

static const uint8_t magic[MSF_MAGIC_SIZE] = "Microsoft C/C++ MSF 7.00\r\n\x1a"
					     "DS";

enum {
	SUPERBLOCK_SIZE = MSF_MAGIC_SIZE + 5 * 4, /* the block map's block numbers follow */
	ABSENT_STREAM = -1,
};

bool msf_probe(const uint8_t *bytes, size_t len)
{
	return len >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

static uint32_t blocks_of(const struct msf *msf, uint64_t size)
{
	return (uint32_t)((size + msf->block_size - 1) / msf->block_size);
}

static const uint8_t *block_at(const struct msf *msf, uint32_t number)
{
	return msf->bytes + (uint64_t)number * msf->block_size;
}

/* Are these `count` block numbers all in the file? */
static struct error *check_blocks(const struct msf *msf, const uint8_t *numbers, uint32_t count,
				  const char *what)
{
	for (uint32_t i = 0; i < count; i++)
		if (load_u32(numbers + 4 * (size_t)i) >= msf->num_blocks)
			return error_new(ERROR_CORRUPT,
					 "%s: block %u is number %u; the file has %u", what, i,
					 load_u32(numbers + 4 * (size_t)i), msf->num_blocks);
	return NULL;
}

/* Copies what a list of good block numbers holds. */
static void gather(const struct msf *msf, const uint8_t *numbers, uint8_t *ret, uint32_t len)
{
	for (uint32_t done = 0; done < len; numbers += 4) {
		uint32_t n = len - done < msf->block_size ? len - done : msf->block_size;

		memcpy(ret + done, block_at(msf, load_u32(numbers)), n);
		done += n;
	}
}

/* Allocates a copy of `len` bytes in the blocks listed; *ret is the caller's to free. */
static struct error *copy_blocks(const struct msf *msf, const uint8_t *numbers, uint32_t len,
				 const char *what, uint8_t **ret)
{
	struct error *err = check_blocks(msf, numbers, blocks_of(msf, len), what);

	if (err)
		return err;
	*ret = malloc(len ? len : 1);
	if (!*ret)
		return &error_no_memory;
	gather(msf, numbers, *ret, len);
	return NULL;
}

static struct error *read_superblock(struct msf *msf, uint32_t *directory_size)
{
	struct cursor c;
	uint32_t free_map;

	cur_init(&c, msf->bytes, (size_t)msf->len, 0);
	if (!cur_skip(&c, sizeof(magic)) || !cur_u32(&c, &msf->block_size) ||
	    !cur_u32(&c, &free_map) || !cur_u32(&c, &msf->num_blocks) ||
	    !cur_u32(&c, directory_size))
		return cur_error(&c, "MSF superblock");
	if (msf->block_size < MSF_MIN_BLOCK || msf->block_size > MSF_MAX_BLOCK ||
	    (msf->block_size & (msf->block_size - 1)))
		return error_new(ERROR_CORRUPT,
				 "MSF superblock: block size %u at 0x20; expected a power of two "
				 "from %d to %d",
				 msf->block_size, MSF_MIN_BLOCK, MSF_MAX_BLOCK);
	if (msf->num_blocks > msf->len / msf->block_size)
		return error_new(ERROR_CORRUPT,
				 "MSF superblock: %u blocks of %u bytes; the file has %llu bytes",
				 msf->num_blocks, msf->block_size, (unsigned long long)msf->len);
	if (*directory_size > msf->len)
		return error_new(ERROR_CORRUPT,
				 "MSF superblock: directory of %u bytes at 0x2c; the file has %llu",
				 *directory_size, (unsigned long long)msf->len);
	return NULL;
}

/* The directory's blocks are listed in the block map, whose own follow the superblock. */
static struct error *copy_directory(struct msf *msf, uint32_t size)
{
	uint32_t map_size = 4 * blocks_of(msf, size), map_blocks = blocks_of(msf, map_size);
	struct error *err;
	uint8_t *map;

	if (map_blocks > (msf->block_size - SUPERBLOCK_SIZE) / 4)
		return error_new(ERROR_CORRUPT,
				 "MSF superblock: a directory of %u bytes does not fit", size);
	if (msf->num_blocks == 0)
		return error_new(ERROR_CORRUPT, "MSF superblock: no blocks");
	err = copy_blocks(msf, msf->bytes + SUPERBLOCK_SIZE, map_size, "MSF block map", &map);
	if (err)
		return err;
	err = copy_blocks(msf, map, size, "MSF directory", &msf->directory);
	free(map);
	return err;
}

static struct error *read_streams(struct msf *msf, uint32_t size)
{
	uint64_t blocks = 0, left;
	struct cursor c;

	cur_init(&c, msf->directory, size, 0);
	if (!cur_u32(&c, &msf->num_streams))
		return cur_error(&c, "MSF directory");
	if (msf->num_streams > cur_left(&c) / 4 || msf->num_streams > MSF_MAX_STREAMS)
		return error_new(ERROR_CORRUPT, "MSF directory: %u streams in %u bytes",
				 msf->num_streams, size);
	msf->streams = calloc(msf->num_streams ? msf->num_streams : 1, sizeof(*msf->streams));
	if (!msf->streams)
		return &error_no_memory;
	left = (cur_left(&c) - 4 * (size_t)msf->num_streams) / 4;
	for (uint32_t i = 0; i < msf->num_streams; i++) {
		struct msf_stream *s = &msf->streams[i];

		s->msf = msf;
		s->size = load_u32(c.base + 4 + 4 * (size_t)i);
		if (s->size == (uint32_t)ABSENT_STREAM)
			s->size = 0;
		s->blocks = c.base + 4 * (1 + (size_t)msf->num_streams + (size_t)blocks);
		blocks += blocks_of(msf, s->size);
		if (blocks > left)
			return error_new(ERROR_CORRUPT,
					 "MSF directory: stream %u of %u bytes: its block list "
					 "ends after the directory's %u bytes",
					 i, s->size, size);
	}
	return NULL;
}

struct error *msf_init(struct msf *ret, const uint8_t *bytes, size_t len)
{
	struct msf *msf = ret;
	uint32_t directory_size;
	struct error *err;

	*msf = (struct msf){ .bytes = bytes, .len = len };
	if (!msf_probe(bytes, len))
		return error_new(ERROR_UNSUPPORTED, "not a PDB (MSF 7.00)");
	if ((err = read_superblock(msf, &directory_size)) ||
	    (err = copy_directory(msf, directory_size)) ||
	    (err = read_streams(msf, directory_size)))
		msf_deinit(msf);
	return err;
}

void msf_deinit(struct msf *msf)
{
	free(msf->streams);
	free(msf->directory);
	*msf = (struct msf){ 0 };
}

struct error *msf_open_stream(const struct msf *msf, uint32_t number, const char *what,
			      struct msf_stream *ret)
{
	const struct msf_stream *s;
	struct error *err;

	if (number >= msf->num_streams)
		return error_new(ERROR_NOT_FOUND, "%s: no stream %u; the file has %u", what, number,
				 msf->num_streams);
	s = &msf->streams[number];
	if (s->size > msf->len)
		return error_new(ERROR_CORRUPT, "%s: stream %u has %u bytes; the file has %llu",
				 what, number, s->size, (unsigned long long)msf->len);
	err = check_blocks(msf, s->blocks, blocks_of(msf, s->size), what);
	if (!err)
		*ret = *s;
	return err;
}

const uint8_t *msf_piece(const struct msf_stream *stream, uint32_t offset, uint32_t len)
{
	const struct msf *msf = stream->msf;
	uint32_t first, last, number;

	if (len == 0)
		return msf->bytes;
	first = offset / msf->block_size;
	last = (offset + len - 1) / msf->block_size;
	number = load_u32(stream->blocks + 4 * (size_t)first);
	for (uint32_t i = first + 1; i <= last; i++)
		if (load_u32(stream->blocks + 4 * (size_t)i) != number + (i - first))
			return NULL;
	return block_at(msf, number) + offset % msf->block_size;
}

bool msf_copy(const struct msf_stream *stream, uint32_t offset, uint32_t len, void *ret)
{
	const struct msf *msf = stream->msf;
	uint8_t *to = ret;

	if (offset > stream->size || len > stream->size - offset)
		return false;
	while (len) {
		uint32_t in_block = offset % msf->block_size;
		uint32_t n = msf->block_size - in_block < len ? msf->block_size - in_block : len;
		size_t at = offset / msf->block_size;

		memcpy(to, block_at(msf, load_u32(stream->blocks + 4 * at)) + in_block, n);
		to += n;
		offset += n;
		len -= n;
	}
	return true;
}
