/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#include "memory/physmem.h"
#include "tests/memfile.h"

enum { FILE_PAGES = 8 };

static struct file file;
static struct physmem *mem;
static uint8_t content[FILE_PAGES * PAGE_SIZE];

/* Each byte tells its page and its place. */
static void open_all(void)
{
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i / PAGE_SIZE * 31 + i * 7);
	memfile_open(&file, content, sizeof(content));
	cr_assert_null(physmem_create(&mem));
}

static void close_all(void)
{
	physmem_destroy(mem);
	file_close(&file);
}

TestSuite(physmem, .init = open_all, .fini = close_all);

static void add(uint64_t pa, uint64_t length, uint64_t offset)
{
	struct error *err = physmem_add_file(mem, pa, length, &file, offset);

	cr_assert_null(err);
}

static void seal(void)
{
	struct error *err = physmem_seal(mem);

	cr_assert_null(err);
}

static void expect_error(struct error *err, enum error_code code, const char *text)
{
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), code);
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	error_destroy(err);
}

Test(physmem, without_runs_everything_is_absent)
{
	struct page_view view;
	struct mem_range range;
	uint64_t offset;
	char byte;

	seal();
	cr_expect_not(physmem_view(mem, 0, &view, NULL));
	cr_expect_eq(physmem_read(mem, 0, &byte, 1), 0);
	cr_expect_not(physmem_next(mem, 0, false, &range));
	cr_expect_not(physmem_file_offset(mem, 0, &offset));
	cr_expect_eq(physmem_end(mem), 0);
	cr_expect_eq(physmem_captured_bytes(mem), 0);
	cr_expect_eq(physmem_captured_pages(mem), 0);
	physmem_count_pages(mem);
	cr_expect_eq(physmem_pages_touched(mem), 0);
}

Test(physmem, views_borrow_from_the_file)
{
	struct page_view view;

	add(0x10000, 2 * PAGE_SIZE, PAGE_SIZE);
	seal();
	cr_assert(physmem_view(mem, 0x11234, &view, NULL));
	cr_expect_eq(view.bytes, file.bytes + 2 * PAGE_SIZE);
	cr_expect_eq(view.begin, 0);
	cr_expect_eq(view.end, PAGE_SIZE);
	page_release(&view);
	cr_expect_not(physmem_view(mem, 0xffff, &view, NULL));
	cr_expect_not(physmem_view(mem, 0x12000, &view, NULL));
}

Test(physmem, a_run_must_lie_in_the_file)
{
	expect_error(physmem_add_file(mem, 0, 1, &file, sizeof(content)), ERROR_CORRUPT, "0x8000");
	expect_error(physmem_add_file(mem, 0, sizeof(content) + 1, &file, 0), ERROR_CORRUPT,
		     "0x8001");
	expect_error(physmem_add_file(mem, 0, 2, &file, UINT64_MAX), ERROR_CORRUPT, "file offset");
	expect_error(physmem_add_file(mem, 0, UINT64_MAX, &file, 2), ERROR_CORRUPT, "file offset");
	add(0, 0, sizeof(content)); /* nothing at the end is fine */
	seal();
	cr_expect_eq(physmem_num_runs(mem), 0);
}

Test(physmem, a_run_must_lie_in_52_bits)
{
	expect_error(physmem_add_file(mem, PHYSMEM_MAX_END - 1, 2, &file, 0), ERROR_CORRUPT,
		     "physical address 0xfffffffffffff");
	expect_error(physmem_add_file(mem, UINT64_MAX, 2, &file, 0), ERROR_CORRUPT, "run of 0x2");
	add(PHYSMEM_MAX_END - 1, 1, 5);
	seal();
	cr_expect_eq(physmem_end(mem), PHYSMEM_MAX_END);
}

Test(physmem, partial_pages_are_seen_in_part)
{
	struct page_view view;
	uint8_t buf[64];

	add(0x5100, 0x80, 0x10);
	seal();
	cr_assert(physmem_view(mem, 0x5120, &view, NULL));
	cr_expect_eq(view.begin, 0x100);
	cr_expect_eq(view.end, 0x180);
	cr_expect_eq(view.bytes, file.bytes + 0x10);
	page_release(&view);
	cr_expect_not(physmem_view(mem, 0x50ff, &view, NULL));
	cr_expect_not(physmem_view(mem, 0x5180, &view, NULL));
	cr_expect_eq(physmem_read(mem, 0x5170, buf, sizeof(buf)), 0x10);
	cr_expect_arr_eq(buf, content + 0x80, 0x10);
	cr_expect_eq(physmem_captured_pages(mem), 1);
}

Test(physmem, reads_go_on_over_a_seam_in_mid_page)
{
	struct page_view view;
	uint8_t buf[0x200];

	add(0x1000, 0x800, 0x0);
	add(0x1800, 0x1000, 0x3000);
	seal();
	cr_assert_eq(physmem_num_runs(mem), 2);
	cr_expect_eq(physmem_captured_pages(mem), 2);
	cr_expect_eq(physmem_read(mem, 0x1700, buf, sizeof(buf)), sizeof(buf));
	cr_expect_arr_eq(buf, content + 0x700, 0x100);
	cr_expect_arr_eq(buf + 0x100, content + 0x3000, 0x100);
	cr_assert(physmem_view(mem, 0x1900, &view, NULL));
	cr_expect_eq(view.begin, 0x800);
	cr_expect_eq(view.end, 0x1000);
	page_release(&view);
	physmem_count_pages(mem);
	physmem_read(mem, 0x1000, buf, sizeof(buf));
	physmem_read(mem, 0x1800, buf, sizeof(buf));
	cr_expect_eq(physmem_pages_touched(mem), 1, "both runs are in one page");
	physmem_read(mem, 0x2000, buf, sizeof(buf));
	physmem_read(mem, 0x2001, buf, sizeof(buf));
	cr_expect_eq(physmem_pages_touched(mem), 2);
}

Test(physmem, neighbours_merge_when_they_continue_in_the_file)
{
	add(0x3000, PAGE_SIZE, 0x2000);
	add(0x1000, PAGE_SIZE, 0x0);
	add(0x2000, PAGE_SIZE, 0x1000);
	add(0x4000, PAGE_SIZE, 0x7000);
	seal();
	cr_expect_eq(physmem_num_runs(mem), 2);
	cr_expect_eq(physmem_captured_bytes(mem), 4 * PAGE_SIZE);
	cr_expect_eq(physmem_overlap_bytes(mem), 0);
}

/* The byte at pa is the one at offset in the file. */
static void expect_at(uint64_t pa, uint64_t offset)
{
	uint64_t found = 0;

	cr_assert(physmem_file_offset(mem, pa, &found), "0x%lx is absent", (long)pa);
	cr_expect_eq(found, offset, "0x%lx: expected 0x%lx, found 0x%lx", (long)pa, (long)offset,
		     (long)found);
}

Test(physmem, the_run_added_first_wins)
{
	add(0x2000, 0x1000, 0x7000); /* in the middle of the next */
	add(0x1000, 0x4000, 0x0);
	add(0x0800, 0x1000, 0x6000); /* its end is taken */
	add(0x2000, 0x1000, 0x5000); /* wholly taken */
	seal();
	expect_at(0x0800, 0x6000);
	expect_at(0x0fff, 0x67ff);
	expect_at(0x1000, 0x0000);
	expect_at(0x1fff, 0x0fff);
	expect_at(0x2000, 0x7000);
	expect_at(0x2fff, 0x7fff);
	expect_at(0x3000, 0x2000);
	expect_at(0x4fff, 0x3fff);
	cr_expect_eq(physmem_captured_bytes(mem), 0x4800);
	cr_expect_eq(physmem_overlap_bytes(mem), 0x1000 + 0x800 + 0x1000);
	cr_expect_eq(physmem_num_runs(mem), 4);
}

/* Every small arrangement of three runs against a byte map. */
Test(physmem, overlaps_agree_with_a_byte_map)
{
	uint32_t state = 1;

	for (int round = 0; round < 3000; round++) {
		uint64_t expected[64], covered = 0, total = 0, found;

		memset(expected, 0xff, sizeof(expected));
		physmem_destroy(mem);
		cr_assert_null(physmem_create(&mem));
		for (unsigned run = 0; run < 6; run++) {
			uint64_t start, length;

			state = state * 1664525 + 1013904223;
			start = state >> 8 & 31;
			length = state >> 16 & 31;
			add(start, length, run * 100);
			total += length;
			for (uint64_t i = 0; i < length; i++) {
				if (expected[start + i] == UINT64_MAX)
					expected[start + i] = run * 100 + i;
			}
		}
		seal();
		for (uint64_t pa = 0; pa < 64; pa++) {
			bool there = physmem_file_offset(mem, pa, &found);

			cr_assert_eq(there, expected[pa] != UINT64_MAX);
			cr_assert(!there || found == expected[pa]);
			covered += there;
		}
		cr_assert_eq(physmem_captured_bytes(mem), covered);
		cr_assert_eq(physmem_overlap_bytes(mem), total - covered);
	}
}

Test(physmem, many_runs_on_one_spot_are_not_slow)
{
	for (unsigned i = 0; i < 100000; i++)
		add(i % 7, PAGE_SIZE, i % 4096);
	seal();
	cr_expect_eq(physmem_captured_bytes(mem), PAGE_SIZE + 6);
}

Test(physmem, next_clips_and_merges)
{
	struct mem_range range;

	add(0x1000, 0x1000, 0x0);
	add(0x2000, 0x1000, 0x5000);
	add(0x8000, 0x1000, 0x2000);
	seal();
	cr_assert(physmem_next(mem, 0, false, &range));
	cr_expect_eq(range.start, 0x1000);
	cr_expect_eq(range.end, 0x3000);
	cr_assert(physmem_next(mem, 0x2345, false, &range));
	cr_expect_eq(range.start, 0x2345);
	cr_expect_eq(range.end, 0x3000);
	cr_assert(physmem_next(mem, 0x3000, false, &range));
	cr_expect_eq(range.start, 0x8000);
	cr_expect_not(physmem_next(mem, 0x9000, false, &range));
	cr_expect_not(physmem_next(mem, UINT64_MAX, false, &range));
}

/* A source of pages 16-17 and 20, each filled with its frame number. */
static uint8_t source_pages[2][PAGE_SIZE];
static int destroyed, pinned;

static bool source_has(uint64_t gfn)
{
	return gfn == 16 || gfn == 17 || gfn == 20;
}

static struct error *source_page(void *arg, uint64_t gfn, const uint8_t **ret, void **pin)
{
	uint8_t *page = source_pages[gfn & 1];

	(void)arg;
	if (gfn == 21)
		return error_new(ERROR_CORRUPT, "page 21 is damaged");
	memset(page, (int)gfn, PAGE_SIZE);
	*ret = source_has(gfn) ? page : NULL;
	*pin = page;
	pinned += source_has(gfn);
	return NULL;
}

static void source_release(void *arg, void *pin)
{
	(void)arg;
	cr_assert_not_null(pin);
	pinned--;
}

static bool source_next(void *arg, uint64_t gfn, uint64_t *first, uint64_t *last)
{
	(void)arg;
	if (gfn > 20)
		return false;
	*first = gfn > 17 ? 20 : gfn > 16 ? gfn : 16;
	*last = gfn > 17 ? 20 : 17;
	return true;
}

static void source_destroy(void *arg)
{
	(void)arg;
	destroyed++;
}

static const struct page_source_ops source_ops = {
	.page = source_page,
	.release = source_release,
	.next = source_next,
	.destroy = source_destroy,
};

Test(physmem, sources_find_their_own_pages)
{
	struct error *err = physmem_add_source(mem, 16, 8, &source_ops, NULL);
	struct page_view view;
	struct mem_range range;
	uint64_t offset;
	uint8_t buf[2 * PAGE_SIZE + 1];

	cr_assert_null(err);
	add(0x15800, 0x100, 0); /* in a page of the source: the source was first */
	add(0x18000, 0x100, 0);
	seal();
	cr_expect_eq(physmem_captured_pages(mem), 4);
	cr_expect_eq(physmem_captured_bytes(mem), 3 * PAGE_SIZE + 0x100);
	cr_expect_eq(physmem_read(mem, 0x10000, buf, sizeof(buf)), 2 * PAGE_SIZE);
	cr_expect_eq(buf[0], 16);
	cr_expect_eq(buf[PAGE_SIZE], 17);
	cr_expect_eq(pinned, 0);
	cr_expect_not(physmem_view(mem, 0x12000, &view, &err));
	cr_expect_null(err);
	cr_expect_not(physmem_view(mem, 0x15800, &view, &err));
	expect_error(err, ERROR_CORRUPT, "page 21");
	cr_assert(physmem_next(mem, 0, true, &range));
	cr_expect_eq(range.start, 0x10000);
	cr_expect_eq(range.end, 0x12000);
	cr_assert(physmem_next(mem, range.end, true, &range));
	cr_expect_eq(range.start, 0x14000);
	cr_expect_eq(range.end, 0x15000);
	cr_assert(physmem_next(mem, range.end, false, &range));
	cr_expect_eq(range.start, 0x18000);
	cr_expect_not(physmem_file_offset(mem, 0x10000, &offset));
	physmem_count_pages(mem);
	physmem_read(mem, 0x10010, buf, 0x1000);
	cr_expect_eq(physmem_pages_touched(mem), 2);
	physmem_destroy(take_ptr(mem));
	cr_expect_eq(destroyed, 1);
}

Test(physmem, a_refused_source_is_destroyed)
{
	expect_error(physmem_add_source(mem, PHYSMEM_MAX_END >> PAGE_SHIFT, 1, &source_ops, NULL),
		     ERROR_CORRUPT, "page frame");
	expect_error(physmem_add_source(mem, 1, UINT64_MAX, &source_ops, NULL), ERROR_CORRUPT,
		     "page frame");
	cr_expect_eq(destroyed, 2);
}

/* A file system without holes gives everything, which is right too. */
Test(physmem, holes_can_be_left_out)
{
	char path[] = "/tmp/test_physmem.XXXXXX";
	int fd = mkstemp(path);
	struct file sparse;
	struct mem_range range;
	uint64_t total = 0, pa = 0, size = 64 << 20;

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)size), 0);
	cr_assert_eq(pwrite(fd, content, PAGE_SIZE, 32 << 20), PAGE_SIZE);
	close(fd);
	cr_assert_null(file_open(&sparse, path));
	cr_assert_null(physmem_add_file(mem, 0x100000, size - 0x10, &sparse, 0x10));
	seal();
	cr_assert(physmem_next(mem, 0, false, &range));
	cr_expect_eq(range.end - range.start, size - 0x10);
	for (; physmem_next(mem, pa, true, &range); pa = range.end) {
		cr_assert(range.start >= pa && range.start < range.end);
		cr_assert_eq(range.start & PAGE_MASK, 0);
		total += range.end - range.start;
	}
	cr_expect_geq(total, PAGE_SIZE);
	cr_expect_leq(total, size);
	file_close(&sparse);
	unlink(path);
}
