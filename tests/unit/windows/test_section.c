/* SPDX-License-Identifier: MIT */
#include "windows/regions/section.h"

#include "fake_space.h"
#include "memory_layouts.h"

/* A control area, its segment, and three subsections: the header and two sections of an image. */
enum { PART_SIZE = 0x40, NUM_PARTS = 3, TOTAL_PAGES = 7 };
#define SECTION FAKE_BASE
#define AREA	(FAKE_BASE + 0x100)
#define PART(i) (AREA + FAKE_AREA_SIZE + PART_SIZE * (uint64_t)(i))
#define SEGMENT (FAKE_BASE + 0x400)
#define PTES	(FAKE_BASE + 0x2ff0) /* crosses a page */
#define FILE_VA UINT64_C(0xffffe00000001000)
#define NOWHERE UINT64_C(0xffff900000000000)

struct machine {
	struct fake_space fake;
	struct section_reader reader;
	struct control_area area;
	struct subsection_list parts;
};

static void put(struct machine *m, uint64_t va, uint64_t value, size_t size)
{
	memcpy(m->fake.bytes + (va - FAKE_BASE), &value, size);
}

static void put_part(struct machine *m, unsigned i, unsigned first_page, unsigned pages,
		     unsigned sector, unsigned sectors)
{
	put(m, PART(i), AREA, 8);
	put(m, PART(i) + 8, PTES + 8 * (uint64_t)first_page, 8);
	put(m, PART(i) + 0x10, i + 1 < NUM_PARTS ? PART(i + 1) : 0, 8);
	put(m, PART(i) + 0x24, sector, 4);
	put(m, PART(i) + 0x28, sectors, 4);
	put(m, PART(i) + 0x2c, pages, 4);
}

static void build(struct machine *m, bool image)
{
	*m = (struct machine){ .reader = { .area_size = FAKE_AREA_SIZE } };
	memcpy(m->reader.fields, section_fields, sizeof(section_fields));
	put(m, SECTION + 0x28, AREA, 8);
	put(m, AREA, SEGMENT, 8);
	put(m, AREA + 0x28, 5, 8);
	put(m, AREA + 0x38, (image ? 1 << 5 : 0) | 1 << 7, 4);
	put(m, AREA + 0x40, FILE_VA | 0xd, 8);
	put(m, SEGMENT, AREA, 8);
	put(m, SEGMENT + 8, TOTAL_PAGES, 4);
	put(m, SEGMENT + 0x18, TOTAL_PAGES * PAGE_SIZE, 8);
	put(m, SEGMENT + 0x40, PTES, 8);
	put_part(m, 0, 0, 1, 0, 2);
	put_part(m, 1, 1, 2, 2, 9);
	put_part(m, 2, 5, 2, 11, 1); /* two pages further than the part before it ends */
}

static void open(struct machine *m)
{
	m->reader.space = m->fake.space ? m->fake.space : fake_open(&m->fake);
	cr_assert(control_area_read(&m->reader, AREA, &m->area));
	cr_assert_null(subsection_list_read(&m->reader, &m->area, &m->parts));
}

static void done(struct machine *m)
{
	subsection_list_deinit(&m->parts);
	fake_close(&m->fake);
}

Test(section, control_area_of_an_image)
{
	struct machine m;
	uint64_t va;

	build(&m, true);
	open(&m);
	cr_assert(section_control_area(&m.reader, SECTION, &va));
	cr_expect_eq(va, AREA);
	cr_expect(m.area.is_image);
	cr_expect_eq(m.area.file_object.value, FILE_VA);
	cr_expect_eq(m.area.size.value, TOTAL_PAGES * PAGE_SIZE);
	cr_expect_eq(m.area.views.value, 5);
	done(&m);
}

Test(section, by_segment_as_in_7)
{
	struct machine m;
	uint64_t va;

	build(&m, true);
	m.reader.fields[SECTION_AREA].present = false;
	put(&m, SECTION + 0x28, SEGMENT, 8);
	open(&m);
	cr_assert(section_control_area(&m.reader, SECTION, &va));
	cr_expect_eq(va, AREA);
	done(&m);
}

Test(section, remote_file_objects_are_no_control_areas)
{
	struct machine m;
	uint64_t va;

	build(&m, true);
	put(&m, SECTION + 0x28, FILE_VA | 1, 8);
	open(&m);
	cr_expect_not(section_control_area(&m.reader, SECTION, &va));
	cr_expect_not(section_control_area(&m.reader, NOWHERE, &va));
	done(&m);
}

Test(section, segment_that_does_not_point_back)
{
	struct machine m;
	struct control_area area;

	build(&m, true);
	put(&m, SEGMENT, AREA + 0x10, 8);
	m.reader.space = fake_open(&m.fake);
	cr_expect_not(control_area_read(&m.reader, AREA, &area));
	cr_expect_not(control_area_read(&m.reader, NOWHERE, &area));
	done(&m);
}

Test(section, absent_segment_costs_what_it_says)
{
	struct machine m;

	build(&m, true);
	put(&m, AREA, NOWHERE, 8);
	open(&m);
	cr_expect_not(m.area.size.present);
	cr_expect_eq(m.parts.count, NUM_PARTS);
	/* without the segment pages are counted from part to part */
	cr_expect_eq(m.parts.items[2].first_page, 3);
	done(&m);
}

Test(section, subsections_of_an_image)
{
	struct machine m;

	build(&m, true);
	put(&m, PART(2) + 0x22, 0x123 << 4, 2);
	open(&m);
	cr_assert_eq(m.parts.count, NUM_PARTS);
	cr_expect_null(m.parts.broken);
	cr_expect_eq(m.parts.items[0].size, 0x400);
	cr_expect_eq(m.parts.items[1].offset, 0x400);
	cr_expect_eq(m.parts.items[1].first_page, 1);
	cr_expect_eq(m.parts.items[2].offset, 11 * 512);
	cr_expect_eq(m.parts.items[2].size, 512 + 0x123);
	cr_expect_eq(m.parts.items[2].first_page, 5);
	done(&m);
}

Test(section, subsections_of_data_count_in_pages)
{
	struct machine m;

	build(&m, false);
	put(&m, PART(1) + 0x20, 1 << 6, 2); /* bit 32 of the starting sector */
	open(&m);
	cr_expect_eq(m.parts.items[0].size, 2 * 4096);
	cr_expect_eq(m.parts.items[1].offset, (UINT64_C(1) << 32 | 2) << 12);
	cr_expect_eq(m.parts.items[2].first_page, 3);
	done(&m);
}

static void expect_broken(struct machine *m, size_t count, uint64_t where)
{
	open(m);
	cr_expect_eq(m->parts.count, count);
	cr_expect_not_null(m->parts.broken);
	cr_expect_eq(m->parts.broken_at, where);
	done(m);
}

Test(section, damaged_lists_of_subsections)
{
	struct machine m;

	build(&m, true);
	put(&m, PART(2) + 0x10, PART(0), 8);
	expect_broken(&m, 3, PART(0));
	build(&m, true);
	put(&m, PART(1) + 0x10, PART(1), 8);
	expect_broken(&m, 2, PART(1));
	build(&m, true);
	put(&m, PART(0) + 0x10, NOWHERE, 8);
	expect_broken(&m, 1, NOWHERE);
	build(&m, true);
	put(&m, PART(1), AREA + 8, 8);
	expect_broken(&m, 1, PART(1));
	build(&m, true);
	put(&m, PART(1) + 0x2c, UINT32_MAX, 4);
	expect_broken(&m, 1, PART(1));
	build(&m, true);
	put(&m, PART(1) + 0x2c, MAX_SECTION_PAGES - 2, 4); /* and one and two are too many */
	expect_broken(&m, 2, PART(2));
}

struct pages {
	struct section_page items[16];
	size_t count;
};

static struct error *keep(void *arg, const struct section_page *page)
{
	struct pages *pages = arg;

	cr_assert_lt(pages->count, ARRAY_SIZE(pages->items));
	pages->items[pages->count++] = *page;
	return NULL;
}

Test(section, states_of_pages)
{
	struct pages pages = { .count = 0 };
	struct machine m;

	build(&m, true);
	put_part(&m, 1, 1, 6, 2, 9);
	put(&m, PTES + 8, UINT64_C(0x1234000) | PTE_PRESENT, 8);
	put(&m, PTES + 16, UINT64_C(0x5678000) | WINDOWS_PTE_TRANSITION, 8);
	put(&m, PTES + 24, UINT64_C(0x8000) << 16 | WINDOWS_PTE_PROTOTYPE, 8);
	put(&m, PTES + 32, UINT64_C(0x77) << 32, 8);
	put(&m, PTES + 40, 4 << 5, 8);
	open(&m);
	cr_assert_null(subsection_each_page(&m.reader, &m.parts.items[1], keep, &pages));
	cr_assert_eq(pages.count, 6);
	cr_expect_eq(pages.items[0].state, VA_MAPPED);
	cr_expect_eq(pages.items[0].pa, 0x1234000);
	cr_expect_eq(pages.items[0].offset, 0x400);
	cr_expect_eq(pages.items[0].length, PAGE_SIZE);
	cr_expect_eq(pages.items[1].state, VA_TRANSITION);
	cr_expect_eq(pages.items[1].pa, 0x5678000);
	cr_expect_eq(pages.items[1].length, 9 * 512 - PAGE_SIZE);
	cr_expect_eq(pages.items[1].pte_address, PTES + 16);
	cr_expect_eq(pages.items[2].state, VA_PROTOTYPE);
	cr_expect_eq(pages.items[2].length, 0);
	cr_expect_eq(pages.items[3].state, VA_PAGEFILE);
	cr_expect_eq(pages.items[4].state, VA_DEMAND_ZERO);
	cr_expect_eq(pages.items[5].state, VA_NOT_PRESENT);
	cr_expect_eq(pages.items[5].page, 6);
	done(&m);
}

/* From 22621 on: bits 10 and 11 of a pointer are no flags, and its frame is none. */
Test(section, pointers_of_pages_that_are_only_in_the_file)
{
	static const uint64_t pointers[] = { 0xffffa00012345c80, 0xffffa00012345880,
					     0xffffa00012345080 };
	struct pages pages = { .count = 0 };
	struct machine m;

	build(&m, true);
	put_part(&m, 1, 1, ARRAY_SIZE(pointers), 2, 9);
	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++)
		put(&m, PTES + 8 + 8 * i, pointers[i], 8);
	open(&m);
	cr_assert_null(subsection_each_page(&m.reader, &m.parts.items[1], keep, &pages));
	cr_assert_eq(pages.count, ARRAY_SIZE(pointers));
	for (size_t i = 0; i < pages.count; i++)
		cr_expect_eq(pages.items[i].state, VA_PROTOTYPE, "%zu", i);
	done(&m);
}

Test(section, absent_page_of_entries_costs_its_own)
{
	struct pages pages = { .count = 0 };
	struct machine m;

	build(&m, true);
	put_part(&m, 1, 0, 4, 2, 90);
	put(&m, PTES + 16, UINT64_C(0x1234000) | PTE_PRESENT, 8);
	fake_show(&m.fake, FAKE_BASE, FAKE_BASE + 0x2000);
	fake_show(&m.fake, FAKE_BASE + 0x3000, FAKE_BASE + 0x4000);
	open(&m);
	cr_assert_null(subsection_each_page(&m.reader, &m.parts.items[1], keep, &pages));
	cr_assert_eq(pages.count, 3);
	cr_expect_eq(pages.items[0].state, VA_NOT_CAPTURED);
	cr_expect_eq(pages.items[0].count, 2);
	cr_expect_eq(pages.items[1].state, VA_MAPPED);
	cr_expect_eq(pages.items[1].count, 1);
	cr_expect_eq(pages.items[1].page, 2);
	cr_expect_eq(pages.items[2].state, VA_NOT_PRESENT);
	done(&m);
}

Test(section, arrays_that_are_none)
{
	struct pages pages = { .count = 0 };
	struct subsection part = { .pages = 4 };
	struct machine m;

	build(&m, true);
	open(&m);
	cr_assert_null(subsection_each_page(&m.reader, &part, keep, &pages));
	part.base = opt_u64(FAKE_BASE + 0xffd); /* less than an entry from a page's end */
	cr_assert_null(subsection_each_page(&m.reader, &part, keep, &pages));
	cr_expect_eq(pages.count, 0);
	done(&m);
}
