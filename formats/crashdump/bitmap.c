/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/crashdump/layout.h"
#include "formats/crashdump/parts.h"
#include "formats/page_bitmap.h"

/*
 * Types 2, 5, 6 and 7: a bitmap with one bit per page of the machine; the pages whose bits are
 * set follow in that order.
 */
enum { BITMAP_OFFSET = CRASH_HEADER_SIZE };

static const struct bitmap_form form_wide = BITMAP_FORM_WIDE, form_narrow = BITMAP_FORM_NARROW;
enum { NARROW_SIZE_OF_BITMAP = 0x18 };

struct bitmap_pages {
	const struct file *file; /* borrowed */
	struct page_bitmap bitmap;
	uint64_t first_page; /* file offset */
};

static uint64_t read_field(const uint8_t *header, const struct bitmap_form *form, unsigned field)
{
	return form->width == 8 ? load_u64(header + field) : load_u32(header + field);
}

static bool bitmap_file_offset(void *arg, uint64_t gfn, uint64_t *ret)
{
	const struct bitmap_pages *b = arg;

	if (!page_bitmap_has(&b->bitmap, gfn))
		return false;
	*ret = b->first_page + (page_bitmap_rank(&b->bitmap, gfn) << PAGE_SHIFT);
	return true;
}

/* Where the pages are not mapped their view is the pin. */
static struct error *bitmap_page(void *arg, uint64_t gfn, const uint8_t **ret, void **pin)
{
	const struct bitmap_pages *b = arg;
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
	const struct bitmap_pages *b = arg;

	return page_bitmap_next(&b->bitmap, gfn, first, last);
}

static void bitmap_destroy(void *arg)
{
	struct bitmap_pages *b = arg;

	if (!b)
		return;
	page_bitmap_deinit(&b->bitmap);
	free(b);
}

static void bitmap_cleanup(struct bitmap_pages **b)
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

/* Which form is it, and is it one? */
static struct error *find_form(const struct crash_dump *d, const struct bitmap_form **ret)
{
	if (d->file->size - BITMAP_OFFSET < BITMAP_FORM_MAX_SIZE)
		return error_new(ERROR_CORRUPT, "bitmap header at 0x%x: truncated at 0x%" PRIx64,
				 (unsigned)BITMAP_OFFSET, d->file->size);

	const uint8_t *header = d->bytes + BITMAP_OFFSET;
	uint32_t signature = load_u32(header), valid = load_u32(header + BITMAP_VALID_DUMP);
	if ((signature != BITMAP_SIGNATURE_SUMMARY && signature != BITMAP_SIGNATURE_FULL) ||
	    valid != BITMAP_VALID_MARK)
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
				 struct bitmap_pages *b)
{
	const uint8_t *header = d->bytes + BITMAP_OFFSET;
	uint64_t start = BITMAP_OFFSET + form->bits;

	uint64_t num_bits = read_field(header, form, form->num_bits);
	const uint8_t *bits;
	struct error *err;

	b->file = d->file;
	b->first_page = read_field(header, form, form->first_page);
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
	if (num_bits > room) {
		diag_partial(d->diag,
			     "0x%x: bitmap of %" PRIu64 " bits, there is room for %" PRIu64
			     " before the first page at 0x%" PRIx64,
			     (unsigned)BITMAP_OFFSET + form->num_bits, num_bits, room,
			     b->first_page);
		num_bits = room;
	}
	err = file_bytes(d->file, start, (num_bits + 7) / 8, &bits);
	return err ? error_wrap(err, "bitmap of pages")
		   : page_bitmap_init(&b->bitmap, d->cache, bits, num_bits);
}

/* Leaves out what is beyond the end of the file, and says so. */
static struct error *clip_pages(const struct crash_dump *d, struct bitmap_pages *b,
				uint64_t num_pages, uint64_t stated)
{
	uint64_t room = (b->file->size - b->first_page) >> PAGE_SHIFT;

	if (num_pages == 0)
		return error_new(ERROR_CORRUPT, "bitmap of %" PRIu64 " pages without a single one",
				 b->bitmap.num_bits);
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
	b->bitmap.num_bits = page_bitmap_select(&b->bitmap, room);
	diag_partial(d->diag,
		     "truncated at 0x%" PRIx64 ": %" PRIu64 " of %" PRIu64
		     " pages are beyond the end of the file",
		     b->file->size, num_pages - room, num_pages);
	return NULL;
}

struct error *crash_open_bitmap(struct crash_dump *d)
{
	struct bitmap_pages *b CLEANUP(bitmap_cleanup) = calloc(1, sizeof(*b));
	const struct bitmap_form *form = NULL;
	struct error *err;

	if (!b)
		return &error_no_memory;
	if ((err = find_form(d, &form)) || (err = locate_bits(d, form, b)))
		return err;
	uint64_t num_pages = page_bitmap_rank(&b->bitmap, b->bitmap.num_bits);
	uint64_t stated = read_field(d->bytes + BITMAP_OFFSET, form, form->num_pages);
	if ((err = clip_pages(d, b, num_pages, stated)))
		return err;
	uint64_t count = b->bitmap.num_bits, end = b->first_page + (num_pages << PAGE_SHIFT);
	if ((err = crash_read_blobs(d, end)))
		return err;
	return physmem_add_source(d->mem, 0, count, &bitmap_ops, take_ptr(b));
}
