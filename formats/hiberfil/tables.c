/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/cursor.h"
#include "formats/hiberfil/parts.h"

/*
 * PO_MEMORY_RANGE_ARRAY of Windows 7, a page: {next table's page u64, number of ranges u32, u32},
 * then ranges {first page u64, page behind the last u64}. There is another table only when this
 * one is full. The pages of all its ranges follow in blocks.
 */
enum {
	TABLE_NEXT = 0,
	TABLE_COUNT = 8,
	TABLE_RANGES = 16,
	TABLE_RANGE_SIZE = 16,
	TABLE_MAX_RANGES = (PAGE_SIZE - TABLE_RANGES) / TABLE_RANGE_SIZE,
};

/*
 * A block: "\x81\x81xpress", 32 bits {pages - 1: 10, bytes - 1: 22}, zeros up to 32 bytes; then the
 * bytes, padded to 8. As many bytes as its pages have are not compressed.
 */
enum {
	BLOCK_MAGIC_SIZE = 8,
	BLOCK_INFO = 8,
	BLOCK_HEADER = 32,
	BLOCK_ALIGNMENT = 8,
};
static const char block_magic[] = "\x81\x81xpress";

/* A header that was wiped: where volatility looks for the first block, in pages. */
enum { MAX_FIRST_BLOCK = 10 };

struct table {
	uint64_t offset, next;
	uint32_t num_ranges;
	uint64_t num_pages;
	uint8_t bytes[PAGE_SIZE];
};

static uint64_t range_start(const struct table *t, uint32_t index)
{
	return load_u64(t->bytes + TABLE_RANGES + index * TABLE_RANGE_SIZE);
}

static uint64_t range_end(const struct table *t, uint32_t index)
{
	return load_u64(t->bytes + TABLE_RANGES + index * TABLE_RANGE_SIZE + 8);
}

static struct error *read_table(const struct file *file, uint64_t page, struct table *ret)
{
	struct error *err;

	if (page >= file->size >> PAGE_SHIFT)
		return error_new(ERROR_CORRUPT,
				 "truncated: a table at page 0x%" PRIx64
				 " of the file, which has 0x%" PRIx64,
				 page, file->size >> PAGE_SHIFT);
	ret->offset = page << PAGE_SHIFT;
	if ((err = file_read(file, ret->offset, ret->bytes, PAGE_SIZE)))
		return err;
	ret->next = load_u64(ret->bytes + TABLE_NEXT);
	ret->num_ranges = load_u32(ret->bytes + TABLE_COUNT);
	ret->num_pages = 0;
	if (!ret->num_ranges || ret->num_ranges > TABLE_MAX_RANGES)
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 ": no table of pages: expected 1 to %d ranges, found "
				 "%" PRIu32,
				 ret->offset, TABLE_MAX_RANGES, ret->num_ranges);
	for (uint32_t i = 0; i < ret->num_ranges; i++) {
		uint64_t start = range_start(ret, i), end = range_end(ret, i);

		if (start >= end || end > HIBER_MAX_GFN)
			return error_new(ERROR_CORRUPT,
					 "0x%" PRIx64 ": no table of pages: range %" PRIu32
					 " is 0x%" PRIx64 " to 0x%" PRIx64,
					 ret->offset, i, start, end);
		ret->num_pages += end - start;
	}
	return NULL;
}

/* The block at offset, of `left` pages at most. */
static struct error *read_block(const struct file *file, uint64_t offset, uint64_t left,
				struct hiber_block *ret)
{
	uint8_t header[BLOCK_HEADER];
	uint32_t info, pages, size;
	struct error *err = file_read(file, offset, header, sizeof(header));

	if (err)
		return err;
	info = load_u32(header + BLOCK_INFO);
	pages = (info & 0x3ff) + 1;
	size = (info >> 10) + 1;
	if (memcmp(header, block_magic, BLOCK_MAGIC_SIZE))
		return error_new(ERROR_CORRUPT, "0x%" PRIx64 ": expected a block of pages", offset);
	if (pages > HIBER_BLOCK_PAGES || pages > left || size > pages << PAGE_SHIFT)
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 ": block of %" PRIu32 " pages in %" PRIu32
				 " bytes: expected at most 16 pages, of %" PRIu64 " that are left",
				 offset, pages, size, left);
	if (size > file->size - offset - BLOCK_HEADER)
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 ": truncated: block of %" PRIu32 " bytes, %" PRIu64
				 " bytes left",
				 offset, size, file->size - offset - BLOCK_HEADER);
	*ret = (struct hiber_block){ offset + BLOCK_HEADER, size, (uint16_t)pages,
				     size == pages << PAGE_SHIFT ? HIBER_STORED : HIBER_XPRESS };
	return NULL;
}

/* *pages: how many of the table's pages are in blocks. The error that ends the walk is damage; one
 * that is not is in *fatal. */
static struct error *add_blocks(struct hiber_pages *p, const struct table *t, uint64_t *pages,
				struct error **fatal)
{
	uint64_t offset = t->offset + PAGE_SIZE;
	struct hiber_block block;
	struct error *err;

	for (*pages = 0; *pages < t->num_pages; *pages += block.pages) {
		if ((err = read_block(p->in->file, offset, t->num_pages - *pages, &block)))
			return err;
		if ((*fatal = hiber_add_block(p, &block)))
			return NULL;
		offset = block.offset + block.size;
		offset += -offset % BLOCK_ALIGNMENT;
	}
	return NULL;
}

static struct error *add_table(struct hiber_pages *p, const struct table *t)
{
	struct error *fatal = NULL;
	uint64_t pages, left;
	struct error *damage = add_blocks(p, t, &pages, &fatal);

	if (fatal)
		return fatal;
	if (damage)
		diag_error(p->in->diag, damage,
			   "table at 0x%" PRIx64 ": %" PRIu64 " of %" PRIu64 " pages are there",
			   t->offset, pages, t->num_pages);
	left = pages;
	for (uint32_t i = 0; left && i < t->num_ranges; i++) {
		uint64_t start = range_start(t, i), count = range_end(t, i) - start;
		if (count > left)
			count = left;
		if ((fatal = hiber_add_range(p, start, count)))
			return fatal;
		left -= count;
	}
	return NULL;
}

static bool has_block(const uint8_t *head, size_t size, uint64_t page)
{
	return page < size >> PAGE_SHIFT &&
	       !memcmp(head + (page << PAGE_SHIFT), block_magic, BLOCK_MAGIC_SIZE);
}

uint64_t hiber_find_table(const uint8_t *head, size_t size)
{
	for (uint64_t page = 2; page <= MAX_FIRST_BLOCK; page++) {
		if (has_block(head, size, page))
			return page - 1;
	}
	return 0;
}

/* The first table: where the header says if blocks follow there, else where a block is found. */
static struct error *find_first(const struct format_input *in, uint64_t *page)
{
	enum { HEAD = (MAX_FIRST_BLOCK + 1) << PAGE_SHIFT };
	size_t size = in->file->size < HEAD ? (size_t)in->file->size : HEAD;
	const uint8_t *head;
	struct error *err;
	uint64_t found;

	if ((err = file_bytes(in->file, 0, size, &head)))
		return err;
	if (*page && *page < MAX_FIRST_BLOCK && has_block(head, size, *page + 1))
		return NULL;
	if (!(found = hiber_find_table(head, size)))
		return error_new(ERROR_CORRUPT,
				 "no block of pages in the first %d pages of the file",
				 MAX_FIRST_BLOCK);
	if (*page)
		diag_partial(in->diag,
			     "the header names page 0x%" PRIx64
			     " of the file as the first table, found it at page 0x%" PRIx64,
			     *page, found);
	*page = found;
	return NULL;
}

struct error *hiber_read_tables(struct hiber_pages *p, uint64_t *first)
{
	struct error *err = find_first(p->in, first);
	uint64_t table_page = *first;
	struct table t;

	if (err)
		return err;
	for (;;) {
		if ((err = read_table(p->in->file, table_page, &t)))
			break;
		if ((err = add_table(p, &t)))
			return err;
		if (!t.next || t.num_ranges < TABLE_MAX_RANGES)
			return NULL;
		/* tables only go forward: no loop */
		if (t.next <= table_page) {
			err = error_new(ERROR_CORRUPT,
					"0x%" PRIx64 ": the next table is at page 0x%" PRIx64
					", before its end",
					t.offset, t.next);
			break;
		}
		table_page = t.next;
	}
	if (!p->num_blocks)
		return err;
	diag_error(p->in->diag, err, "tables of pages");
	return NULL;
}
