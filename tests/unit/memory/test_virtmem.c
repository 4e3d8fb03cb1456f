/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "memory/virtmem.h"
#include "tests/memfile.h"

static struct file file;
static struct virtmem *mem;

static void open_all(void)
{
	static const char content[0x100] = "0123456789abcdef";

	memfile_open(&file, content, sizeof(content));
	cr_assert_null(virtmem_create(&mem));
}

static void close_all(void)
{
	virtmem_destroy(mem);
	file_close(&file);
}

TestSuite(virtmem, .init = open_all, .fini = close_all);

static void add(uint64_t va, uint64_t length, uint64_t offset)
{
	cr_assert_null(virtmem_add(mem, va, length, &file, offset));
}

Test(virtmem, blocks_are_seen_to_their_end)
{
	const uint8_t *bytes;
	uint64_t offset;
	size_t len;

	add(0xfffff80000000010, 6, 10);
	add(0xfffff80000000000, 10, 0);
	cr_assert_null(virtmem_seal(mem));
	cr_expect_eq(virtmem_num_blocks(mem), 2);
	cr_expect_eq(virtmem_captured_bytes(mem), 16);
	cr_assert(virtmem_view(mem, 0xfffff80000000003, &bytes, &len));
	cr_expect_eq(len, 7);
	cr_expect_eq(bytes[0], '3');
	cr_assert(virtmem_view(mem, 0xfffff80000000015, &bytes, &len));
	cr_expect_eq(len, 1);
	cr_expect_eq(bytes[0], 'f');
	cr_expect_not(virtmem_view(mem, 0xfffff8000000000a, &bytes, &len));
	cr_expect_not(virtmem_view(mem, 0xfffff80000000016, &bytes, &len));
	cr_assert(virtmem_file_offset(mem, 0xfffff80000000011, &offset));
	cr_expect_eq(offset, 11);
	cr_expect_not(virtmem_file_offset(mem, 0, &offset));
}

Test(virtmem, the_block_added_first_wins)
{
	const uint8_t *bytes;
	size_t len;

	add(0x1004, 4, 8);
	add(0x1000, 16, 0);
	cr_assert_null(virtmem_seal(mem));
	cr_assert(virtmem_view(mem, 0x1000, &bytes, &len));
	cr_expect_eq(len, 4);
	cr_assert(virtmem_view(mem, 0x1004, &bytes, &len));
	cr_expect_eq(len, 4);
	cr_expect_eq(bytes[0], '8');
	cr_expect_eq(virtmem_captured_bytes(mem), 16);
}

Test(virtmem, next_clips_and_merges)
{
	struct mem_range range;

	add(0x1000, 16, 0);
	add(0x1010, 16, 0);
	add(0x2000, 1, 0);
	cr_assert_null(virtmem_seal(mem));
	cr_assert(virtmem_next(mem, 0x1001, &range));
	cr_expect_eq(range.start, 0x1001);
	cr_expect_eq(range.end, 0x1020);
	cr_assert(virtmem_next(mem, range.end, &range));
	cr_expect_eq(range.start, 0x2000);
	cr_expect_not(virtmem_next(mem, range.end, &range));
}

Test(virtmem, the_top_of_the_space_fits)
{
	const uint8_t *bytes;
	struct mem_range range;
	struct error *err;
	size_t len;

	add(UINT64_MAX - 3, 4, 0);
	cr_assert_null(virtmem_seal(mem));
	cr_assert(virtmem_view(mem, UINT64_MAX, &bytes, &len));
	cr_expect_eq(len, 1);
	cr_assert(virtmem_next(mem, 0, &range));
	cr_expect_eq(range.end, UINT64_MAX);
	cr_expect_not(virtmem_next(mem, UINT64_MAX, &range));
	err = virtmem_add(mem, UINT64_MAX - 3, 5, &file, 0);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_CORRUPT);
	error_destroy(err);
}

Test(virtmem, a_block_must_lie_in_the_file)
{
	struct error *err = virtmem_add(mem, 0, 0x101, &file, 0);

	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_CORRUPT);
	cr_expect_not_null(strstr(error_message(err), "0x100 bytes"));
	error_destroy(err);
	add(0x1000, 0, 0x100);
	cr_assert_null(virtmem_seal(mem));
	cr_expect_eq(virtmem_num_blocks(mem), 0);
}
