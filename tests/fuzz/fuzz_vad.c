/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "fuzz.h"
#include "memory_layouts.h"

/*
 * The first byte chooses the shape of the tree. The rest is memory at BASE: an EPROCESS that ends
 * in VadRoot, and whatever follows.
 */
#define BASE UINT64_C(0xffff800000010000)
enum { HEADER = 1, MAX_INPUT = 16 << 10, TRIES = 16 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_list(const struct vad_reader *r, const struct vad_list *list, size_t size)
{
	/* each descriptor has bytes of its own */
	check(list->count <= size);
	for (size_t i = 0; i < list->count; i++) {
		const struct vad *vad = &list->items[i];
		const struct vad *next = i + 1 < list->count ? vad + 1 : NULL;

		check(vad->start <= vad->last && vad->last <= vad_user_last(r->space));
		check(!(vad->start % PAGE_SIZE) && vad->last % PAGE_SIZE == PAGE_MASK);
		check(!next || vad->start <= next->start);
		check(vad_list_find(list, vad->start) != NULL);
		check(!vad->protection.present || vad_protection_name(vad->protection.value));
	}
	for (size_t i = 0; i < list->num_breaks; i++)
		check(list->breaks[i].why != NULL);
}

static void check_finding(const struct vad_reader *r, const struct vad_list *list)
{
	for (size_t i = 0; i < list->count && i < TRIES; i++) {
		struct vad vad;

		if (vad_reader_find(r, BASE, list->items[i].last, &vad))
			check(vad.start <= list->items[i].last && list->items[i].last <= vad.last);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = { .fd = -1, .bytes = data, .size = size };
	struct virtmem *mem = NULL;
	struct vad_list list;
	struct vad_reader r;
	struct space *s = NULL;
	struct error *err;

	if (size <= HEADER || size > MAX_INPUT)
		return 0;
	err = virtmem_create(&mem);
	check(!err);
	err = virtmem_add(mem, BASE, size - HEADER, &file, HEADER);
	check(!err);
	err = virtmem_seal(mem);
	check(!err);
	err = space_create_virtual(mem, &s);
	check(!err);
	fake_vad_reader(&r, data[0] % NUM_SHAPES, s);
	err = vad_list_read(&r, BASE, &list);
	check(!err);
	check_list(&r, &list, size);
	check_finding(&r, &list);
	vad_list_deinit(&list);
	space_destroy(s);
	virtmem_destroy(mem);
	return 0;
}
