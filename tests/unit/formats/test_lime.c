/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <zlib.h>

#include "base/cursor.h"
#include "capture_check.h"
#include "decoded_capture.h"

enum { HEADER_SIZE = 32 };

static struct capture c;

static void add_header(uint64_t start, uint64_t last)
{
	uint8_t *p = capture_add(&c, HEADER_SIZE);

	memcpy(p, "EMiL", 4);
	store_u32(p + 4, 1);
	store_u64(p + 8, start);
	store_u64(p + 16, last);
}

static void add_range(uint64_t start, size_t len, int value)
{
	add_header(start, start + len - 1);
	memset(capture_add(&c, len), value, len);
}

/* Two pages at 1 MiB, one at 4 MiB. */
static void build(void)
{
	add_range(0x100000, 0x2000, 0x11);
	add_range(0x400000, 0x1000, 0x22);
}

static void done(void)
{
	capture_deinit(&c);
}

TestSuite(lime, .init = build, .fini = done);

Test(lime, ranges_are_memory_at_their_addresses)
{
	struct page_view view;

	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->format->name, "lime");
	cr_expect_str_eq(c.snapshot->info.format, "lime");
	cr_expect_str_eq(c.snapshot->info.machine, "amd64");
	cr_expect_eq(c.snapshot->info.num_cpus, 0);
	capture_expect_absent(&c, 0xfffff);
	capture_expect_byte(&c, 0x100000, 0x11);
	capture_expect_byte(&c, 0x101fff, 0x11);
	capture_expect_absent(&c, 0x102000);
	capture_expect_byte(&c, 0x400000, 0x22);
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 3);
	cr_expect_eq(c.diag.partial + c.diag.notes, 0);
	cr_assert(physmem_view(c.snapshot->mem, 0x101000, &view, NULL));
	cr_expect_eq(view.bytes, c.snapshot->file.bytes + HEADER_SIZE + 0x1000, "no copy is made");
	page_release(&view);
}

Test(lime, ranges_need_no_page_bounds)
{
	add_range(0x9fc00, 0x300, 0x33);
	capture_open_ok(&c);
	capture_expect_absent(&c, 0x9fbff);
	capture_expect_byte(&c, 0x9fc00, 0x33);
	capture_expect_byte(&c, 0x9feff, 0x33);
	capture_expect_absent(&c, 0x9ff00);
	cr_expect_eq(c.diag.partial, 0);
}

Test(lime, where_ranges_overlap_the_first_one_counts)
{
	add_range(0x101000, 0x2000, 0x44);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x101000, 0x11);
	capture_expect_byte(&c, 0x102000, 0x44);
	cr_expect_eq(physmem_overlap_bytes(c.snapshot->mem), 0x1000);
}

Test(lime, a_range_that_the_file_cuts_keeps_what_is_there)
{
	add_range(0x800000, 0x3000, 0x33);
	c.size -= 0x1800;
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x8017ff, 0x33);
	capture_expect_absent(&c, 0x801800);
	capture_expect_said(&c, 1, "expected 0x3000 bytes, the file has 0x1800 of them");
}

Test(lime, every_length_of_the_file_opens_or_says_why)
{
	for (size_t cut = 0; c.size; cut += cut < 80 || c.size < 80 ? 1 : 509) {
		struct error *err;

		c.size = c.size > cut ? c.size - cut : 0;
		err = capture_open(&c, "lime", 0);
		if (err) {
			cr_expect_eq(error_code(err), ERROR_CORRUPT, "%s", error_message(err));
			error_destroy(err);
		} else {
			cr_expect(c.size > HEADER_SIZE);
		}
	}
}

Test(lime, an_empty_range_is_nothing)
{
	add_header(0x500000, 0x4fffff);
	add_range(0x600000, 0x1000, 0x66);
	capture_open_ok(&c);
	capture_expect_absent(&c, 0x500000);
	capture_expect_byte(&c, 0x600000, 0x66);
	cr_expect_eq(c.diag.partial, 0, "%s", c.said);
}

Test(lime, a_range_whose_bytes_were_left_out_is_absent)
{
	add_header(0x500000, 0x50ffff);
	add_range(0x600000, 0x1000, 0x66);
	capture_open_ok(&c);
	capture_expect_absent(&c, 0x500000);
	capture_expect_byte(&c, 0x600000, 0x66);
	capture_expect_said(&c, 1, "expected 0x10000 bytes, the file has 0x0 of them");
}

Test(lime, a_damaged_header_costs_its_range_alone)
{
	size_t damaged = c.size;

	add_range(0x500000, 0x1000, 0x55);
	memcpy(c.bytes + damaged + HEADER_SIZE + 0x10, "EMiL\1\0\0\0", 8); /* no header */
	add_range(0x600000, 0x1000, 0x66);
	add_range(0x700000, 0x1000, 0x77);
	c.bytes[damaged] = 'X';
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x400fff, 0x22);
	capture_expect_absent(&c, 0x500000);
	capture_expect_byte(&c, 0x600000, 0x66);
	capture_expect_byte(&c, 0x700000, 0x77);
	capture_expect_said(&c, 1, "0x1020 bytes of the file were passed over");
	cr_expect_not_null(strstr(c.said, "at file offset 0x3040, found 0x4c694d58"), "%s", c.said);
}

Test(lime, a_range_that_ends_before_it_starts_is_damage)
{
	size_t damaged = c.size;

	add_range(0x500000, 0x1000, 0x55);
	add_range(0x600000, 0x1000, 0x66);
	store_u64(c.bytes + damaged + 16, 0x100);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x600000, 0x66);
	capture_expect_said(&c, 1, "expected its last address at or above 0x500000, found 0x100");
}

Test(lime, an_address_that_no_machine_has_does_not_hide_what_follows)
{
	size_t damaged;

	add_range(UINT64_MAX / 2 + 1, 0x1000, 0x44);
	damaged = c.size;
	add_range(0x500000, 0x1000, 0x55);
	add_range(0x600000, 0x1000, 0x66);
	c.bytes[damaged] = 'X';
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x600000, 0x66);
	cr_expect_eq(c.diag.partial, 2, "%s", c.said);
}

Test(lime, zeros_after_the_last_range_are_no_loss)
{
	capture_add(&c, 5000);
	capture_open_ok(&c);
	capture_expect_said(&c, 0, "0x1388 zero bytes after the last range, at file offset 0x3040");
	c.bytes[c.size - 1] = 1;
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "lost to the end of the file");
}

/* What cannot be decoded hides no header beside it. */
Test(lime, a_block_that_cannot_be_decoded_costs_its_range_alone)
{
	struct decoded decoded;
	size_t damaged;

	add_range(0x480000, PROBE_HEAD_SIZE, 0x44);
	damaged = c.size;
	add_range(0x500000, 0x4000, 0x55);
	add_range(0x600000, 0x2000, 0x66);
	decoded_open(&decoded, &c, damaged);
	capture_expect_byte(&c, 0x400000, 0x22);
	capture_expect_absent(&c, 0x500000);
	capture_expect_byte(&c, 0x600000, 0x66);
	capture_expect_byte(&c, 0x601fff, 0x66);
	capture_expect_said(&c, 1, "0x4020 bytes of the file were passed over");
	decoded_close(&decoded, &c);
}

Test(lime, what_cannot_be_decoded_is_not_taken_for_zeros)
{
	struct decoded decoded;

	add_range(0x480000, PROBE_HEAD_SIZE, 0x44);
	capture_add(&c, 0x3000);
	decoded_open(&decoded, &c, c.size - 0x1000);
	capture_expect_byte(&c, 0x400000, 0x22);
	capture_expect_said(&c, 1, "lost to the end of the file");
	decoded_close(&decoded, &c);
}

Test(lime, addresses_that_no_machine_has_are_left_out)
{
	add_range(PHYSMEM_MAX_END - 0x1000, 0x2000, 0x33);
	add_range(UINT64_MAX - 0xfff, 0x1000, 0x44);
	add_range(0x900000, 0x1000, 0x55);
	capture_open_ok(&c);
	capture_expect_byte(&c, PHYSMEM_MAX_END - 1, 0x33);
	capture_expect_byte(&c, 0x900000, 0x55);
	capture_expect_said(&c, 2, "0x1000 bytes have physical addresses of 0x10000000000000");
}

Test(lime, a_length_of_all_of_memory_is_bounded_by_the_file)
{
	store_u64(c.bytes + 8, 0);
	store_u64(c.bytes + 16, UINT64_MAX - 1);
	capture_open_ok(&c);
	cr_expect_eq(physmem_captured_bytes(c.snapshot->mem), c.size - HEADER_SIZE);
	cr_expect_eq(c.diag.partial, 2, "%s", c.said);
	store_u64(c.bytes + 16, UINT64_MAX); /* 2^64 bytes */
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected its last address");
}

Test(lime, other_versions_are_refused_by_name)
{
	store_u32(c.bytes + 4, 2);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED,
			       "LiME version 2 at file offset 0x0: expected version 1");
}

/* As the module does with compress=1. */
static void deflate_all(void)
{
	size_t room = c.size + 1024;
	uint8_t *packed = malloc(room);
	z_stream z = {
		.next_in = c.bytes,
		.avail_in = (uInt)c.size,
		.next_out = packed,
		.avail_out = (uInt)room,
	};

	cr_assert_eq(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 11, 5, 0), Z_OK);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	c.size = 0;
	capture_put(&c, packed, z.total_out);
	deflateEnd(&z);
	free(packed);
}

Test(lime, compressed_files_are_read)
{
	add_range(0x800000, 0x40000, 0x33);
	for (size_t i = c.size - 0x40000; i < c.size; i++)
		c.bytes[i] = (uint8_t)(i * i >> 7);
	c.bytes[c.size - 1] = 0x77;
	deflate_all();
	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->info.format, "lime");
	capture_expect_byte(&c, 0x101fff, 0x11);
	capture_expect_byte(&c, 0x400000, 0x22);
	capture_expect_byte(&c, 0x83ffff, 0x77);
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 0x43);
	cr_expect_eq(c.diag.partial, 0, "%s", c.said);
	c.size -= 0x100;
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x400000, 0x22);
	capture_expect_absent(&c, 0x83ffff);
	cr_expect_geq(c.diag.partial, 1);
}

Test(lime, a_deflated_file_of_something_else_is_raw_memory)
{
	c.bytes[0] = 'X';
	deflate_all();
	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->info.format, "raw");
}

Test(lime, a_file_of_headers_alone_has_no_memory)
{
	c.size = 0;
	for (unsigned i = 0; i < 100; i++)
		add_header(0x1000, 0xfff);
	capture_expect_refusal(&c, ERROR_CORRUPT, "no memory");
}
