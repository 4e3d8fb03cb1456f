/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "crashdump_fake.h"

static struct fake f;

static void expect_pages(uint64_t count)
{
	fake_expect_open(&f);
	cr_expect_eq(physmem_captured_pages(f.mem), count);
	cr_expect(fake_has_page(&f, 1));
	cr_expect(!fake_has_page(&f, 0) && !fake_has_page(&f, 3));
}

Test(crashdump_rdmp, every_type)
{
	static const char *const subtypes[] = { "rdmp-kernel", "rdmp-kernel-user",
						"rdmp-complete" };

	for (unsigned i = 0; i < 3; i++) {
		fake_rdmp(&f, 8 + i);
		expect_pages(3);
		cr_expect(fake_has_page(&f, 2) && fake_has_page(&f, 5));
		cr_expect_str_eq(f.info.subtype, subtypes[i]);
		cr_expect_str_empty(f.messages);
		fake_close(&f);
	}
}

Test(crashdump_rdmp, cut_at_every_length)
{
	for (uint32_t type = 8; type <= 10; type++) {
		fake_rdmp(&f, type);
		const size_t whole = f.size, first_page = 0x2060;
		for (f.size = FAKE_HEADER; f.size < whole; f.size += f.size < 0x2070 ? 1 : 61) {
			struct error *err = fake_open(&f);
			if (f.size <= first_page) {
				cr_assert_not_null(err);
				cr_expect_eq(error_code(err), ERROR_CORRUPT);
			} else {
				cr_assert_null(err, "%s", error_message(err));
				cr_expect_eq(f.diag.partial, 1);
				cr_expect_eq(physmem_captured_bytes(f.mem), f.size - first_page);
			}
			error_destroy(err);
			fake_close(&f);
		}
	}
}

Test(crashdump_rdmp, list_fills_its_room)
{
	fake_rdmp(&f, 8);
	fake_set64(&f, 0x2050, 9); /* in place of the end */
	fake_set64(&f, 0x2058, 1);
	expect_pages(3);
	cr_expect_not_null(strstr(f.messages, "1 of 4 pages are beyond the end"), "%s", f.messages);
	fake_close(&f);
}

Test(crashdump_rdmp, bad_range_ends_the_list)
{
	fake_rdmp(&f, 9);
	fake_set64(&f, 0x2048, UINT64_MAX);
	expect_pages(2);
	cr_expect_not_null(strstr(f.messages, "0x2040: range of 0xffffffffffffffff pages"), "%s",
			   f.messages);
	fake_close(&f);
	fake_set64(&f, 0x2030, UINT64_MAX);
	fake_expect_error(&f, ERROR_CORRUPT, "0x2030: no valid range of pages");
}

Test(crashdump_rdmp, counts_of_complete_dumps)
{
	fake_rdmp(&f, 10);
	fake_set32(&f, 0x2020, 0xffffffff);
	expect_pages(3);
	cr_expect_neq(f.diag.partial, 0);
	fake_close(&f);
	fake_rdmp(&f, 10);
	fake_set32(&f, 0x2020, 1);
	expect_pages(2);
	cr_expect_not_null(strstr(f.messages, "names 3 pages in 1 ranges, its ranges are 2 pages"));
	fake_close(&f);
	fake_set32(&f, 0x2020, 0);
	fake_expect_error(&f, ERROR_CORRUPT, "no valid range");
}

Test(crashdump_rdmp, bad_headers)
{
	fake_rdmp(&f, 8);
	memcpy(f.bytes + 0x2004, "SDMP", 4);
	fake_expect_error(&f, ERROR_CORRUPT, "0x2004: expected 'RDMPDUMP', found 0x504d4453");
	fake_rdmp(&f, 8);
	fake_set64(&f, 0x2018, 0x2030);
	fake_expect_error(&f, ERROR_CORRUPT, "0x2018: first page at 0x2030");
	fake_set64(&f, 0x2018, UINT64_MAX);
	fake_expect_error(&f, ERROR_CORRUPT, "pages begin at 0xffffffffffffffff");
	fake_rdmp(&f, 8);
	fake_set64(&f, 0x2010, 0x50);
	expect_pages(3);
	cr_expect_not_null(strstr(f.messages, "note: 0x2010: RDMP metadata size 0x50"));
	fake_close(&f);
}
