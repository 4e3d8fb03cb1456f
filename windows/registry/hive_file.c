/* SPDX-License-Identifier: MIT */
#include "windows/registry/hive_file.h"

#include <string.h>

#include "base/cursor.h"
#include "windows/registry/hive_bin.h"

enum { DEFAULT_MINOR = 5 /* of hives that Windows XP and later make */ };

static uint32_t checksum(const uint8_t *block)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < REGF_CHECKSUM; i += 4)
		sum ^= load_u32(block + i);
	return sum == 0 ? 1 : sum == UINT32_MAX ? UINT32_MAX - 1 : sum;
}

static void make_base_block(const struct hive *h, uint8_t *block)
{
	memset(block, 0, REGF_SIZE);
	store_u32(block, REGF_SIGNATURE);
	store_u32(block + REGF_SEQUENCE1, 1);
	store_u32(block + REGF_MAJOR, REGF_MAJOR_1);
	store_u32(block + REGF_MINOR,
		  h->version.present ? (uint32_t)h->version.value : DEFAULT_MINOR);
	store_u32(block + REGF_FORMAT, REGF_FORMAT_MEMORY);
	store_u32(block + REGF_ROOT_CELL, hive_root_cell(h));
	store_u32(block + REGF_CLUSTER, REGF_CLUSTER_1);
}

/* As a file has it that no change is pending for. */
static void settle_base_block(const struct hive *h, uint8_t *block)
{
	store_u32(block + REGF_SEQUENCE2, load_u32(block + REGF_SEQUENCE1));
	store_u32(block + REGF_LENGTH, h->storage[STORAGE_STABLE].length);
	store_u32(block + REGF_CHECKSUM, checksum(block));
}

/* The block, of which the words that differ from those at va are made. */
static struct error *write_differences(const struct hive_file_writer *w, uint64_t va,
				       const uint8_t *old, const uint8_t *block)
{
	struct error *err = NULL;
	size_t end;

	for (size_t start = 0; start < REGF_SIZE && !err; start = end) {
		bool same = load_u32(old + start) == load_u32(block + start);

		end = start;
		do {
			end += 4;
		} while (end < REGF_SIZE && same == (load_u32(old + end) == load_u32(block + end)));
		err = same ? w->copy_base(w->arg, start, va + start, end - start)
			   : w->put_made(w->arg, start, block + start, end - start);
	}
	return err;
}

static struct error *write_base_block(const struct hive *h, const struct hive_file_writer *w)
{
	uint8_t old[REGF_SIZE], block[REGF_SIZE];

	if (h->base_block &&
	    space_try_read(h->memory->kernel, h->base_block, old, sizeof(old), NULL) &&
	    load_u32(old) == REGF_SIGNATURE) {
		memcpy(block, old, sizeof(block));
		settle_base_block(h, block);
		return write_differences(w, h->base_block, old, block);
	}
	make_base_block(h, block);
	settle_base_block(h, block);
	return w->put_made(w->arg, 0, block, sizeof(block));
}

/* [start, end) of the hive, block by block. */
static struct error *copy(const struct hive_file_writer *w, uint32_t start, uint32_t end)
{
	struct error *err = NULL;

	while (start < end && !err) {
		uint32_t len = HIVE_BLOCK - start % HIVE_BLOCK;

		if (len > end - start)
			len = end - start;
		err = w->copy(w->arg, REGF_SIZE + (uint64_t)start, start, len);
		start += len;
	}
	return err;
}

/* A free cell over [start, end): its header is made, the bytes in it are what is there. */
static struct error *write_free_cell(const struct hive_file_writer *w, uint32_t start, uint32_t end)
{
	uint8_t size[CELL_HEADER_SIZE];
	struct error *err;

	store_u32(size, end - start);
	err = w->put_made(w->arg, REGF_SIZE + (uint64_t)start, size, sizeof(size));
	return err ? err : copy(w, start + CELL_HEADER_SIZE, end);
}

/* A bin without header over [start, end). */
static struct error *write_empty_bin(const struct hive_file_writer *w, uint32_t start, uint32_t end)
{
	uint8_t header[BIN_HEADER_SIZE] = { 0 };
	struct error *err;

	store_u32(header, BIN_SIGNATURE);
	store_u32(header + BIN_FILE_OFFSET, start);
	store_u32(header + BIN_SIZE, end - start);
	err = w->put_made(w->arg, REGF_SIZE + (uint64_t)start, header, sizeof(header));
	return err ? err : write_free_cell(w, start + BIN_HEADER_SIZE, end);
}

/* Where the headers of the bin's cells can no longer be followed; its end where all can. */
static uint32_t find_lost_cells(const struct hive *h, const struct hive_bin *bin)
{
	uint32_t at = bin->offset + BIN_HEADER_SIZE, end = hive_bin_end(bin), size;
	uint8_t header[CELL_HEADER_SIZE];
	struct hive_fault fault;

	while (at < end) {
		if (!hive_read_bytes(h, at, header, sizeof(header), &fault))
			return at;
		size = load_u32(header);
		if (size & CELL_VOLATILE)
			size = 0 - size;
		/* no size of a cell: that is there, and stays as it is */
		if (size < MIN_CELL_SIZE || size % MIN_CELL_SIZE || size > end - at)
			return end;
		at += size;
	}
	return end;
}

static struct error *write_bin(const struct hive *h, const struct hive_bin *bin,
			       const struct hive_file_writer *w)
{
	uint32_t end = hive_bin_end(bin), lost = bin->absent ? find_lost_cells(h, bin) : end;
	struct error *err = copy(w, bin->offset, lost);

	return err || lost == end ? err : write_free_cell(w, lost, end);
}

struct error *hive_file_write(const struct hive *h, const struct hive_file_writer *w)
{
	struct error *err = write_base_block(h, w);
	uint32_t offset = 0, lost = 0; /* [lost, offset) has no header */
	struct hive_bin bin;

	while (!err && hive_bin_at(h, offset, &bin)) {
		offset = hive_bin_end(&bin);
		if (!bin.has_header)
			continue;
		if (lost < bin.offset)
			err = write_empty_bin(w, lost, bin.offset);
		if (!err)
			err = write_bin(h, &bin, w);
		lost = offset;
	}
	if (!err && lost < offset)
		err = write_empty_bin(w, lost, offset);
	return err;
}
