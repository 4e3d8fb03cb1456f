/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <zlib.h>

#include "base/cursor.h"
#include "capture_check.h"

enum { FIRST = 0x20, SECTION_SIZE = 0xe0, PAGES = 0x3000 };

static struct capture c;

static void store_section(size_t at, const char *name, uint64_t offset, uint64_t len, uint64_t next)
{
	uint8_t *p = c.bytes + at;

	strcpy((char *)p, name);
	store_u64(p + 0x98, len);
	store_u64(p + 0xa8, offset);
	store_u64(p + 0xb0, next);
}

/* Three pages of memory and one of a pagefile, in any order. */
static size_t memory, pagefile;

static void build(void)
{
	memcpy(capture_add(&c, FIRST), "HPAK", 4);
	memory = c.size;
	capture_add(&c, SECTION_SIZE);
	memset(capture_add(&c, PAGES), 7, PAGES);
	pagefile = c.size;
	capture_add(&c, SECTION_SIZE);
	memset(capture_add(&c, 0x1000), 9, 0x1000);
	store_section(memory, "HPAKSECTHPAK_SECTION_PHYSDUMP", memory + SECTION_SIZE, PAGES,
		      pagefile);
	store_section(pagefile, "HPAKSECTHPAK_SECTION_PAGEDUMP", pagefile + SECTION_SIZE, 0x1000,
		      c.size);
}

static void done(void)
{
	capture_deinit(&c);
}

TestSuite(hpak, .init = build, .fini = done);

Test(hpak, the_memory_section_is_raw_memory)
{
	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->info.format, "raw");
	cr_expect_eq(physmem_captured_bytes(c.snapshot->mem), PAGES);
	capture_expect_byte(&c, 0, 7);
	capture_expect_byte(&c, PAGES - 1, 7);
	capture_expect_said(&c, 0, "the pagefile is in it, at 0x31e0, 0x1000 bytes");
	cr_expect_eq(c.diag.notes, 1);
}

Test(hpak, memory_may_come_second)
{
	store_section(memory, "HPAKSECTHPAK_SECTION_PAGEDUMP", memory + SECTION_SIZE, PAGES,
		      pagefile);
	store_section(pagefile, "HPAKSECTHPAK_SECTION_PHYSDUMP", pagefile + SECTION_SIZE, 0x1000,
		      0);
	capture_open_ok(&c);
	cr_expect_eq(physmem_captured_bytes(c.snapshot->mem), 0x1000);
	capture_expect_byte(&c, 0, 9);
}

Test(hpak, compressed_memory_is_a_gzip_file)
{
	uint8_t packed[512], *pages = c.bytes + memory + SECTION_SIZE;
	z_stream z = {
		.next_in = pages, .avail_in = PAGES, .next_out = packed, .avail_out = sizeof(packed)
	};

	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	memcpy(pages, packed, z.total_out);
	store_section(memory, "HPAKSECTHPAK_SECTION_PHYSDUMP", memory + SECTION_SIZE, z.total_out,
		      pagefile);
	deflateEnd(&z);
	c.bytes[memory + 0x8c] = 1;
	capture_open_ok(&c);
	cr_expect_eq(physmem_captured_bytes(c.snapshot->mem), PAGES);
	capture_expect_byte(&c, PAGES - 1, 7);
}

Test(hpak, a_section_that_the_file_cuts_keeps_what_is_there)
{
	c.size = memory + SECTION_SIZE + 0x1800;
	capture_open_ok(&c);
	cr_expect_eq(physmem_captured_bytes(c.snapshot->mem), 0x1800);
	capture_expect_said(&c, 1, "expected 0x3000 bytes of memory, the file has 0x1800 of them");
}

Test(hpak, every_length_of_the_head_is_refused)
{
	for (c.size = memory + SECTION_SIZE; c.size >= 4; c.size--) {
		struct error *err = capture_open(&c, NULL, 0);

		cr_assert_not_null(err, "%zu", c.size);
		error_destroy(err);
	}
}

Test(hpak, sections_that_go_in_circles_end)
{
	store_section(memory, "HPAKSECTHPAK_SECTION_PAGEDUMP", 0, 0, pagefile);
	store_section(pagefile, "HPAKSECTHPAK_SECTION_PAGEDUMP", 0, 0, memory);
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected a section of physical memory");
}

Test(hpak, without_a_section_it_is_none)
{
	c.bytes[memory] = 'X';
	capture_open_ok(&c);
	cr_expect_eq(physmem_captured_bytes(c.snapshot->mem), c.size);
	capture_expect_said(&c, 1, "expected a section ('HPAKSECT') at 0x20");
}

Test(hpak, memory_outside_the_file_is_damage)
{
	store_section(memory, "HPAKSECTHPAK_SECTION_PHYSDUMP", UINT64_MAX - 8, 16, 0);
	capture_expect_refusal(&c, ERROR_CORRUPT, "the file ends at 0x");
	store_section(memory, "HPAKSECTHPAK_SECTION_PHYSDUMP", 0x100, 0, 0);
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected memory at 0x100");
}
