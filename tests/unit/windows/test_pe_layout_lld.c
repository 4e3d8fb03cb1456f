/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "windows/pe/layout.h"

/* An image by lld, loaded at the base that it asks for, gives back its file. */

static void must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

struct memory {
	struct virtmem *mem;
	struct space *space;
};

static void memory_open(struct memory *m, const struct file *file, uint64_t base)
{
	must(virtmem_create(&m->mem));
	must(virtmem_add(m->mem, base, file->size, file, 0));
	must(virtmem_seal(m->mem));
	must(space_create_virtual(m->mem, &m->space));
}

static void memory_close(struct memory *m)
{
	space_destroy(m->space);
	virtmem_destroy(m->mem);
}

/* Sections where the loader puts them. */
static uint8_t *load(const struct file *file, const struct pe_image *pe)
{
	uint8_t *image = calloc(1, pe->size_of_image);

	cr_assert_not_null(image);
	memcpy(image, file->bytes, pe->size_of_headers);
	for (unsigned i = 0; i < pe->num_sections; i++) {
		const struct pe_section *s = &pe->sections[i];

		memcpy(image + s->rva, file->bytes + s->raw_offset, s->raw_size);
	}
	return image;
}

Test(pe_layout_lld, the_file_comes_back)
{
	struct file file, flat;
	struct memory memory;
	struct pe_file_layout layout;
	struct pe_image pe;
	uint8_t *image, *back;
	uint64_t end = 0;

	must(file_open(&file, LAYOUT_IMAGE));
	memory_open(&memory, &file, 0);
	must(pe_read(memory.space, 0, &pe));
	memory_close(&memory);
	cr_assert_geq(pe.num_sections, 4, "the image is too plain for this test");
	image = load(&file, &pe);

	flat = (struct file){ .fd = -1, .bytes = image, .size = pe.size_of_image };
	memory_open(&memory, &flat, pe.image_base);
	must(pe_read(memory.space, pe.image_base, &pe));
	pe_file_layout(&pe, &layout);
	back = calloc(1, file.size);
	cr_assert_not_null(back);
	for (size_t i = 0; i < layout.count; i++) {
		const struct pe_file_range *r = &layout.ranges[i];

		cr_expect_eq(r->mapped, r->size);
		end = r->offset + r->size;
		cr_assert_leq(end, file.size);
		must(space_read(memory.space, pe.base + r->rva, back + r->offset, r->size));
	}
	cr_expect_eq(end, file.size);
	cr_expect_arr_eq(back, file.bytes, file.size);
	memory_close(&memory);
	file_close(&file);
	free(image);
	free(back);
}
