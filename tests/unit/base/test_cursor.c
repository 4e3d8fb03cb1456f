/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

Test(cursor, values_are_little_endian)
{
	struct cursor c;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	cur_init(&c, bytes, sizeof(bytes), 0x1000);
	cr_assert(cur_u8(&c, &u8) && cur_u16(&c, &u16) && cur_u32(&c, &u32) && cur_u64(&c, &u64));
	cr_assert_eq(u8, 1);
	cr_assert_eq(u16, 0x0302);
	cr_assert_eq(u32, 0x07060504);
	cr_assert_eq(u64, UINT64_C(0x0f0e0d0c0b0a0908));
	cr_assert_eq(cur_left(&c), 0);
	cr_assert_eq(cur_offset(&c), 0x1000 + sizeof(bytes));
}

/* Every read of every width, cut at every length: whole or untouched. */
Test(cursor, a_failed_read_moves_nothing)
{
	for (size_t len = 0; len < 8; len++) {
		struct cursor c, child = { 0 };
		uint8_t u8 = 0x55, buf[8];
		uint16_t u16 = 0x5555;
		uint32_t u32 = 0x55555555;
		uint64_t u64 = 0x55;
		const uint8_t *p = bytes;

		cur_init(&c, bytes, len, 0);
		cr_assert_eq(cur_u8(&c, &u8), len >= 1);
		cr_assert(cur_seek(&c, 0));
		cr_assert_eq(cur_u16(&c, &u16), len >= 2);
		cr_assert(cur_seek(&c, 0));
		cr_assert_eq(cur_u32(&c, &u32), len >= 4);
		cr_assert(cur_seek(&c, 0));
		cr_assert(!cur_u64(&c, &u64));
		cr_assert(!cur_copy(&c, buf, 8));
		cr_assert(!cur_take(&c, len + 1, &p));
		cr_assert(!cur_sub(&c, SIZE_MAX, &child));
		cr_assert(!cur_skip(&c, SIZE_MAX));
		cr_assert(!cur_seek(&c, len + 1));
		cr_assert_eq(c.pos, 0);
		cr_assert_eq(u64, 0x55);
		cr_assert_eq(p, bytes);
		cr_assert_eq(u8, len >= 1 ? 1 : 0x55);
		cr_assert_null(child.base);
	}
}

Test(cursor, no_wrap_around_at_the_end)
{
	struct cursor c;

	cur_init(&c, bytes, sizeof(bytes), 0);
	cr_assert(cur_skip(&c, 10));
	cr_assert(!cur_skip(&c, SIZE_MAX - 4));
	cr_assert(!cur_skip(&c, SIZE_MAX));
	cr_assert_eq(c.pos, 10);
	cr_assert(cur_skip(&c, 5));
	cr_assert(cur_skip(&c, 0));
	cr_assert(!cur_skip(&c, 1));
}

Test(cursor, a_child_sees_its_part_and_no_more)
{
	struct cursor c, child;
	uint64_t u64;
	uint32_t u32;

	cur_init(&c, bytes, sizeof(bytes), 0x200);
	cr_assert(cur_skip(&c, 3));
	cr_assert(cur_sub(&c, 6, &child));
	cr_assert_eq(c.pos, 9);
	cr_assert_eq(cur_offset(&child), 0x203);
	cr_assert(!cur_u64(&child, &u64));
	cr_assert(cur_u32(&child, &u32));
	cr_assert_eq(u32, 0x07060504);
	cr_assert_eq(cur_left(&child), 2);
}

Test(cursor, empty)
{
	struct cursor c;
	uint8_t buf[1];
	const uint8_t *p;

	cur_init(&c, NULL, 0, 0);
	cr_assert(cur_copy(&c, buf, 0));
	cr_assert(cur_take(&c, 0, &p));
	cr_assert(cur_seek(&c, 0));
	cr_assert(!cur_u8(&c, buf));
}

Test(cursor, error_names_place_and_rest)
{
	struct cursor c;
	struct error *err;

	cur_init(&c, bytes, 7, 0x1000);
	cr_assert(cur_skip(&c, 4));
	err = cur_error(&c, "program header 3");
	cr_assert_eq(error_code(err), ERROR_CORRUPT);
	cr_assert_str_eq(error_message(err), "program header 3: truncated at 0x1004, 3 bytes left");
	error_destroy(err);
}

Test(cursor, loads_and_stores_at_any_alignment)
{
	uint8_t buf[16] = { 0 };

	for (size_t i = 0; i < 8; i++) {
		store_u64(buf + i, UINT64_C(0x8877665544332211));
		cr_assert_eq(buf[i], 0x11);
		cr_assert_eq(buf[i + 7], 0x88);
		cr_assert_eq(load_u64(buf + i), UINT64_C(0x8877665544332211));
		store_u32(buf + i, 0xddccbbaa);
		cr_assert_eq(load_u32(buf + i), 0xddccbbaa);
		store_u16(buf + i, 0xfeed);
		cr_assert_eq(load_u16(buf + i), 0xfeed);
		cr_assert_eq(buf[i], 0xed);
	}
}
