/* SPDX-License-Identifier: MIT */
#include "out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

void out_deinit(struct out *o)
{
	error_destroy(o->err);
	free(o->bytes);
	*o = (struct out){ 0 };
}

static uint8_t *out_room(struct out *o, size_t len)
{
	uint8_t *to;

	if (o->err)
		return NULL;
	if (len > OUT_LIMIT)
		o->err = error_new(ERROR_LIMIT, "more than %llu bytes of output",
				   (unsigned long long)OUT_LIMIT);
	else
		o->err = array_reserve(&o->bytes, &o->cap, o->len + len, 1, OUT_LIMIT, "output");
	if (o->err)
		return NULL;
	to = o->bytes + o->len;
	o->len += len;
	return to;
}

void out_put(struct out *o, const void *bytes, size_t len)
{
	uint8_t *to = out_room(o, len);

	if (to && len)
		memcpy(to, bytes, len);
}

void out_zero(struct out *o, size_t len)
{
	uint8_t *to = out_room(o, len);

	if (to && len)
		memset(to, 0, len);
}

void out_u16(struct out *o, uint16_t v)
{
	uint8_t bytes[2];

	store_u16(bytes, v);
	out_put(o, bytes, sizeof(bytes));
}

void out_u32(struct out *o, uint32_t v)
{
	uint8_t bytes[4];

	store_u32(bytes, v);
	out_put(o, bytes, sizeof(bytes));
}

void out_u64(struct out *o, uint64_t v)
{
	uint8_t bytes[8];

	store_u64(bytes, v);
	out_put(o, bytes, sizeof(bytes));
}

void out_seek(struct out *o, size_t offset)
{
	if (offset > o->len)
		out_zero(o, offset - o->len);
}

void out_align(struct out *o, size_t to)
{
	out_seek(o, (o->len + to - 1) & ~(to - 1));
}

void out_patch(struct out *o, size_t offset, const void *bytes, size_t len)
{
	if (!o->err && offset <= o->len && len <= o->len - offset)
		memcpy(o->bytes + offset, bytes, len);
}

void out_patch_u32(struct out *o, size_t offset, uint32_t v)
{
	uint8_t bytes[4];

	store_u32(bytes, v);
	out_patch(o, offset, bytes, sizeof(bytes));
}

void out_patch_u64(struct out *o, size_t offset, uint64_t v)
{
	uint8_t bytes[8];

	store_u64(bytes, v);
	out_patch(o, offset, bytes, sizeof(bytes));
}

struct error *out_save(struct out *o, const char *path)
{
	struct error *err = NULL;
	FILE *f;

	if (o->err)
		return take_ptr(o->err);
	f = fopen(path, "we");
	if (!f)
		return error_os(errno, "%s", path);
	if (fwrite(o->bytes, 1, o->len, f) != o->len)
		err = error_os(errno, "%s", path);
	if (fclose(f) && !err)
		err = error_os(errno, "%s", path);
	return err;
}

static struct error *add_page(struct page_list *list, size_t *cap, uint64_t gfn)
{
	struct error *err = array_reserve(&list->gfns, cap, list->num + 1, sizeof(*list->gfns),
					  MAX_PAGES, "pages");

	if (!err)
		list->gfns[list->num++] = gfn;
	return err;
}

struct error *page_list_init(struct page_list *list, const struct image *img, enum page_set set)
{
	struct error *err = NULL;
	size_t cap = 0;

	*list = (struct page_list){ 0 };
	if (set == PAGES_RUNS) {
		for (size_t r = 0; r < img->num_runs; r++) {
			uint64_t first = img->runs[r].start / FRAME_SIZE;

			for (uint64_t i = 0; !err && i < img->runs[r].size / FRAME_SIZE; i++)
				err = add_page(list, &cap, first + i);
		}
		return err;
	}
	for (size_t i = 0; !err && i < img->num_frames; i++) {
		if (set == PAGES_CAPTURED || img->frames[i].kernel || !img->frames[i].user)
			err = add_page(list, &cap, img->frames[i].gfn);
	}
	return err;
}

void page_list_deinit(struct page_list *list)
{
	free(list->gfns);
	*list = (struct page_list){ 0 };
}

size_t page_list_stretch(const struct page_list *list, size_t first)
{
	size_t n = 1;

	while (first + n < list->num && list->gfns[first + n] == list->gfns[first] + n)
		n++;
	return n;
}

void out_pages(struct out *o, const struct image *img, const struct page_list *list, size_t first,
	       size_t num)
{
	for (size_t i = first; i < first + num; i++) {
		const struct frame *frame = image_frame(img, list->gfns[i]);

		if (frame)
			out_put(o, frame->bytes, FRAME_SIZE);
		else
			out_zero(o, FRAME_SIZE);
	}
}
