/* SPDX-License-Identifier: MIT */
#include "windows/regions/file_content.h"

#include <stdio.h>

#include "fake_space.h"
#include "formats/format.h"
#include "memory_layouts.h"
#include "tests/memfile.h"
#include "windows/paging/private.h"

/*
 * The cache of a file: a map, VACBs, and views that are far away. Only the first two pages of
 * each view are there.
 */
#define MAP	 FAKE_BASE
#define ARRAY(i) (FAKE_BASE + 0x400 + 0x400 * (uint64_t)(i))
#define VACB(i)	 (FAKE_BASE + 0x2000 + 0x40 * (uint64_t)(i))
#define VIEWS	 UINT64_C(0xffffa00000000000)
#define VIEW(i)	 (VIEWS + FILE_CACHE_VIEW_SIZE * (uint64_t)(i))
#define NOWHERE	 UINT64_C(0xffff900000000000)
#define MIB	 (UINT64_C(1) << 20)

struct machine {
	struct fake_space fake;
	struct file_cache_reader reader;
	struct file_cache cache;
	uint64_t lost;
};

static void put_vacb(struct machine *m, unsigned i, uint64_t offset)
{
	fake_put_u64(&m->fake, VACB(i), VIEW(i));
	fake_put_u64(&m->fake, VACB(i) + 8, MAP);
	fake_put_u64(&m->fake, VACB(i) + 0x10, offset | 3); /* and three users */
}

static void build(struct machine *m, uint64_t size)
{
	*m = (struct machine){ .lost = 0 };
	memcpy(m->reader.fields, cache_fields, sizeof(cache_fields));
	fake_put_u64(&m->fake, MAP + 8, size);
	fake_put_u64(&m->fake, MAP + 0x20, size);
	fake_put_u64(&m->fake, MAP + 0x58, ARRAY(0));
}

struct views {
	struct file_cache_view items[8];
	size_t count;
};

static struct error *keep(void *arg, const struct file_cache_view *view)
{
	struct views *views = arg;

	cr_assert_lt(views->count, ARRAY_SIZE(views->items));
	views->items[views->count++] = *view;
	return NULL;
}

static struct views list(struct machine *m)
{
	struct views views = { .count = 0 };

	m->reader.space = fake_open(&m->fake);
	cr_assert(file_cache_read(&m->reader, MAP, &m->cache));
	cr_assert_null(file_cache_each_view(&m->reader, &m->cache, keep, &views, &m->lost));
	fake_close(&m->fake);
	return views;
}

Test(file_cache, one_array)
{
	struct machine m;
	struct views views;

	build(&m, 3 * MIB);
	fake_put_u64(&m.fake, ARRAY(0), VACB(0));
	fake_put_u64(&m.fake, ARRAY(0) + 8 * 11, VACB(1));
	fake_put_u64(&m.fake, ARRAY(0) + 8 * 12, VACB(2)); /* past the section's end */
	put_vacb(&m, 0, 0);
	put_vacb(&m, 1, 11 * FILE_CACHE_VIEW_SIZE);
	put_vacb(&m, 2, 12 * FILE_CACHE_VIEW_SIZE);
	views = list(&m);
	cr_assert_eq(views.count, 2);
	cr_expect_eq(views.items[0].base, VIEW(0));
	cr_expect_eq(views.items[1].offset, 11 * FILE_CACHE_VIEW_SIZE);
	cr_expect_eq(m.lost, 0);
}

Test(file_cache, three_levels)
{
	uint64_t far = UINT64_C(5) << 32 | 7 * 32 * MIB | 3 * FILE_CACHE_VIEW_SIZE;
	struct machine m;
	struct views views;

	build(&m, UINT64_C(6) << 32);
	fake_put_u64(&m.fake, ARRAY(0) + 8 * 5, ARRAY(1)); /* 4 GiB each */
	fake_put_u64(&m.fake, ARRAY(1) + 8 * 7, ARRAY(2)); /* 32 MiB each */
	fake_put_u64(&m.fake, ARRAY(2) + 8 * 3, VACB(0));
	put_vacb(&m, 0, far);
	views = list(&m);
	cr_assert_eq(views.count, 1);
	cr_expect_eq(views.items[0].offset, far);
}

Test(file_cache, damage_costs_its_view)
{
	struct machine m;
	struct views views;

	build(&m, 3 * MIB);
	for (unsigned i = 0; i < 5; i++) {
		fake_put_u64(&m.fake, ARRAY(0) + 8 * i, VACB(i));
		put_vacb(&m, i, i * FILE_CACHE_VIEW_SIZE);
	}
	fake_put_u64(&m.fake, VACB(1) + 8, MAP + 8);	  /* of another map */
	fake_put_u64(&m.fake, VACB(2) + 0x10, 5 * MIB);	  /* of another offset */
	fake_put_u64(&m.fake, ARRAY(0) + 8 * 3, NOWHERE); /* not there */
	views = list(&m);
	cr_expect_eq(views.count, 2);
	cr_expect_eq(m.lost, 3);
}

Test(file_cache, arrays_in_a_loop_end)
{
	struct machine m;
	struct views views;

	build(&m, UINT64_C(1) << 57);
	for (unsigned i = 0; i < 128; i++)
		fake_put_u64(&m.fake, ARRAY(0) + 8 * i, ARRAY(0));
	views = list(&m);
	cr_expect_eq(views.count, 0);
	cr_expect_gt(m.lost, 0);
}

Test(file_cache, impossible_sizes)
{
	struct file_cache cache;
	struct machine m;

	build(&m, UINT64_C(1) << 60);
	m.reader.space = fake_open(&m.fake);
	cr_expect_not(file_cache_read(&m.reader, MAP, &cache));
	cr_expect_not(file_cache_read(&m.reader, NOWHERE, &cache));
	fake_close(&m.fake);
}

/* Content: pieces of 8 KiB of a file, put together from memory below. */
struct content {
	struct fake_space fake;
	struct snapshot snap;
	struct kernel k;
	struct file_content c;
	struct file_piece pieces[8];
	char text[4096];
	struct file_difference differences[NUM_FILE_SOURCES];
};

static void content_init(struct content *t)
{
	*t = (struct content){ .c = { .pieces = t->pieces } };
	for (size_t i = 0; i < FAKE_SIZE; i++)
		t->fake.bytes[i] = (uint8_t)(i >> PAGE_SHIFT);
	t->k.space = fake_open(&t->fake);
	cr_assert_null(physmem_create(&t->snap.mem));
	cr_assert_null(physmem_add_file(t->snap.mem, 0, FAKE_SIZE, &t->fake.file, 0));
	cr_assert_null(physmem_seal(t->snap.mem));
	t->k.snap = &t->snap;
	t->c.k = &t->k;
}

static void content_deinit(struct content *t)
{
	physmem_destroy(t->snap.mem);
	fake_close(&t->fake);
}

static void content_add(struct content *t, uint64_t offset, uint64_t address, uint32_t length,
			enum file_source source)
{
	t->pieces[t->c.count++] = (struct file_piece){
		.offset = offset, .address = address, .length = length, .source = source
	};
}

static struct error *write_text(void *arg, const struct file_stretch *stretch)
{
	struct opt_u64 address = stretch->va.present ? stretch->va : stretch->pa;
	struct content *t = arg;
	size_t used = strlen(t->text);

	cr_assert_eq(stretch->va.present, stretch->source == FILE_FROM_CACHE);
	snprintf(t->text + used, sizeof(t->text) - used, "%lx+%zx %s %d @%lx\n", stretch->offset,
		 stretch->len, file_source_name(stretch->source), stretch->bytes[0], address.value);
	return NULL;
}

static void content_expect(struct content *t, const char *text)
{
	cr_assert_null(file_content_each(&t->c, write_text, t, t->differences));
	cr_expect_str_eq(t->text, text);
	content_deinit(t);
}

Test(file_content, the_better_place_wins)
{
	struct content t;

	content_init(&t);
	content_add(&t, 0, 0x1000, 0x1000, FILE_FROM_DATA);
	content_add(&t, 0, FAKE_BASE + 0x2000, 0x1000, FILE_FROM_CACHE);
	content_add(&t, 0x1000, FAKE_BASE + 0x3000, 0x1000, FILE_FROM_CACHE);
	content_add(&t, 0x1200, 0x4000, 0x200, FILE_FROM_IMAGE);
	content_expect(&t, "0+1000 data_section 1 @1000\n"
			   "1000+1000 cache 3 @ffff800000013000\n");
	cr_expect_eq(t.differences[FILE_FROM_CACHE].bytes, 0x1000);
	cr_expect_eq(t.differences[FILE_FROM_IMAGE].bytes, 0x200);
	cr_expect_eq(t.differences[FILE_FROM_IMAGE].first, 0x1200);
}

Test(file_content, equal_bytes_are_no_difference)
{
	struct content t;

	content_init(&t);
	content_add(&t, 0, 0x1000, 0x1000, FILE_FROM_DATA);
	content_add(&t, 0, FAKE_BASE + 0x1000, 0x1000, FILE_FROM_CACHE);
	content_expect(&t, "0+1000 data_section 1 @1000\n");
	cr_expect_eq(t.differences[FILE_FROM_CACHE].bytes, 0);
}

Test(file_content, images_fill_gaps_to_the_sector)
{
	struct content t;

	content_init(&t);
	content_add(&t, 0x400, 0x1000, 0xc00, FILE_FROM_IMAGE);
	content_add(&t, 0x1000, 0x1c00, 0x400, FILE_FROM_IMAGE);
	content_add(&t, 0x1600, 0x2000, 0x200, FILE_FROM_IMAGE);
	content_expect(&t, "400+c00 image_section 1 @1000\n"
			   "1000+400 image_section 1 @1c00\n"
			   "1600+200 image_section 2 @2000\n");
}

Test(file_content, nothing_past_the_end)
{
	struct content t;

	content_init(&t);
	t.c.has_size = true;
	t.c.size = 0x1234;
	content_add(&t, 0x1000, 0x1000, 0x1000, FILE_FROM_DATA);
	content_add(&t, 0x2000, 0x2000, 0x1000, FILE_FROM_DATA);
	content_expect(&t, "1000+234 data_section 1 @1000\n");
}

Test(file_content, absent_pieces_leave_a_gap)
{
	struct content t;

	content_init(&t);
	content_add(&t, 0, NOWHERE, 0x1000, FILE_FROM_CACHE);
	content_add(&t, 0x1000, 0x100000, 0x1000, FILE_FROM_DATA);
	content_add(&t, 0x1000, FAKE_BASE + 0x5000, 0x1000, FILE_FROM_CACHE);
	content_expect(&t, "1000+1000 cache 5 @ffff800000015000\n");
}

/* The cache of a file, as a kernel keeps it: two pages of its first view are there. */
Test(file_content, from_the_cache_map)
{
	struct file_object file = { .shared_cache_map = opt_u64(MAP) };
	struct file_content_reader reader;
	struct file_content c;
	struct content t = { .text = "" };

	memset(&reader, 0, sizeof(reader));
	memcpy(reader.caches.fields, cache_fields, sizeof(cache_fields));
	fake_put_u64(&t.fake, MAP + 8, PAGE_SIZE + 5);
	fake_put_u64(&t.fake, MAP + 0x20, FILE_CACHE_VIEW_SIZE);
	fake_put_u64(&t.fake, MAP + 0x58, ARRAY(0));
	fake_put_u64(&t.fake, ARRAY(0), VACB(0));
	fake_put_u64(&t.fake, VACB(0), FAKE_BASE + 6 * PAGE_SIZE);
	fake_put_u64(&t.fake, VACB(0) + 8, MAP);
	memset(t.fake.bytes + 6 * PAGE_SIZE, 6, 2 * PAGE_SIZE);
	t.k.space = fake_open(&t.fake);
	t.k.snap = &t.snap;
	reader.k = &t.k;
	reader.caches.space = t.k.space;
	cr_assert_null(file_content_read(&reader, &file, &c));
	cr_expect_eq(c.count, 2);
	cr_assert_null(file_content_each(&c, write_text, &t, t.differences));
	cr_expect_str_eq(t.text, "0+1000 cache 6 @ffff800000016000\n"
				 "1000+5 cache 6 @ffff800000017000\n");
	file_content_deinit(&c);
	fake_close(&t.fake);
}

Test(file_content, maps_and_sections_that_are_none)
{
	struct file_object file = { .shared_cache_map = opt_u64(NOWHERE),
				    .data_section = opt_u64(NOWHERE) };
	struct file_content_reader reader;
	struct content t = { .text = "" };
	struct file_content c;

	memset(&reader, 0, sizeof(reader));
	memcpy(reader.caches.fields, cache_fields, sizeof(cache_fields));
	memcpy(reader.sections.fields, section_fields, sizeof(section_fields));
	t.k.space = fake_open(&t.fake);
	t.k.snap = &t.snap;
	reader.k = &t.k;
	reader.caches.space = reader.sections.space = t.k.space;
	cr_assert_null(file_content_read(&reader, &file, &c));
	cr_expect_eq(c.count, 0);
	cr_expect_not_null(c.broken);
	file_content_deinit(&c);
	fake_close(&t.fake);
}

/* A section of an image, from 0x200 of the file on: a page in memory, none, two paged out. */
#define AREA	(FAKE_BASE + 0x3000)
#define SEGMENT (FAKE_BASE + 0x3100)
#define PTES	(FAKE_BASE + 0x3400)

enum { IN_PAGE_FILE = 2, IN_NO_FILE = 3, SECTION_PAGES = 4 };

static uint64_t in_pagefile(uint64_t page)
{
	return page << 32 | WINDOWS_PTE_SWIZZLE;
}

static void put_section(struct content *t, struct file_content_reader *r)
{
	static const struct windows_pte_config config = { .known = true };
	uint64_t part = AREA + FAKE_AREA_SIZE;

	r->sections.area_size = FAKE_AREA_SIZE;
	r->sections.pte_config = &config;
	memcpy(r->sections.fields, section_fields, sizeof(section_fields));
	fake_put_u64(&t->fake, AREA, SEGMENT);
	t->fake.bytes[AREA - FAKE_BASE + 0x38] = 1 << 5;
	fake_put_u64(&t->fake, SEGMENT, AREA);
	fake_put_u64(&t->fake, part, AREA);
	fake_put_u64(&t->fake, part + 8, PTES);
	store_u32(t->fake.bytes + (part - FAKE_BASE) + 0x24, 1); /* sectors of 512 bytes */
	store_u32(t->fake.bytes + (part - FAKE_BASE) + 0x28, SECTION_PAGES * 8);
	store_u32(t->fake.bytes + (part - FAKE_BASE) + 0x2c, SECTION_PAGES);
	fake_put_u64(&t->fake, PTES, 0x5000 | PTE_PRESENT);
	fake_put_u64(&t->fake, PTES + 8 * IN_PAGE_FILE, in_pagefile(1));
	fake_put_u64(&t->fake, PTES + 8 * IN_NO_FILE, in_pagefile(9));
}

Test(file_content, pages_of_sections_in_a_page_file)
{
	static const struct windows_pte_config config = { .known = true };
	struct file_object file = { .image_section = opt_u64(AREA) };
	static uint8_t pagefile[2 * PAGE_SIZE];
	struct file_content_reader reader;
	static struct content t;
	char path[MEMFILE_PATH_SIZE];
	const char *words[] = { path };
	int fd;

	memset(&reader, 0, sizeof(reader));
	memset(pagefile + PAGE_SIZE, 0xf1, PAGE_SIZE);
	fd = memfile_create(pagefile, sizeof(pagefile), path);
	put_section(&t, &reader);
	memset(t.fake.bytes + 0x5000, 5, PAGE_SIZE);
	t.k.space = fake_open(&t.fake);
	cr_assert_null(physmem_create(&t.snap.mem));
	cr_assert_null(physmem_add_file(t.snap.mem, 0, FAKE_SIZE, &t.fake.file, 0));
	cr_assert_null(physmem_seal(t.snap.mem));
	cr_assert_null(paging_create(t.snap.mem, 4, &config, words, 1, &t.k.paging));
	t.k.paging->started = true;
	t.k.snap = &t.snap;
	reader.k = &t.k;
	reader.sections.space = t.k.space;
	cr_assert_null(file_content_read(&reader, &file, &t.c));
	cr_expect_eq(t.c.paged_out, 1);
	cr_expect_eq(t.c.not_captured, 0);
	cr_assert_null(file_content_each(&t.c, write_text, &t, t.differences));
	cr_expect_str_eq(t.text,
			 "200+e00 image_section 5 @5000\n"
			 "1000+200 image_section 5 @5e00\n"
			 "2200+e00 image_section 241 @0\n"
			 "3000+200 image_section 241 @0\n",
			 "%s", t.text);
	file_content_deinit(&t.c);
	/* without page files */
	paging_destroy(t.k.paging);
	t.k.paging = NULL;
	cr_assert_null(file_content_read(&reader, &file, &t.c));
	cr_expect_eq(t.c.paged_out, 2);
	file_content_deinit(&t.c);
	close(fd);
	content_deinit(&t);
}
