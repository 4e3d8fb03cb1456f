/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/crashdump/parts.h"

/*
 * Types 2, 5, 6 and 7: a bitmap with one bit per page of the machine, lowest page first, lowest
 * bit of a byte first; the pages whose bits are set follow in that order. Where a page is in the
 * file is thus its rank: the number of set bits before its own. A directory of the ranks of
 * every 512th bit makes that a sum over at most eight words.
 */
enum {
	BITMAP_OFFSET = CRASH_HEADER_SIZE,
	BITMAP_VALID_DUMP = 0x04,
	WORD_BITS = 64,
	WORD_SHIFT = 6,
	BLOCK_SHIFT = 9,
	BLOCK_WORDS = 1 << (BLOCK_SHIFT - WORD_SHIFT),
};
#define BITMAP_MAX_BITS	  (UINT64_C(1) << 36)  /* 256 TiB of memory */
#define SIGNATURE_SUMMARY UINT32_C(0x504d4453) /* "SDMP" */
#define SIGNATURE_FULL	  UINT32_C(0x504d4446) /* "FDMP" */
#define VALID_DUMP	  UINT32_C(0x504d5544) /* "DUMP" */

/*
 * Two forms of the header at 0x2000; the fields are relative to it. Windows 8 and later:
 * BITMAP_DUMP in rizin's librz/bin/format/dmp/dmp_specs.h and kdmp-parser's structs. Before (type
 * 2 only): SUMMARY_DUMP64 of the Windows driver kit, with a 32-bit RTL_BITMAP behind it that
 * repeats the number of bits.
 */
static const struct bitmap_form {
	uint8_t width; /* of its fields, in bytes */
	uint8_t first_page, num_pages, num_bits, bits;
} form_wide = { 8, 0x20, 0x28, 0x30, 0x38 }, form_narrow = { 4, 0x0c, 0x14, 0x10, 0x28 };
enum { NARROW_SIZE_OF_BITMAP = 0x18, FORM_MAX_SIZE = 0x38 };

struct page_bitmap {
	const struct file *file; /* borrowed */
	const uint8_t *bits;	 /* in the file */
	uint64_t num_bits;	 /* every page from here on is absent */
	uint64_t first_page;	 /* file offset */
	uint64_t *ranks;	 /* of every block, and of the end; owned */
};

static uint64_t read_field(const uint8_t *header, const struct bitmap_form *form, unsigned field)
{
	return form->width == 8 ? load_u64(header + field) : load_u32(header + field);
}

/* The 64 bits from index * 64, those past the end clear. */
static uint64_t bitmap_word(const struct page_bitmap *b, uint64_t index)
{
	uint64_t first = index << WORD_SHIFT, word;

	if (first >= b->num_bits)
		return 0;
	uint64_t left = b->num_bits - first;
	if (left >= WORD_BITS)
		return load_u64(b->bits + index * 8);
	uint8_t tail[8] = { 0 };
	memcpy(tail, b->bits + index * 8, (size_t)(left + 7) / 8);
	word = load_u64(tail);
	return word & ((UINT64_C(1) << left) - 1);
}

static unsigned count_bits(uint64_t word)
{
	return (unsigned)__builtin_popcountll(word);
}

/* Set bits before gfn, which is below num_bits. */
static uint64_t bitmap_rank(const struct page_bitmap *b, uint64_t gfn)
{
	uint64_t block = gfn >> BLOCK_SHIFT, last = gfn >> WORD_SHIFT;
	uint64_t rank = b->ranks[block];

	for (uint64_t i = block * BLOCK_WORDS; i < last; i++) /* whole words, gfn being beyond */
		rank += count_bits(load_u64(b->bits + i * 8));
	uint64_t below = (UINT64_C(1) << (gfn % WORD_BITS)) - 1;
	return rank + count_bits(bitmap_word(b, last) & below);
}

static bool bitmap_has(const struct page_bitmap *b, uint64_t gfn)
{
	return gfn < b->num_bits && (b->bits[gfn >> 3] >> (gfn & 7) & 1);
}

/* The first bit of this value in [from, num_bits). */
static bool bitmap_find(const struct page_bitmap *b, uint64_t from, bool value, uint64_t *ret)
{
	if (from >= b->num_bits)
		return false;
	uint64_t flip = value ? 0 : UINT64_MAX;
	uint64_t mask = UINT64_MAX << (from % WORD_BITS);

	for (uint64_t i = from >> WORD_SHIFT; i << WORD_SHIFT < b->num_bits; i++) {
		uint64_t word = (bitmap_word(b, i) ^ flip) & mask;
		mask = UINT64_MAX;
		if (!word)
			continue;
		uint64_t found = (i << WORD_SHIFT) + (unsigned)__builtin_ctzll(word);
		if (found >= b->num_bits)
			return false;
		*ret = found;
		return true;
	}
	return false;
}

static bool bitmap_file_offset(void *arg, uint64_t gfn, uint64_t *ret)
{
	const struct page_bitmap *b = arg;

	if (!bitmap_has(b, gfn))
		return false;
	*ret = b->first_page + (bitmap_rank(b, gfn) << PAGE_SHIFT);
	return true;
}

/* Where the pages are not mapped their view is the pin. */
static struct error *bitmap_page(void *arg, uint64_t gfn, const uint8_t **ret, void **pin)
{
	const struct page_bitmap *b = arg;
	struct file_view *view;
	struct error *err;
	uint64_t offset;

	*pin = NULL;
	*ret = NULL;
	if (!bitmap_file_offset(arg, gfn, &offset))
		return NULL;
	if (!b->file->content) {
		*ret = b->file->bytes + offset;
		return NULL;
	}
	if (!(view = malloc(sizeof(*view))))
		return &error_no_memory;
	if ((err = file_view(b->file, offset, PAGE_SIZE, view))) {
		free(view);
		return err;
	}
	*ret = view->bytes;
	*pin = view;
	return NULL;
}

static void bitmap_release(void *arg, void *pin)
{
	struct file_view *view = pin;

	(void)arg;
	if (view)
		file_view_release(view);
	free(view);
}

static bool bitmap_next(void *arg, uint64_t gfn, uint64_t *first, uint64_t *last)
{
	const struct page_bitmap *b = arg;
	uint64_t start, end;

	if (!bitmap_find(b, gfn, true, &start))
		return false;
	if (!bitmap_find(b, start, false, &end))
		end = b->num_bits;
	*first = start;
	*last = end - 1;
	return true;
}

static void bitmap_destroy(void *arg)
{
	struct page_bitmap *b = arg;

	if (!b)
		return;
	free(b->ranks);
	free(b);
}

static void bitmap_cleanup(struct page_bitmap **b)
{
	bitmap_destroy(*b);
}

static const struct page_source_ops bitmap_ops = {
	.page = bitmap_page,
	.release = bitmap_release,
	.next = bitmap_next,
	.file_offset = bitmap_file_offset,
	.destroy = bitmap_destroy,
};

/* The page that `rank` captured pages come before; rank is below their number. */
static uint64_t bitmap_select(const struct page_bitmap *b, uint64_t rank)
{
	uint64_t low = 0, high = b->num_bits - 1;

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		if (bitmap_rank(b, middle) <= rank)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Fills the rank directory. *ret: how many pages there are. */
static struct error *bitmap_index(struct page_bitmap *b, uint64_t *ret)
{
	uint64_t blocks = (b->num_bits >> BLOCK_SHIFT) + 1, rank = 0;

	b->ranks = calloc(blocks, sizeof(*b->ranks));
	if (!b->ranks)
		return &error_no_memory;
	for (uint64_t block = 0; block < blocks; block++) {
		b->ranks[block] = rank;
		for (uint64_t i = 0; i < BLOCK_WORDS; i++)
			rank += count_bits(bitmap_word(b, block * BLOCK_WORDS + i));
	}
	*ret = rank;
	return NULL;
}

/* Which form is it, and is it one? */
static struct error *find_form(const struct crash_dump *d, const struct bitmap_form **ret)
{
	if (d->file->size - BITMAP_OFFSET < FORM_MAX_SIZE)
		return error_new(ERROR_CORRUPT, "bitmap header at 0x%x: truncated at 0x%" PRIx64,
				 (unsigned)BITMAP_OFFSET, d->file->size);

	const uint8_t *header = d->bytes + BITMAP_OFFSET;
	uint32_t signature = load_u32(header), valid = load_u32(header + BITMAP_VALID_DUMP);
	if ((signature != SIGNATURE_SUMMARY && signature != SIGNATURE_FULL) || valid != VALID_DUMP)
		return error_new(ERROR_CORRUPT,
				 "0x%x: expected 'SDMPDUMP' or 'FDMPDUMP', found 0x%08" PRIx32
				 " 0x%08" PRIx32,
				 (unsigned)BITMAP_OFFSET, signature, valid);
	uint32_t bits = load_u32(header + form_narrow.num_bits);
	bool narrow = d->type == 2 && bits != 0 && bits == load_u32(header + NARROW_SIZE_OF_BITMAP);
	*ret = narrow ? &form_narrow : &form_wide;
	return NULL;
}

/*
 * Sets where the bits and the pages are. The bits lie between the header and the first page, so a
 * number of bits that does not fit there is wrong, and the rest can still be used.
 */
static struct error *locate_bits(const struct crash_dump *d, const struct bitmap_form *form,
				 struct page_bitmap *b)
{
	const uint8_t *header = d->bytes + BITMAP_OFFSET;
	uint64_t start = BITMAP_OFFSET + form->bits;

	b->first_page = read_field(header, form, form->first_page);
	b->num_bits = read_field(header, form, form->num_bits);
	if (b->first_page <= start)
		return error_new(ERROR_CORRUPT,
				 "0x%x: first page at 0x%" PRIx64
				 ", expected it behind the bitmap at 0x%" PRIx64,
				 (unsigned)BITMAP_OFFSET + form->first_page, b->first_page, start);
	if (b->first_page >= d->file->size)
		return error_new(ERROR_CORRUPT,
				 "truncated crash dump: its header names %" PRIu64
				 " pages from 0x%" PRIx64 " on, the file ends at 0x%" PRIx64,
				 read_field(header, form, form->num_pages), b->first_page,
				 d->file->size);
	uint64_t room = (b->first_page - start) * 8;
	if (b->num_bits > room) {
		diag_partial(d->diag,
			     "0x%x: bitmap of %" PRIu64 " bits, there is room for %" PRIu64
			     " before the first page at 0x%" PRIx64,
			     (unsigned)BITMAP_OFFSET + form->num_bits, b->num_bits, room,
			     b->first_page);
		b->num_bits = room;
	}
	if (b->num_bits > BITMAP_MAX_BITS)
		return error_new(ERROR_LIMIT, "bitmap of %" PRIu64 " bits, the limit is %" PRIu64,
				 b->num_bits, BITMAP_MAX_BITS);
	b->file = d->file;
	return error_wrap(file_bytes(d->file, start, (b->num_bits + 7) / 8, &b->bits),
			  "bitmap of pages");
}

/* Leaves out what is beyond the end of the file, and says so. */
static struct error *clip_pages(const struct crash_dump *d, struct page_bitmap *b,
				uint64_t num_pages, uint64_t stated)
{
	uint64_t room = (b->file->size - b->first_page) >> PAGE_SHIFT;

	if (num_pages == 0)
		return error_new(ERROR_CORRUPT, "bitmap of %" PRIu64 " pages without a single one",
				 b->num_bits);
	if (room == 0)
		return error_new(ERROR_CORRUPT,
				 "truncated crash dump: its bitmap names %" PRIu64
				 " pages, the file ends at 0x%" PRIx64 " in the first",
				 num_pages, b->file->size);
	if (num_pages != stated)
		diag_partial(d->diag,
			     "crash dump header names %" PRIu64 " pages, its bitmap %" PRIu64,
			     stated, num_pages);
	if (num_pages <= room)
		return NULL;
	b->num_bits = bitmap_select(b, room);
	diag_partial(d->diag,
		     "truncated at 0x%" PRIx64 ": %" PRIu64 " of %" PRIu64
		     " pages are beyond the end of the file",
		     b->file->size, num_pages - room, num_pages);
	return NULL;
}

struct error *crash_open_bitmap(struct crash_dump *d)
{
	struct page_bitmap *b CLEANUP(bitmap_cleanup) = calloc(1, sizeof(*b));
	const struct bitmap_form *form = NULL;
	struct error *err;
	uint64_t num_pages;

	if (!b)
		return &error_no_memory;
	if ((err = find_form(d, &form)) || (err = locate_bits(d, form, b)) ||
	    (err = bitmap_index(b, &num_pages)))
		return err;
	uint64_t stated = read_field(d->bytes + BITMAP_OFFSET, form, form->num_pages);
	if ((err = clip_pages(d, b, num_pages, stated)))
		return err;
	uint64_t count = b->num_bits, end = b->first_page + (num_pages << PAGE_SHIFT);
	if ((err = crash_read_blobs(d, end)))
		return err;
	return physmem_add_source(d->mem, 0, count, &bitmap_ops, take_ptr(b));
}
