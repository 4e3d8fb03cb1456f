/* SPDX-License-Identifier: MIT */
#include "windows/pe/layout.h"

#include <stdlib.h>

enum { FILE_SECTOR = 512 };

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t pages_of(uint64_t size)
{
	return (size + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
}

/* Headers end where the first section begins, in the file or in memory. */
static struct pe_file_range headers_range(const struct pe_image *pe)
{
	uint64_t size = least(pe->size_of_headers, pe->size_of_image);

	for (unsigned i = 0; i < pe->num_sections; i++) {
		const struct pe_section *s = &pe->sections[i];

		if (s->rva)
			size = least(size, s->rva);
		if (s->raw_offset && s->raw_size)
			size = least(size, s->raw_offset);
	}
	return (struct pe_file_range){ .size = size, .mapped = size };
}

/* False: nothing of the section is in the file. */
static bool section_range(const struct pe_image *pe, const struct pe_section *s,
			  struct pe_file_range *ret)
{
	uint64_t virtual_size = s->virtual_size ? s->virtual_size : s->raw_size;
	uint64_t room = s->rva < pe->size_of_image ? pe->size_of_image - s->rva : 0;
	uint64_t offset = s->raw_offset;

	if (!s->raw_size || !s->raw_offset)
		return false;
	/* The loader maps whole sectors, unless the file is laid out as it lies in memory. */
	if (s->raw_offset != s->rva)
		offset &= ~(uint64_t)(FILE_SECTOR - 1);
	*ret = (struct pe_file_range){ .offset = offset, .size = s->raw_size, .rva = s->rva };
	ret->mapped = least(least(ret->size, pages_of(virtual_size)), room);
	return true;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct pe_file_range *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->rva < y->rva ? -1 : x->rva > y->rva;
}

/* Sections may claim the same bytes of the file: the first one has them. */
static void cut_overlaps(struct pe_file_layout *layout)
{
	uint64_t end = 0;
	size_t kept = 0;

	for (size_t i = 0; i < layout->count; i++) {
		struct pe_file_range r = layout->ranges[i];
		uint64_t cut = r.offset < end ? least(end - r.offset, r.size) : 0;

		r.offset += cut;
		r.size -= cut;
		r.rva += cut;
		r.mapped -= least(cut, r.mapped);
		if (!r.size)
			continue;
		end = r.offset + r.size;
		layout->ranges[kept++] = r;
	}
	layout->count = kept;
}

void pe_file_layout(const struct pe_image *pe, struct pe_file_layout *ret)
{
	ret->ranges[0] = headers_range(pe);
	ret->count = 1;
	for (unsigned i = 0; i < pe->num_sections; i++)
		ret->count += section_range(pe, &pe->sections[i], &ret->ranges[ret->count]);
	qsort(ret->ranges, ret->count, sizeof(ret->ranges[0]), compare_ranges);
	cut_overlaps(ret);
}
