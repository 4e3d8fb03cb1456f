/* SPDX-License-Identifier: MIT */
#ifndef MKDUMP_OUT_H
#define MKDUMP_OUT_H

#include "image.h"

/*
 * A snapshot file in the making, in memory. An error (memory, OUT_LIMIT) is kept and comes out
 * of out_save(); after it nothing more is added.
 */
#define OUT_LIMIT (UINT64_C(256) << 20)

struct out {
	uint8_t *bytes;
	size_t len, cap;
	struct error *err;
};

void out_deinit(struct out *o);
void out_put(struct out *o, const void *bytes, size_t len);
void out_zero(struct out *o, size_t len);
void out_u16(struct out *o, uint16_t v);
void out_u32(struct out *o, uint32_t v);
void out_u64(struct out *o, uint64_t v);
/* Zeros up to an offset, or up to a multiple of a power of two. */
void out_seek(struct out *o, size_t offset);
void out_align(struct out *o, size_t to);
/* Overwrites what is there already. */
void out_patch(struct out *o, size_t offset, const void *bytes, size_t len);
void out_patch_u32(struct out *o, size_t offset, uint32_t v);
void out_patch_u64(struct out *o, size_t offset, uint64_t v);
MUST_CHECK struct error *out_save(struct out *o, const char *path);

/* The pages that a snapshot holds, ascending. */
enum page_set {
	PAGES_RUNS,	/* all that the machine has; those that the spec says nothing of are zero */
	PAGES_CAPTURED, /* those that the spec fills or maps */
	PAGES_KERNEL,	/* captured and not mapped for user mode only */
};
enum { MAX_PAGES = 1 << 16 };

struct page_list {
	uint64_t *gfns; /* owned: page_list_deinit() */
	size_t num;
};

MUST_CHECK struct error *page_list_init(struct page_list *list, const struct image *img,
					enum page_set set);
void page_list_deinit(struct page_list *list);
/* How many pages from `first` on follow each other in memory. */
size_t page_list_stretch(const struct page_list *list, size_t first);
void out_pages(struct out *o, const struct image *img, const struct page_list *list, size_t first,
	       size_t num);

#endif
