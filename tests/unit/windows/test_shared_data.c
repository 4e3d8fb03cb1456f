/* SPDX-License-Identifier: MIT */
#include "windows/kernel/shared_data.h"

#include "fake_space.h"

static bool read_page(const uint8_t *bytes, size_t len, struct shared_data *ret)
{
	struct file file = { .fd = -1, .bytes = bytes, .size = len };
	struct virtmem *mem;
	struct space *space;
	bool ok;

	cr_assert_null(virtmem_create(&mem));
	cr_assert_null(virtmem_add(mem, KUSER_SHARED_DATA_VA, len, &file, 0));
	cr_assert_null(virtmem_seal(mem));
	cr_assert_null(space_create_virtual(mem, &space));
	ok = shared_data_read(space, ret);
	space_destroy(space);
	virtmem_destroy(mem);
	return ok;
}

static void fill(uint8_t page[0x1000])
{
	store_u32(page + 0x14, 0x9ada7ccc);
	store_u32(page + 0x18, 0x01dac6d3);
	store_u32(page + 0x1c, 0x01dac6d3);
	store_u32(page + 0x260, 19041);
	store_u32(page + 0x26c, 10);
}

Test(shared_data, build_and_time)
{
	uint8_t page[0x1000] = { 0 };
	struct shared_data d;

	fill(page);
	cr_assert(read_page(page, sizeof(page), &d));
	cr_expect_eq(d.build, 19041);
	cr_expect_eq(d.system_time, UINT64_C(0x01dac6d39ada7ccc));
}

Test(shared_data, product)
{
	uint8_t page[0x1000] = { 0 };
	struct shared_data d;

	fill(page);
	store_u32(page + 0x264, 3);
	store_u32(page + 0x2d0, 0x112);
	cr_assert(read_page(page, sizeof(page), &d));
	cr_expect_eq(d.product_type, 0, "not said to be valid");
	cr_expect_eq(d.suite_mask, 0x112);
	page[0x268] = 1;
	cr_assert(read_page(page, sizeof(page), &d));
	cr_expect_eq(d.product_type, 3);
}

Test(shared_data, torn_time_is_no_time)
{
	uint8_t page[0x1000] = { 0 };
	struct shared_data d;

	fill(page);
	store_u32(page + 0x1c, 0x01dac6d4);
	cr_assert(read_page(page, sizeof(page), &d));
	cr_expect_eq(d.system_time, 0);
}

Test(shared_data, older_windows_has_no_build_here)
{
	uint8_t page[0x1000] = { 0 };
	struct shared_data d;

	fill(page);
	store_u32(page + 0x26c, 6);
	cr_assert(read_page(page, sizeof(page), &d));
	cr_expect_eq(d.build, 0);
}

Test(shared_data, cut_short_or_foreign)
{
	uint8_t page[0x1000] = { 0 };
	struct shared_data d;

	fill(page);
	cr_expect_not(read_page(page, 0x270, &d));
	store_u32(page + 0x26c, 77);
	cr_expect_not(read_page(page, sizeof(page), &d));
}
