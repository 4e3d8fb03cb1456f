/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "fuzz.h"
#include "memory_layouts.h"

/*
 * Memory at BASE: a control area, with its subsections behind it and their prototype PTEs
 * somewhere, that is read as a cache map, too.
 */
#define BASE UINT64_C(0xffff800000010000)
enum { MAX_INPUT = 16 << 10, MAX_CALLS = 1 << 16 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

struct calls {
	const struct subsection *part;
	uint64_t pages, views;
};

/* Enough of them show that the rest comes, too: absent pages of entries cost nothing. */
static struct error *take_page(void *arg, const struct section_page *page)
{
	struct calls *calls = arg;

	check(page->length <= PAGE_SIZE && page->state < NUM_VA_STATES);
	check(page->page - calls->part->first_page < calls->part->pages);
	check(page->state != VA_MAPPED || page->pte & PTE_PRESENT);
	return ++calls->pages < MAX_CALLS ? NULL : &error_no_memory;
}

static struct error *take_view(void *arg, const struct file_cache_view *view)
{
	struct calls *calls = arg;

	check(view->base && !(view->offset % FILE_CACHE_VIEW_SIZE));
	return ++calls->views < MAX_CALLS ? NULL : &error_no_memory;
}

static void check_section(struct space *s, size_t size)
{
	struct section_reader r = { .space = s, .area_size = FAKE_AREA_SIZE };
	struct calls calls = { .pages = 0 };
	struct subsection_list parts;
	struct control_area area;
	struct error *err = NULL;
	uint64_t va;

	memcpy(r.fields, section_fields, sizeof(r.fields));
	if (section_control_area(&r, BASE, &va))
		check(va && !(va & 3));
	if (!control_area_read(&r, BASE, &area))
		return;
	err = subsection_list_read(&r, &area, &parts);
	check(!err);
	check(parts.count <= size && (parts.broken || !parts.broken_at || parts.count));
	for (size_t i = 0; i < parts.count && !err; i++) {
		calls.part = &parts.items[i];
		check(calls.part->pages <= MAX_SECTION_PAGES);
		err = subsection_each_page(&r, calls.part, take_page, &calls);
	}
	error_destroy(err);
	subsection_list_deinit(&parts);
}

static void check_cache(struct space *s)
{
	struct file_cache_reader r = { .space = s };
	struct calls calls = { .pages = 0 };
	struct file_cache cache;
	struct error *err;
	uint64_t lost;

	memcpy(r.fields, cache_fields, sizeof(r.fields));
	if (!file_cache_read(&r, BASE, &cache))
		return;
	err = file_cache_each_view(&r, &cache, take_view, &calls, &lost);
	error_destroy(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = { .fd = -1, .bytes = data, .size = size };
	struct virtmem *mem = NULL;
	struct space *s = NULL;
	struct error *err;

	if (!size || size > MAX_INPUT)
		return 0;
	err = virtmem_create(&mem);
	check(!err);
	err = virtmem_add(mem, BASE, size, &file, 0);
	check(!err);
	err = virtmem_seal(mem);
	check(!err);
	err = space_create_virtual(mem, &s);
	check(!err);
	check_section(s, size);
	check_cache(s);
	space_destroy(s);
	virtmem_destroy(mem);
	return 0;
}
