/* SPDX-License-Identifier: MIT */
#include "formats/kdump/pages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/page_bitmap.h"

/* struct page_desc: off_t offset; unsigned size, flags; u64 page_flags. */
enum { DESC_SIZE = 24, DESC_BYTES = 8, DESC_FLAGS = 12 };

struct descriptor {
	uint64_t offset;
	uint32_t size, flags;
};

/*
 * Descriptors are numbered from the first one of this file: that is the rank of their page in the
 * bitmap, less the pages that other parts of a split dump have.
 */
struct kdump_pages {
	const struct file *file; /* borrowed, likewise cache */
	struct block_cache *cache;
	struct block_source compressed; /* blocks are pages, by descriptor */
	struct block_source stored;	/* by offset; only where the file is not mapped */
	struct decoder *decoders[KDUMP_NUM_CODECS]; /* NULL: not built in */
	uint64_t descriptors;			    /* file offset */
	uint64_t count;				    /* of descriptors */
	uint64_t first_rank;
	struct page_bitmap bitmap;
	struct page_bitmap captured; /* pages with data; has no ranks */
	uint8_t *captured_bits;	     /* owned; NULL where captured is bitmap */
};

static struct error *read_descriptor(const struct kdump_pages *p, uint64_t index,
				     struct descriptor *ret)
{
	uint8_t bytes[DESC_SIZE];
	struct error *err =
		file_read(p->file, p->descriptors + index * DESC_SIZE, bytes, sizeof(bytes));

	if (err)
		return error_wrap(err, "page descriptor %" PRIu64, index);
	*ret = (struct descriptor){ load_u64(bytes), load_u32(bytes + DESC_BYTES),
				    load_u32(bytes + DESC_FLAGS) };
	return NULL;
}

/* Writers of incomplete and split dumps leave zeros for pages that they did not write. */
static bool has_data(const struct kdump_pages *p, const struct descriptor *d)
{
	return d->size && d->offset < p->file->size && d->size <= p->file->size - d->offset;
}

static struct error *check_descriptor(const struct kdump_pages *p, uint64_t index,
				      const struct descriptor *d)
{
	if (has_data(p, d) && d->size <= KDUMP_BLOCK_SIZE &&
	    (d->flags || d->size == KDUMP_BLOCK_SIZE))
		return NULL;
	return error_new(ERROR_CORRUPT,
			 "page descriptor %" PRIu64 " at file offset 0x%" PRIx64
			 ": expected a page of at most %d bytes below 0x%" PRIx64 ", found %" PRIu32
			 " bytes at 0x%" PRIx64 " (flags 0x%" PRIx32 ")",
			 index, p->descriptors + index * DESC_SIZE, KDUMP_BLOCK_SIZE, p->file->size,
			 d->size, d->offset, d->flags);
}

static struct error *find_decoder(const struct kdump_pages *p, uint32_t flags, struct decoder **ret)
{
	for (size_t i = 0; i < KDUMP_NUM_CODECS; i++) {
		const struct kdump_codec *row = &kdump_codecs[i];

		if (flags != row->flag)
			continue;
		*ret = p->decoders[i];
		return *ret ? NULL
			    : error_new(ERROR_UNSUPPORTED, "%s-compressed: built without %s",
					codec_name(row->codec), codec_library(row->codec));
	}
	return error_new(ERROR_CORRUPT, "expected flags of one compression, found 0x%" PRIx32,
			 flags);
}

static struct error *decode(const struct kdump_pages *p, const struct descriptor *d, uint8_t *buf,
			    size_t size)
{
	struct decoder *decoder;
	struct file_view view;
	struct error *err;

	if ((err = find_decoder(p, d->flags, &decoder)) ||
	    (err = file_view(p->file, d->offset, d->size, &view)))
		return err;
	err = decoder_run_exact(decoder, view.bytes, d->size, buf, size);
	file_view_release(&view);
	return err;
}

static struct error *fill_compressed(void *arg, uint64_t index, uint8_t *buf, size_t size)
{
	const struct kdump_pages *p = arg;
	struct descriptor d = { 0 };
	struct error *err;

	if ((err = read_descriptor(p, index, &d)) || (err = check_descriptor(p, index, &d)))
		return err;
	return error_wrap(decode(p, &d, buf, size), "file offset 0x%" PRIx64, d.offset);
}

static size_t compressed_size_of(void *arg, uint64_t index)
{
	const struct kdump_pages *p = arg;
	struct descriptor d = { 0 };
	struct error *err;

	if (index >= p->count)
		return 0;
	if ((err = read_descriptor(p, index, &d))) {
		error_destroy(err);
		return 0;
	}
	return d.flags && has_data(p, &d) ? PAGE_SIZE : 0;
}

static struct error *fill_stored(void *arg, uint64_t offset, uint8_t *buf, size_t size)
{
	const struct kdump_pages *p = arg;

	return file_read(p->file, offset, buf, size);
}

static uint64_t index_of(const struct kdump_pages *p, uint64_t gfn)
{
	return page_bitmap_rank(&p->bitmap, gfn) - p->first_rank;
}

/* Zero pages share one that is stored as it is: it is never decoded and has one place in the
 * cache, if at all. */
static struct error *get_page(struct kdump_pages *p, uint64_t index, const uint8_t **ret,
			      void **pin)
{
	struct descriptor d = { 0 };
	struct error *err;

	if ((err = read_descriptor(p, index, &d)) || (err = check_descriptor(p, index, &d)))
		return err;
	if (d.flags)
		return block_cache_get(p->cache, &p->compressed, index, PAGE_SIZE, ret, pin);
	if (p->file->content)
		return block_cache_get(p->cache, &p->stored, d.offset, PAGE_SIZE, ret, pin);
	*ret = p->file->bytes + d.offset;
	return NULL;
}

static struct error *kdump_page(void *arg, uint64_t gfn, const uint8_t **ret, void **pin)
{
	struct kdump_pages *p = arg;

	*pin = NULL;
	*ret = NULL;
	if (!page_bitmap_has(&p->captured, gfn))
		return NULL;
	return error_wrap(get_page(p, index_of(p, gfn), ret, pin), "page frame 0x%" PRIx64, gfn);
}

static void kdump_release(void *arg, void *pin)
{
	struct kdump_pages *p = arg;

	block_cache_release(p->cache, pin);
}

static bool kdump_next(void *arg, uint64_t gfn, uint64_t *first, uint64_t *last)
{
	const struct kdump_pages *p = arg;

	return page_bitmap_next(&p->captured, gfn, first, last);
}

static bool kdump_file_offset(void *arg, uint64_t gfn, uint64_t *ret)
{
	const struct kdump_pages *p = arg;
	struct descriptor d = { 0 };
	struct error *err;

	if (p->file->is_internal || !page_bitmap_has(&p->captured, gfn))
		return false;
	if ((err = read_descriptor(p, index_of(p, gfn), &d))) {
		error_destroy(err);
		return false;
	}
	*ret = d.offset;
	return !d.flags && has_data(p, &d);
}

static void kdump_destroy(void *arg)
{
	struct kdump_pages *p = arg;

	if (!p)
		return;
	block_cache_leave(p->cache, &p->compressed);
	block_cache_leave(p->cache, &p->stored);
	for (size_t i = 0; i < KDUMP_NUM_CODECS; i++)
		decoder_destroy(p->decoders[i]);
	page_bitmap_deinit(&p->bitmap);
	free(p->captured_bits);
	free(p);
}

static void pages_cleanup(struct kdump_pages **p)
{
	kdump_destroy(*p);
}

static const struct page_source_ops kdump_ops = {
	.page = kdump_page,
	.release = kdump_release,
	.next = kdump_next,
	.file_offset = kdump_file_offset,
	.destroy = kdump_destroy,
};

static struct error *create_decoders(struct kdump_pages *p, const struct kdump_header *h)
{
	for (size_t i = 0; i < KDUMP_NUM_CODECS; i++) {
		struct error *err = decoder_create(kdump_codecs[i].codec, &p->decoders[i]);

		/* One that is not there matters if it is the dump's. */
		if (err && (h->codec == &kdump_codecs[i] || !error_catch(&err, ERROR_UNSUPPORTED)))
			return err;
	}
	return NULL;
}

static struct error *read_bitmap(struct kdump_pages *p, const struct kdump_header *h)
{
	const uint8_t *bits;
	struct error *err = file_bytes(p->file, h->bitmap_offset, (h->num_pages + 7) / 8, &bits);

	if (err)
		return error_wrap(err, "bitmap of pages");
	if ((err = page_bitmap_init(&p->bitmap, p->cache, bits, h->num_pages)))
		return err;
	p->captured = (struct page_bitmap){ .bits = bits, .num_bits = h->end_gfn };
	p->first_rank = page_bitmap_rank(&p->bitmap, h->first_gfn);
	p->count = page_bitmap_rank(&p->bitmap, h->end_gfn) - p->first_rank;
	return NULL;
}

/* *offset: where its data should be; 0 where that cannot be read. */
static bool is_lost(const struct kdump_pages *p, uint64_t index, uint64_t *offset)
{
	struct descriptor d = { 0 };
	struct error *err = read_descriptor(p, index, &d);
	bool lost = err || !has_data(p, &d);

	error_destroy(err);
	*offset = d.offset;
	return lost;
}

/*
 * A dump that was cut short lacks its last pages, for writers go through memory in order. To look
 * at every descriptor takes long in a large dump: without a sign of loss the last ones must do,
 * and a page lost elsewhere says so when it is looked at. Zero pages, which share the data of one
 * at the front, are not counted.
 */
static bool may_lack_pages(const struct kdump_pages *p, const struct kdump_header *h)
{
	enum { LOOKED_AT = 1024 };
	uint64_t looked_at = 0, offset, last = UINT64_MAX;
	bool lost = h->is_incomplete;

	for (uint64_t i = p->count; i > 0 && looked_at < LOOKED_AT && !lost; i--) {
		lost = is_lost(p, i - 1, &offset);
		looked_at += offset != last;
		last = offset;
	}
	return lost;
}

/* Takes the pages without data out of `captured`. *ret: how many they are. */
static struct error *drop_lost_pages(struct kdump_pages *p, uint64_t first_gfn, uint64_t *ret)
{
	uint64_t size = (p->captured.num_bits + 7) / 8, index = 0, lost = 0, first, last, offset;
	struct error *err = block_cache_reserve(p->cache, size, "the bitmap of captured pages");

	if (err)
		return err;
	if (!(p->captured_bits = malloc(size)))
		return &error_no_memory;
	memcpy(p->captured_bits, p->captured.bits, size);
	for (uint64_t at = first_gfn; page_bitmap_next(&p->captured, at, &first, &last);
	     at = last + 1) {
		for (uint64_t gfn = first; gfn <= last; gfn++) {
			if (!is_lost(p, index++, &offset))
				continue;
			p->captured_bits[gfn >> 3] &= (uint8_t) ~(1u << (gfn & 7));
			lost++;
		}
	}
	p->captured.bits = p->captured_bits;
	*ret = lost;
	return NULL;
}

static void report_part(const struct kdump_pages *p, const struct kdump_header *h,
			struct diag *diag)
{
	uint64_t all = page_bitmap_rank(&p->bitmap, p->bitmap.num_bits);

	if (!h->is_split || all == p->count)
		return;
	diag_partial(diag,
		     "one part of a split dump, page frames from 0x%" PRIx64 " to below 0x%" PRIx64
		     ": %" PRIu64 " of %" PRIu64 " pages are in its other files",
		     h->first_gfn, h->end_gfn, all - p->count, all);
}

static struct error *find_losses(struct kdump_pages *p, const struct kdump_header *h,
				 struct diag *diag)
{
	uint64_t lost = 0;
	struct error *err;

	report_part(p, h, diag);
	if (!may_lack_pages(p, h))
		return NULL;
	if ((err = drop_lost_pages(p, h->first_gfn, &lost)))
		return err;
	if (lost || h->is_incomplete)
		diag_partial(diag,
			     "%s dump: %" PRIu64 " of %" PRIu64
			     " pages have no data in the file, which ends at 0x%" PRIx64,
			     h->is_incomplete ? "incomplete" : "truncated", lost, p->count,
			     p->file->size);
	return NULL;
}

struct error *kdump_add_pages(const struct format_input *in, const struct kdump_header *header)
{
	struct kdump_pages *p CLEANUP(pages_cleanup) = calloc(1, sizeof(*p));
	struct error *err;

	if (!p)
		return &error_no_memory;
	p->file = in->file;
	p->cache = in->cache;
	p->descriptors = header->descriptors;
	p->compressed = (struct block_source){ .fill = fill_compressed,
					       .size_of = compressed_size_of,
					       .arg = p };
	p->stored = (struct block_source){ .fill = fill_stored, .arg = p };
	block_cache_join(p->cache, &p->compressed);
	block_cache_join(p->cache, &p->stored);
	if ((err = create_decoders(p, header)) || (err = read_bitmap(p, header)) ||
	    (err = find_losses(p, header, in->diag)))
		return err;
	return physmem_add_source(in->mem, header->first_gfn, header->end_gfn - header->first_gfn,
				  &kdump_ops, take_ptr(p));
}
