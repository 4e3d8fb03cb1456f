/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "crashdump_fake.h"

static struct fake f;

static void expect_all_pages(void)
{
	cr_expect_eq(physmem_captured_pages(f.mem), 4);
	cr_expect(fake_has_page(&f, 1) && fake_has_page(&f, 2));
	cr_expect(fake_has_page(&f, 600) && fake_has_page(&f, 1599));
	cr_expect(!fake_has_page(&f, 0) && !fake_has_page(&f, 3) && !fake_has_page(&f, 599));
	cr_expect(!fake_has_page(&f, 1600));
	cr_expect_eq(physmem_end(f.mem), 1600 * PAGE_SIZE);
}

Test(crashdump_bitmap, every_type)
{
	static const struct {
		uint32_t type;
		const char *subtype;
	} rows[] = {
		{ 2, "kernel-summary" }, { 5, "bitmap" }, { 6, "bitmap-kernel" }, { 7, "automatic" }
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_bitmap(&f, rows[i].type);
		fake_expect_open(&f);
		cr_expect_str_eq(f.info.subtype, rows[i].subtype);
		expect_all_pages();
		cr_expect_str_empty(f.messages);
		fake_close(&f);
	}
}

Test(crashdump_bitmap, summary_before_windows_8)
{
	fake_summary(&f);
	fake_expect_open(&f);
	expect_all_pages();
	cr_expect_str_empty(f.messages);
	fake_close(&f);
}

Test(crashdump_bitmap, file_offsets_and_ranges)
{
	static const struct mem_range ranges[] = { { 0x1000, 0x3000 },
						   { 600 << 12, 601 << 12 },
						   { 1599 << 12, 1600 << 12 } };
	struct mem_range range;
	uint64_t offset, pa = 0;

	fake_bitmap(&f, 5);
	fake_expect_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		cr_assert(physmem_next(f.mem, pa, false, &range));
		cr_expect(range.start == ranges[i].start && range.end == ranges[i].end);
		pa = range.end;
	}
	cr_expect(!physmem_next(f.mem, pa, false, &range));
	cr_assert(physmem_file_offset(f.mem, (600 << 12) + 5, &offset));
	cr_expect_eq(offset, 0x2100 + 2 * PAGE_SIZE + 5);
	cr_expect(!physmem_file_offset(f.mem, 599 << 12, &offset));
	fake_close(&f);
}

/* Ranks over many blocks, with words and blocks that are full, empty and half. */
Test(crashdump_bitmap, ranks_of_a_dense_bitmap)
{
	enum { BITS = 8192, FIRST_PAGE = 0x2038 + BITS / 8 };
	uint64_t rank = 0;

	fake_header(&f, 5);
	memcpy(f.bytes + 0x2000, "FDMPDUMP", 8);
	fake_set64(&f, 0x2020, FIRST_PAGE);
	fake_set64(&f, 0x2030, BITS);
	for (unsigned i = 0; i < BITS / 8; i++)
		f.bytes[0x2038 + i] = (uint8_t)(i < 100 ? 0 : i < 120 ? 0xff : i % 97 ? 0 : 0x11);
	f.size = FAKE_MAX;
	fake_expect_open(&f);
	uint64_t room = (FAKE_MAX - FIRST_PAGE) >> PAGE_SHIFT;
	for (unsigned gfn = 0; gfn < BITS; gfn++) {
		bool there = f.bytes[0x2038 + gfn / 8] >> gfn % 8 & 1;
		uint64_t offset;
		cr_assert_eq(physmem_file_offset(f.mem, (uint64_t)gfn << PAGE_SHIFT, &offset),
			     there && rank < room, "%u", gfn);
		if (there && rank < room)
			cr_assert_eq(offset, FIRST_PAGE + (rank << PAGE_SHIFT), "%u", gfn);
		rank += there;
	}
	cr_expect_eq(physmem_captured_pages(f.mem), room);
	fake_close(&f);
}

Test(crashdump_bitmap, cut_at_every_length)
{
	fake_bitmap(&f, 6);
	const size_t whole = f.size, first_page = 0x2100;
	for (f.size = FAKE_HEADER; f.size < whole; f.size += f.size < first_page ? 1 : 61) {
		struct error *err = fake_open(&f);
		if (f.size < first_page + PAGE_SIZE) {
			cr_assert_not_null(err, "%zx", f.size);
			cr_expect_eq(error_code(err), ERROR_CORRUPT);
			cr_expect_not_null(strstr(error_message(err), "truncated"), "%s",
					   error_message(err));
		} else {
			cr_assert_null(err, "%s", error_message(err));
			cr_expect_eq(f.diag.partial, 1, "%zx: %s", f.size, f.messages);
			cr_expect_eq(physmem_captured_pages(f.mem),
				     (f.size - first_page) / PAGE_SIZE);
			cr_expect(fake_has_page(&f, 1) && !fake_has_page(&f, 1599));
		}
		error_destroy(err);
		fake_close(&f);
	}
}

Test(crashdump_bitmap, wrong_total)
{
	fake_bitmap(&f, 5);
	fake_set64(&f, 0x2028, 5);
	fake_expect_open(&f);
	expect_all_pages();
	cr_expect_str_eq(f.messages, "crash dump header names 5 pages, its bitmap 4\n");
	fake_close(&f);
}

Test(crashdump_bitmap, too_many_bits)
{
	fake_bitmap(&f, 5);
	fake_set64(&f, 0x2030, UINT64_MAX);
	fake_expect_open(&f);
	expect_all_pages();
	cr_expect_not_null(strstr(f.messages, "0x2030: bitmap of 18446744073709551615 bits, "
					      "there is room for 1600"),
			   "%s", f.messages);
	fake_close(&f);
}

Test(crashdump_bitmap, bad_headers)
{
	fake_bitmap(&f, 5);
	memcpy(f.bytes + 0x2000, "XDMPDUMP", 8);
	fake_expect_error(&f, ERROR_CORRUPT,
			  "0x2000: expected 'SDMPDUMP' or 'FDMPDUMP', found 0x504d4458");
	fake_bitmap(&f, 5);
	fake_set64(&f, 0x2020, 0x2038);
	fake_expect_error(&f, ERROR_CORRUPT, "0x2020: first page at 0x2038");
	fake_set64(&f, 0x2020, UINT64_MAX);
	fake_expect_error(&f, ERROR_CORRUPT, "names 4 pages from 0xffffffffffffffff on");
	fake_bitmap(&f, 5);
	fake_set64(&f, 0x2030, 0);
	fake_expect_error(&f, ERROR_CORRUPT, "bitmap of 0 pages without a single one");
	fake_bitmap(&f, 5);
	memset(f.bytes + 0x2038, 0, 200);
	fake_expect_error(&f, ERROR_CORRUPT, "bitmap of 1600 pages without a single one");
}
