/* SPDX-License-Identifier: MIT */
/*
 * kdump-compressed of header version 6 with pages deflated by zlib, laid out as QEMU's
 * dump-guest-memory -z does: header, sub header with the registers' notes, two equal bitmaps of
 * the pages that are there, a descriptor for each of them, the pages. Layout: makedumpfile's
 * IMPLEMENTATION and diskdump_mod.h, QEMU's include/sysemu/dump.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/cursor.h"
#include "formats/writers/cpu_notes.h"
#include "formats/writers/stream.h"

enum {
	BLOCK_SIZE = PAGE_SIZE,
	PAGES_OF_BLOCK = BLOCK_SIZE * 8, /* that one block of a bitmap tells of */
	CHUNK_PAGES = STREAM_CHUNK_SIZE / PAGE_SIZE,
	DESCRIPTOR_SIZE = 24,
	HEADER_VERSION = 6,
	COMPRESSED_ZLIB = 1, /* DUMP_DH_COMPRESSED_ZLIB: of the file, and of a page */
};

/* 64 TiB of addresses: what is above comes of damage, and would make bitmaps of hundreds of GiB. */
#define MAX_PAGES (UINT64_C(1) << 34)

/* struct disk_dump_header */
enum header_field {
	HEADER_SIGNATURE = 0,
	HEADER_VERSION_AT = 8,
	HEADER_MACHINE = 12 + 4 * 65, /* of its utsname */
	HEADER_STATUS = 424,
	HEADER_BLOCK_SIZE = 428,
	HEADER_SUB_HEADER_BLOCKS = 432,
	HEADER_BITMAP_BLOCKS = 436, /* of both */
	HEADER_MAX_MAPNR = 440,	    /* page frames, as far as 32 bits go */
	HEADER_NUM_CPUS = 460,
	HEADER_SIZE = 464,
};

/* struct kdump_sub_header */
enum sub_header_field {
	SUB_DUMP_LEVEL = 8,
	SUB_NOTE_OFFSET = 48,
	SUB_NOTE_SIZE = 56,
	SUB_MAX_MAPNR = 96, /* all 64 bits */
	SUB_SIZE = 104,
};

/* Pages are small: a deflate state of this size is as good as the usual one, and is reset in a
 * fraction of the time. */
enum { LEVEL = Z_BEST_SPEED, WINDOW_BITS = 13, MEMORY_LEVEL = 6 };

/* What make() leaves of a chunk: sizes of its pages, then their bytes, end to end. */
struct packed {
	uint32_t sizes[CHUNK_PAGES]; /* PAGE_SIZE: stored; 0: all zeros */
	size_t len;
	uint8_t bytes[STREAM_CHUNK_SIZE];
};

struct kdump {
	const struct write_job *job;
	z_stream *deflaters; /* [num_deflaters], one a worker */
	unsigned num_deflaters;
	uint8_t *notes;
	size_t notes_size;
	uint64_t bitmap_size; /* of one, whole blocks */
	uint64_t sub_header_blocks;
	uint64_t descriptors_offset, zero_page_offset;
	uint64_t end; /* of what was written */
};

static uint64_t blocks(uint64_t size)
{
	return (size + BLOCK_SIZE - 1) / BLOCK_SIZE;
}

static bool is_zero_page(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE_SIZE - 1) == 0;
}

/* At most PAGE_SIZE bytes at `to`; how many. */
static struct error *pack_page(z_stream *z, const uint8_t *page, uint8_t *to, uint32_t *size_ret)
{
	int result;

	if (deflateReset(z) != Z_OK)
		return error_new(ERROR_CORRUPT, "zlib: cannot be reset");
	z->next_in = (uint8_t *)(uintptr_t)page; /* zlib has no const here */
	z->avail_in = PAGE_SIZE;
	z->next_out = to;
	z->avail_out = PAGE_SIZE - 1;
	result = deflate(z, Z_FINISH);
	if (result == Z_STREAM_END) {
		*size_ret = PAGE_SIZE - 1 - z->avail_out;
		return NULL;
	}
	memcpy(to, page, PAGE_SIZE);
	*size_ret = PAGE_SIZE;
	return NULL;
}

static struct error *pack_chunk(void *arg, const struct stream_chunk *chunk)
{
	struct kdump *k = arg;
	struct packed *packed = (void *)chunk->made;
	struct error *err = NULL;

	packed->len = 0;
	for (size_t i = 0; i < chunk->len / PAGE_SIZE && !err; i++) {
		const uint8_t *page = chunk->bytes + i * PAGE_SIZE;

		packed->sizes[i] = 0;
		if (is_zero_page(page))
			continue;
		err = pack_page(&k->deflaters[chunk->worker], page, packed->bytes + packed->len,
				&packed->sizes[i]);
		packed->len += packed->sizes[i];
	}
	return err;
}

static void put_descriptor(uint8_t *row, uint64_t offset, uint32_t size, uint32_t flags)
{
	store_u64(row, offset);
	store_u32(row + 8, size);
	store_u32(row + 12, flags);
	store_u64(row + 16, 0); /* page_flags: of Linux */
}

static struct error *put_chunk(void *arg, const struct stream_chunk *chunk)
{
	struct kdump *k = arg;
	const struct packed *packed = (const void *)chunk->made;
	size_t pages = chunk->len / PAGE_SIZE;
	uint8_t rows[CHUNK_PAGES * DESCRIPTOR_SIZE];
	uint64_t at = k->end;
	struct error *err;

	for (size_t i = 0; i < pages; i++) {
		uint8_t *row = rows + i * DESCRIPTOR_SIZE;
		uint32_t size = packed->sizes[i];

		if (size)
			put_descriptor(row, at, size, size < PAGE_SIZE ? COMPRESSED_ZLIB : 0);
		else
			put_descriptor(row, k->zero_page_offset, PAGE_SIZE, 0);
		at += size;
	}
	err = output_write(k->job->out,
			   k->descriptors_offset + chunk->stream / PAGE_SIZE * DESCRIPTOR_SIZE,
			   rows, pages * DESCRIPTOR_SIZE);
	if (!err)
		err = output_write(k->job->out, k->end, packed->bytes, packed->len);
	k->end = at;
	return err;
}

static struct error *put_headers(const struct kdump *k)
{
	uint64_t mapnr = write_memory_end(k->job->memory) >> PAGE_SHIFT;
	uint64_t bitmap_blocks = 2 * k->bitmap_size / BLOCK_SIZE;
	uint8_t header[HEADER_SIZE] = "KDUMP   ", sub[SUB_SIZE] = { 0 };
	struct error *err;

	store_u32(header + HEADER_VERSION_AT, HEADER_VERSION);
	memcpy(header + HEADER_MACHINE, "x86_64", 6);
	store_u32(header + HEADER_STATUS, COMPRESSED_ZLIB);
	store_u32(header + HEADER_BLOCK_SIZE, BLOCK_SIZE);
	store_u32(header + HEADER_SUB_HEADER_BLOCKS, (uint32_t)k->sub_header_blocks);
	store_u32(header + HEADER_BITMAP_BLOCKS, (uint32_t)bitmap_blocks);
	store_u32(header + HEADER_MAX_MAPNR, mapnr < UINT32_MAX ? (uint32_t)mapnr : UINT32_MAX);
	store_u32(header + HEADER_NUM_CPUS, k->job->info->num_cpus);
	store_u32(sub + SUB_DUMP_LEVEL, 1); /* pages of zeros are not stored again */
	if (k->notes_size) {
		store_u64(sub + SUB_NOTE_OFFSET, BLOCK_SIZE + SUB_SIZE);
		store_u64(sub + SUB_NOTE_SIZE, k->notes_size);
	}
	store_u64(sub + SUB_MAX_MAPNR, mapnr);
	if ((err = output_write(k->job->out, 0, header, sizeof(header))) ||
	    (err = output_write(k->job->out, BLOCK_SIZE, sub, sizeof(sub))))
		return err;
	return output_write(k->job->out, BLOCK_SIZE + SUB_SIZE, k->notes, k->notes_size);
}

/* One block of both bitmaps. */
static struct error *put_bits(const struct kdump *k, uint64_t block, const uint8_t *bits)
{
	uint64_t offset = (1 + k->sub_header_blocks + block) * BLOCK_SIZE;
	struct error *err = output_write(k->job->out, offset, bits, BLOCK_SIZE);

	return err ? err : output_write(k->job->out, offset + k->bitmap_size, bits, BLOCK_SIZE);
}

/* Blocks without any page are left to be a hole. */
static struct error *put_bitmaps(const struct kdump *k)
{
	const struct write_memory *m = k->job->memory;
	uint8_t bits[BLOCK_SIZE] = { 0 };
	uint64_t block = 0;
	struct error *err = NULL;

	for (size_t i = 0; i < m->count && !err; i++) {
		uint64_t page = m->runs[i].start >> PAGE_SHIFT;

		for (; page < m->runs[i].end >> PAGE_SHIFT && !err; page++) {
			if (page / PAGES_OF_BLOCK != block) {
				err = put_bits(k, block, bits);
				memset(bits, 0, sizeof(bits));
				block = page / PAGES_OF_BLOCK;
			}
			bits[page % PAGES_OF_BLOCK / 8] |= (uint8_t)(1 << page % 8);
		}
	}
	return err ? err : put_bits(k, block, bits);
}

static struct error *lay_out(struct kdump *k)
{
	const struct write_memory *m = k->job->memory;
	uint64_t pages = write_memory_end(m) >> PAGE_SHIFT;

	if (pages > MAX_PAGES)
		return error_new(ERROR_LIMIT,
				 "kdump: 0x%" PRIx64 " page frames pass the limit of 0x%" PRIx64
				 " (elf and lime need no bitmap of them)",
				 pages, MAX_PAGES);
	k->bitmap_size = blocks((pages + 7) / 8) * BLOCK_SIZE;
	k->sub_header_blocks = blocks(SUB_SIZE + k->notes_size);
	k->descriptors_offset = (1 + k->sub_header_blocks) * BLOCK_SIZE + 2 * k->bitmap_size;
	k->zero_page_offset = k->descriptors_offset + m->bytes / PAGE_SIZE * DESCRIPTOR_SIZE;
	k->end = k->zero_page_offset + PAGE_SIZE;
	return NULL;
}

static struct error *put_all(struct kdump *k)
{
	static const struct stream_ops ops = {
		.made_size = sizeof(struct packed),
		.make = pack_chunk,
		.put = put_chunk,
	};
	static const uint8_t zeros[PAGE_SIZE];
	struct error *err;

	output_set_unordered(k->job->out);
	if ((err = lay_out(k)) || (err = put_headers(k)) || (err = put_bitmaps(k)) ||
	    (err = output_write(k->job->out, k->zero_page_offset, zeros, sizeof(zeros))))
		return err;
	return stream_each(k->job, &ops, k);
}

static struct error *create_deflaters(struct kdump *k)
{
	unsigned wanted = stream_workers(k->job);

	if (!(k->deflaters = calloc(wanted, sizeof(*k->deflaters))))
		return &error_no_memory;
	for (; k->num_deflaters < wanted; k->num_deflaters++) {
		if (deflateInit2(&k->deflaters[k->num_deflaters], LEVEL, Z_DEFLATED, WINDOW_BITS,
				 MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
			return &error_no_memory;
	}
	return NULL;
}

static struct error *kdump_write(const struct write_job *job)
{
	struct kdump k = { .job = job };
	struct error *err = cpu_notes_build(job->info, job->diag, &k.notes, &k.notes_size);

	if (!err)
		err = create_deflaters(&k);
	if (!err)
		err = put_all(&k);
	for (unsigned i = 0; i < k.num_deflaters; i++)
		deflateEnd(&k.deflaters[i]);
	free(k.deflaters);
	free(k.notes);
	return err;
}

const struct format_writer kdump_writer = {
	.name = "kdump-zlib",
	.suffix = ".kdump",
	.format = "kdump",
	.description = "kdump-compressed of QEMU and makedumpfile, pages deflated with zlib",
	.flags = WRITER_WHOLE_PAGES | WRITER_REGISTERS | WRITER_COMPRESSES,
	.write = kdump_write,
};
