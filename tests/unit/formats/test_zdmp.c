/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <zlib.h>

#include "base/cursor.h"
#include "capture_check.h"

/* What is in it is raw memory here: the container does not ask. */
enum { BLOCK = 0x10000, CHUNK = 4096, FIRST_BLOCK = 0x1000 };

static struct capture c;

static void add_header(uint64_t size, uint32_t block_size)
{
	uint8_t *p = capture_add(&c, FIRST_BLOCK);

	memcpy(p, "ZDMP", 4);
	store_u32(p + 4, 0x100);
	store_u64(p + 8, size);
	store_u32(p + 16, block_size);
	store_u16(p + 20, 1);
	store_u16(p + 22, 2);
}

static size_t add_block(const void *bytes, size_t len)
{
	size_t at = c.size;
	uint8_t *p = capture_add(&c, 12);

	memcpy(p, "ZBLK", 4);
	store_u32(p + 4, (uint32_t)len);
	store_u32(p + 8, (uint32_t)crc32_z(0, bytes, len));
	capture_put(&c, bytes, len);
	return at;
}

/* Chunks of one value each: a byte and its copies. */
static size_t add_packed(int value, size_t len)
{
	uint8_t packed[BLOCK / CHUNK * 6], *p = packed;

	for (size_t i = 0; i < len; i += CHUNK, p += 6) {
		memcpy(p, "\x03\xb0\x02?\xfc\x0f", 6);
		p[3] = (uint8_t)value;
	}
	return add_block(packed, (size_t)(p - packed));
}

static size_t add_stored(int value)
{
	static uint8_t block[BLOCK];

	memset(block, value, sizeof(block));
	return add_block(block, sizeof(block));
}

/* Three blocks, the last one shorter. */
static size_t blocks[3];

static void build(void)
{
	add_header(2 * BLOCK + 3 * CHUNK, BLOCK);
	blocks[0] = add_packed(1, BLOCK);
	blocks[1] = add_stored(2);
	blocks[2] = add_packed(3, 3 * CHUNK);
}

static void done(void)
{
	capture_deinit(&c);
}

TestSuite(zdmp, .init = build, .fini = done);

Test(zdmp, blocks_are_the_dump)
{
	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->info.format, "raw");
	cr_expect_eq(c.snapshot->file.size, 2 * BLOCK + 3 * CHUNK);
	capture_expect_byte(&c, 0, 1);
	capture_expect_byte(&c, BLOCK - 1, 1);
	capture_expect_byte(&c, BLOCK, 2);
	capture_expect_byte(&c, 2 * BLOCK, 3);
	capture_expect_byte(&c, 2 * BLOCK + 3 * CHUNK - 1, 3);
	cr_expect_eq(c.diag.partial, 0, "%s", c.said);
}

Test(zdmp, a_wrong_sum_costs_its_block_alone)
{
	c.bytes[blocks[1] + 8] ^= 1;
	capture_open_ok(&c);
	capture_expect_byte(&c, BLOCK - 1, 1);
	capture_expect_damage(&c, BLOCK, "expected the CRC-32 0x");
	capture_expect_byte(&c, 2 * BLOCK, 3);
}

Test(zdmp, a_block_that_decodes_to_less_is_damage)
{
	c.size = 0;
	add_header(3 * BLOCK, BLOCK);
	add_packed(1, BLOCK);
	add_packed(2, CHUNK);
	add_packed(3, BLOCK);
	capture_open_ok(&c);
	capture_expect_byte(&c, BLOCK - 1, 1);
	capture_expect_damage(&c, BLOCK, "expected 65536 decoded, found 4096");
	capture_expect_byte(&c, 2 * BLOCK, 3);
}

Test(zdmp, what_is_before_damage_is_read)
{
	c.bytes[blocks[1]] = 'X';
	capture_open_ok(&c);
	capture_expect_byte(&c, BLOCK - 1, 1);
	capture_expect_absent(&c, BLOCK);
	capture_expect_said(&c, 1, "0x13000 of 0x23000 bytes are lost");
	c.bytes[blocks[1]] = 'Z';
	store_u32(c.bytes + blocks[1] + 4, BLOCK + 1);
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "expected a block ('ZBLK') of at most 0x10000 bytes");
	c.bytes[blocks[0]] = 'X';
	capture_expect_refusal(&c, ERROR_CORRUPT, "zdmp: expected a block");
}

Test(zdmp, every_length_of_the_file_opens_or_says_why)
{
	while (c.size > 4) {
		struct error *err;

		c.size -= c.size > blocks[2] || c.size < blocks[1] + 64 ? 1 : 97;
		err = capture_open(&c, NULL, 0);
		cr_expect(err || c.diag.partial == 1, "%zu", c.size);
		cr_expect(!err || c.size < blocks[1] || error_code(err) == ERROR_CORRUPT);
		error_destroy(err);
	}
}

Test(zdmp, sizes_are_bounded)
{
	store_u64(c.bytes + 8, UINT64_MAX);
	capture_expect_refusal(&c, ERROR_LIMIT, "--max-unpacked");
	store_u64(c.bytes + 8, 0);
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected blocks of 1 to");
	store_u64(c.bytes + 8, BLOCK);
	store_u32(c.bytes + 16, UINT32_MAX);
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected blocks of 1 to");
	store_u32(c.bytes + 16, 0);
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected blocks of 1 to");
}

Test(zdmp, other_ways_of_packing_are_refused_by_name)
{
	store_u16(c.bytes + 20, 2);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "blocks of kind 2, packed in way 2");
}
