/* SPDX-License-Identifier: MIT */
/*
 * .zdmp of DumpIt: a crash dump in blocks of one length, each behind a header of 12 bytes and
 * packed with LZNT1; one that would not get shorter is stored. Source of the layout:
 * MagnetForensics/z2dmp-rust, src/zdmp.rs.
 */
#include <inttypes.h>
#include <zlib.h>

#include "base/cursor.h"
#include "codec/codec.h"
#include "container/pieces.h"

enum {
	FILE_HEADER_SIZE = 24, /* magic, version, size of the dump, of a block, kind, codec */
	FIRST_BLOCK = 0x1000,
	BLOCK_HEADER_SIZE = 12, /* magic, length, CRC-32 of the bytes behind it */
	KIND_COMPRESSED = 1,
	CODEC_IS_LZNT1 = 2,
	MAX_BLOCK = 64 << 20, /* DumpIt's are 2 MiB */
};
static const char file_magic[] = "ZDMP", block_magic[] = "ZBLK";

static bool zdmp_probe(const uint8_t *head, size_t size)
{
	return size >= 4 && !memcmp(head, file_magic, 4);
}

struct header {
	uint64_t size; /* of the dump */
	uint32_t block_size;
};

static struct error *read_header(const struct file *file, struct header *ret)
{
	uint8_t bytes[FILE_HEADER_SIZE];
	struct error *err = file_read(file, 0, bytes, sizeof(bytes));
	struct header h;
	uint16_t kind, codec;

	if (err)
		return err;
	h.size = load_u64(bytes + 8);
	h.block_size = load_u32(bytes + 16);
	kind = load_u16(bytes + 20);
	codec = load_u16(bytes + 22);
	if (kind != KIND_COMPRESSED || codec != CODEC_IS_LZNT1)
		return error_new(ERROR_UNSUPPORTED,
				 "blocks of kind %u, packed in way %u: expected 1 (compressed) and "
				 "2 (LZNT1)",
				 kind, codec);
	if (!h.size || !h.block_size || h.block_size > MAX_BLOCK)
		return error_new(
			ERROR_CORRUPT,
			"expected blocks of 1 to %d bytes of a dump, found blocks of %" PRIu32
			" bytes of a dump of %" PRIu64,
			MAX_BLOCK, h.block_size, h.size);
	*ret = h;
	return NULL;
}

/* Neither the header nor the first block. */
static struct error *zdmp_check(const struct container_input *in)
{
	uint8_t magic[4];
	struct header h;
	struct error *err;

	if (in->file->size < FIRST_BLOCK + BLOCK_HEADER_SIZE)
		return NULL;
	if ((err = file_read(in->file, FIRST_BLOCK, magic, sizeof(magic))))
		return err;
	if (!memcmp(magic, block_magic, sizeof(magic)) || !(err = read_header(in->file, &h)))
		return NULL;
	error_destroy(err);
	return error_new(ERROR_CORRUPT, "expected a block ('ZBLK') at 0x%x, found 0x%08" PRIx32,
			 FIRST_BLOCK, load_u32(magic));
}

/* The sum is that of the packed bytes. */
static struct error *decode(void *arg, const struct piece *piece, const uint8_t *in, uint8_t *out,
			    size_t out_len)
{
	size_t len = piece->len - BLOCK_HEADER_SIZE;
	uint32_t expected = load_u32(in + 8), found;

	in += BLOCK_HEADER_SIZE;
	found = (uint32_t)crc32_z(0, in, len);
	if (found != expected)
		return error_new(ERROR_CORRUPT,
				 "expected the CRC-32 0x%08" PRIx32 ", found 0x%08" PRIx32,
				 expected, found);
	if (piece->tag) {
		memcpy(out, in, out_len);
		return NULL;
	}
	return decoder_run_exact(arg, in, len, out, out_len);
}

static void destroy(void *arg)
{
	decoder_destroy(arg);
}

/* The block at *offset, of which out_len bytes are of the dump. */
static struct error *add_block(const struct container_input *in, struct pieces *pieces,
			       const struct header *h, uint64_t out_len, uint64_t *offset)
{
	uint8_t bytes[BLOCK_HEADER_SIZE];
	struct piece piece = { .offset = *offset };
	struct error *err = file_read(in->file, *offset, bytes, sizeof(bytes));
	uint32_t len;
	bool fits;

	if (err)
		return err;
	len = load_u32(bytes + 4);
	if (memcmp(bytes, block_magic, 4) != 0 || !len || len > h->block_size)
		return error_new(ERROR_CORRUPT,
				 "expected a block ('ZBLK') of at most 0x%" PRIx32
				 " bytes at 0x%" PRIx64 ", found 0x%08" PRIx32 " of 0x%" PRIx32,
				 h->block_size, *offset, load_u32(bytes), len);
	if (len > in->file->size - *offset - BLOCK_HEADER_SIZE)
		return error_new(ERROR_CORRUPT,
				 "block of 0x%" PRIx32 " bytes at 0x%" PRIx64
				 ": the file ends at 0x%" PRIx64,
				 len, *offset, in->file->size);
	piece.len = BLOCK_HEADER_SIZE + len;
	piece.tag = len == h->block_size;
	if ((err = pieces_add(pieces, &piece, out_len, &fits)))
		return err;
	if (!fits)
		return error_new(ERROR_LIMIT,
				 "blocks of 0x%" PRIx32 " bytes do not fit (see --max-memory)",
				 h->block_size);
	*offset += piece.len;
	return NULL;
}

static struct error *zdmp_open(const struct container_input *in, struct file *ret)
{
	static const struct pieces_ops ops = { decode, destroy };
	struct pieces *pieces CLEANUP(pieces_cleanup) = NULL;
	uint64_t offset = FIRST_BLOCK;
	struct decoder *decoder;
	struct header h = { 0 };
	struct error *err;

	if ((err = read_header(in->file, &h)) || (err = container_check_size(in, h.size)) ||
	    (err = decoder_create(CODEC_LZNT1, &decoder)) ||
	    (err = pieces_create(in, &ops, decoder, &pieces)))
		return err;
	while (!err && pieces_size(pieces) < h.size) {
		uint64_t left = h.size - pieces_size(pieces);

		err = add_block(in, pieces, &h, left < h.block_size ? left : h.block_size, &offset);
	}
	/* What was there before the damage is read. */
	if (err && error_code(err) == ERROR_CORRUPT && pieces_size(pieces)) {
		diag_error(in->diag, err, "%s: 0x%" PRIx64 " of 0x%" PRIx64 " bytes are lost",
			   in->path, h.size - pieces_size(pieces), h.size);
		err = NULL;
	}
	return err ? err : pieces_open(take_ptr(pieces), ret);
}

const struct container_ops zdmp_container = {
	.name = "zdmp",
	.recognised = "ZDMP",
	.library = "",
	.built_in = true,
	.probe = zdmp_probe,
	.check = zdmp_check,
	.open = zdmp_open,
};
