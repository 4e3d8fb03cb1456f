/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "windows/pe/layout.h"

static struct pe_image image_of(unsigned num_sections)
{
	return (struct pe_image){
		.size_of_image = 0x10000,
		.size_of_headers = 0x400,
		.num_sections = num_sections,
		.num_sections_claimed = num_sections,
	};
}

static struct pe_section section(uint32_t rva, uint32_t virtual_size, uint32_t raw_offset,
				 uint32_t raw_size)
{
	return (struct pe_section){ .rva = rva,
				    .virtual_size = virtual_size,
				    .raw_offset = raw_offset,
				    .raw_size = raw_size };
}

static void expect_ranges(const struct pe_image *pe, const struct pe_file_range *expected,
			  size_t count)
{
	struct pe_file_layout layout;

	pe_file_layout(pe, &layout);
	cr_assert_eq(layout.count, count, "%zu", layout.count);
	for (size_t i = 0; i < count; i++) {
		cr_expect_eq(layout.ranges[i].offset, expected[i].offset, "%zu: 0x%lx", i,
			     layout.ranges[i].offset);
		cr_expect_eq(layout.ranges[i].size, expected[i].size, "%zu: 0x%lx", i,
			     layout.ranges[i].size);
		cr_expect_eq(layout.ranges[i].rva, expected[i].rva, "%zu: 0x%lx", i,
			     layout.ranges[i].rva);
		cr_expect_eq(layout.ranges[i].mapped, expected[i].mapped, "%zu: 0x%lx", i,
			     layout.ranges[i].mapped);
	}
}

Test(pe_layout, sections_in_the_order_of_the_file)
{
	struct pe_image pe = image_of(3);
	static const struct pe_file_range expected[] = {
		{ 0, 0x400, 0, 0x400 },
		{ 0x400, 0x200, 0x3000, 0x200 },
		{ 0x600, 0x1200, 0x1000, 0x1200 },
	};

	pe.sections[0] = section(0x1000, 0x1100, 0x600, 0x1200);
	pe.sections[1] = section(0x3000, 0x5000, 0x400, 0x200); /* with zeros behind it */
	pe.sections[2] = section(0x8000, 0x1000, 0, 0);		/* zeros alone */
	expect_ranges(&pe, expected, ARRAY_SIZE(expected));
}

Test(pe_layout, what_no_page_holds_is_not_mapped)
{
	struct pe_image pe = image_of(2);
	static const struct pe_file_range expected[] = {
		{ 0, 0x400, 0, 0x400 },
		{ 0x400, 0x3000, 0x1000, 0x1000 },  /* pages of the virtual size */
		{ 0x3400, 0x2000, 0xf000, 0x1000 }, /* the end of the image */
	};

	pe.sections[0] = section(0x1000, 0x10, 0x400, 0x3000);
	pe.sections[1] = section(0xf000, 0x2000, 0x3400, 0x2000);
	expect_ranges(&pe, expected, ARRAY_SIZE(expected));
}

Test(pe_layout, no_virtual_size_means_the_raw_one)
{
	struct pe_image pe = image_of(1);
	static const struct pe_file_range expected[] = {
		{ 0, 0x400, 0, 0x400 },
		{ 0x400, 0x1800, 0x1000, 0x1800 },
	};

	pe.sections[0] = section(0x1000, 0, 0x400, 0x1800);
	expect_ranges(&pe, expected, ARRAY_SIZE(expected));
}

Test(pe_layout, offsets_are_of_sectors_unless_the_file_is_flat)
{
	struct pe_image pe = image_of(2);
	static const struct pe_file_range expected[] = {
		{ 0, 0x280, 0, 0x280 },
		{ 0x280, 0x180, 0x280, 0x180 },
		{ 0x400, 0x200, 0x1000, 0x200 },
	};

	pe.sections[0] = section(0x280, 0x180, 0x280, 0x180);
	pe.sections[1] = section(0x1000, 0x180, 0x410, 0x200);
	expect_ranges(&pe, expected, ARRAY_SIZE(expected));
}

Test(pe_layout, the_first_of_overlapping_sections_has_the_bytes)
{
	struct pe_image pe = image_of(4);
	static const struct pe_file_range expected[] = {
		{ 0, 0x400, 0, 0x400 },
		{ 0x400, 0x400, 0x1000, 0x400 },
		{ 0x800, 0x200, 0x2200, 0x200 },
	};

	pe.sections[0] = section(0x1000, 0x1000, 0x400, 0x400);
	pe.sections[1] = section(0x2000, 0x1000, 0x600, 0x400);
	pe.sections[2] = section(0x3000, 0x1000, 0x400, 0x200);
	pe.sections[3] = section(0x4000, 0x1000, 0x600, 0x400);
	expect_ranges(&pe, expected, ARRAY_SIZE(expected));
}

Test(pe_layout, absurd_numbers)
{
	struct pe_image pe = image_of(PE_MAX_SECTIONS);
	struct pe_file_layout layout;
	uint64_t end = 0;

	pe.size_of_headers = UINT32_MAX;
	for (unsigned i = 0; i < PE_MAX_SECTIONS; i++)
		pe.sections[i] = section(UINT32_MAX - i * 7, UINT32_MAX, UINT32_MAX - i * 0x10000,
					 UINT32_MAX);
	pe_file_layout(&pe, &layout);
	cr_assert_leq(layout.count, PE_MAX_FILE_RANGES);
	for (size_t i = 0; i < layout.count; i++) {
		const struct pe_file_range *r = &layout.ranges[i];

		cr_expect_geq(r->offset, end);
		cr_expect_gt(r->size, 0);
		cr_expect_leq(r->mapped, r->size);
		cr_expect(r->mapped == 0 || r->rva + r->mapped <= pe.size_of_image);
		end = r->offset + r->size;
	}
}

Test(pe_layout, no_sections)
{
	struct pe_image pe = image_of(0);
	static const struct pe_file_range expected[] = { { 0, 0x400, 0, 0x400 } };

	expect_ranges(&pe, expected, ARRAY_SIZE(expected));
	pe.size_of_headers = 0;
	expect_ranges(&pe, NULL, 0);
}
