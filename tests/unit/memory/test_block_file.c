/* SPDX-License-Identifier: MIT */
#include "memory/block_file.h"

#include <criterion/criterion.h>
#include <string.h>

#include "memory/physmem.h"

/* Blocks of 100 bytes filled with their number; 3 is zeros, 5 cannot be decoded. */
enum { LEN = 100, ZERO = 3, BAD = 5 };

struct fake {
	struct block_cache *cache;
	struct block_file *blocks;
	struct file file;
	unsigned decoded[256], destroyed;
};

static struct error *decode(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	struct fake *f = arg;

	f->decoded[index]++;
	if (index == BAD)
		return error_new(ERROR_CORRUPT, "block 5 is bad");
	memset(buf, (int)index, len);
	return NULL;
}

static bool is_zero(void *arg, uint64_t index)
{
	(void)arg;
	return index == ZERO;
}

static void destroy(void *arg)
{
	((struct fake *)arg)->destroyed++;
}

static const struct block_file_ops ops = { decode, is_zero, destroy };

static void create(struct fake *f, uint64_t max_bytes)
{
	*f = (struct fake){ 0 };
	cr_assert_null(block_cache_create(max_bytes, &f->cache));
	cr_assert_null(block_file_create(f->cache, &ops, f, &f->blocks));
}

static void open_blocks(struct fake *f, uint64_t count)
{
	create(f, 0);
	cr_assert_null(block_file_add(f->blocks, count, LEN));
	cr_assert_null(block_file_open(f->blocks, "blocks", &f->file));
	cr_assert_eq(f->file.size, count * LEN);
}

static void close_blocks(struct fake *f)
{
	file_close(&f->file);
	cr_expect_eq(f->destroyed, 1);
	block_cache_destroy(f->cache);
}

Test(block_file, reads_over_the_seams_of_blocks)
{
	struct fake f;
	uint8_t buf[LEN * 4];
	struct file_view view;

	open_blocks(&f, 5);
	cr_assert_null(file_read(&f.file, 50, buf, 400));
	for (size_t i = 0; i < 400; i++) {
		size_t block = (i + 50) / LEN;

		cr_assert_eq(buf[i], block == ZERO ? 0 : (uint8_t)block);
	}
	cr_assert_null(file_view(&f.file, 199, 2, &view));
	cr_expect(view.bytes[0] == 1 && view.bytes[1] == 2);
	file_view_release(&view);
	cr_expect_eq(f.decoded[1], 1);
	cr_expect_eq(f.decoded[ZERO], 0);
	close_blocks(&f);
}

Test(block_file, blocks_may_have_any_lengths)
{
	struct fake f;
	uint8_t byte;

	create(&f, 0);
	for (uint64_t i = 0; i < 200; i++)
		cr_assert_null(block_file_add(f.blocks, 1, i % 3 + 1));
	cr_assert_null(block_file_open(f.blocks, "blocks", &f.file));
	for (uint64_t i = 6, offset = 11 + 1; i < 200; offset += i % 3 + 1, i++) {
		cr_assert_null(file_read(&f.file, offset, &byte, 1));
		cr_assert_eq(byte, (uint8_t)i);
	}
	close_blocks(&f);
}

Test(block_file, a_bad_block_costs_only_itself)
{
	struct fake f;
	uint8_t buf[LEN];
	struct error *err;

	open_blocks(&f, 8);
	err = file_read(&f.file, BAD * LEN, buf, LEN);
	cr_assert_not_null(err);
	cr_expect_str_eq(error_message(err), "block 5 is bad");
	error_destroy(err);
	err = file_read(&f.file, BAD * LEN - 1, buf, 2);
	cr_expect_not_null(err);
	error_destroy(err);
	cr_expect_null(file_read(&f.file, (BAD - 1) * LEN, buf, LEN));
	cr_expect_null(file_read(&f.file, (BAD + 1) * LEN, buf, LEN));
	close_blocks(&f);
}

Test(block_file, refuses_what_is_past_its_end)
{
	struct fake f;
	uint8_t buf[LEN];
	struct file_view view;
	const uint8_t *bytes;
	struct error *err;

	open_blocks(&f, 2);
	err = file_read(&f.file, 150, buf, 51);
	cr_expect_not_null(err);
	error_destroy(err);
	err = file_view(&f.file, UINT64_MAX, 2, &view);
	cr_expect_not_null(err);
	error_destroy(err);
	err = file_bytes(&f.file, 0, UINT64_MAX, &bytes);
	cr_expect_not_null(err);
	error_destroy(err);
	close_blocks(&f);
}

Test(block_file, tables_are_kept_and_paid_for)
{
	struct fake f;
	struct block_cache_stats stats;
	const uint8_t *table, *part;

	open_blocks(&f, 5);
	cr_assert_null(file_bytes(&f.file, 90, 120, &table));
	cr_assert_null(file_bytes(&f.file, 100, 10, &part));
	cr_expect(part == table + 10);
	cr_expect(table[9] == 0 && table[10] == 1 && table[110] == 2);
	block_cache_stats(f.cache, &stats);
	cr_expect_geq(stats.reserved, 120);
	close_blocks(&f);
}

Test(block_file, a_table_that_memory_does_not_allow_is_refused)
{
	struct fake f;
	const uint8_t *table;
	struct error *err;

	create(&f, 1 << 20);
	cr_assert_null(block_file_add(f.blocks, 1 << 20, LEN));
	cr_assert_null(block_file_open(f.blocks, "blocks", &f.file));
	err = file_bytes(&f.file, 0, 2 << 20, &table);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	error_destroy(err);
	close_blocks(&f);
}

Test(block_file, an_index_that_memory_does_not_allow_is_refused)
{
	struct fake f;
	struct error *err = NULL;

	create(&f, 1 << 20);
	for (uint64_t i = 0; i < 1 << 20 && !err; i++)
		err = block_file_add(f.blocks, 1, i % 2 + 1);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	error_destroy(err);
	block_file_destroy(f.blocks);
	block_cache_destroy(f.cache);
}

Test(block_file, refuses_lengths_that_no_file_has)
{
	struct fake f;
	struct error *err;
	static const uint64_t bad[][2] = {
		{ 1, 0 },
		{ 1, BLOCK_FILE_MAX_BLOCK + UINT64_C(1) },
		{ UINT64_MAX, 2 },
		{ INT64_MAX, BLOCK_FILE_MAX_BLOCK },
	};

	create(&f, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err = block_file_add(f.blocks, bad[i][0], bad[i][1]);
		cr_assert_not_null(err);
		error_destroy(err);
	}
	block_file_destroy(f.blocks);
	cr_expect_eq(f.destroyed, 1);
	block_cache_destroy(f.cache);
}

Test(block_file, zero_blocks_are_holes)
{
	struct fake f;
	uint64_t start, end;

	open_blocks(&f, 6);
	cr_assert(file_next_data(&f.file, 0, &start, &end));
	cr_expect(start == 0 && end == ZERO * LEN);
	cr_assert(file_next_data(&f.file, end, &start, &end));
	cr_expect(start == (ZERO + 1) * LEN && end == 6 * LEN);
	cr_expect_not(file_next_data(&f.file, end, &start, &end));
	close_blocks(&f);
}

Test(block_file, is_memory_with_damage_that_can_be_told)
{
	enum { PAGES = 4 };
	struct fake f;
	struct physmem *mem;
	struct page_view view;
	struct error *err;
	uint64_t pages;

	create(&f, 0);
	cr_assert_null(block_file_add(f.blocks, 8, PAGE_SIZE));
	cr_assert_null(block_file_open(f.blocks, "blocks", &f.file));
	cr_assert_null(physmem_create(&mem));
	cr_assert_null(physmem_add_file(mem, 0x10000, 8 * PAGE_SIZE, &f.file, 0));
	cr_assert_null(physmem_seal(mem));
	cr_expect_null(physmem_damage(mem, &pages));
	cr_assert(physmem_view(mem, 0x12000, &view, NULL));
	cr_expect_eq(view.bytes[0], 2);
	page_release(&view);
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_not(physmem_view(mem, 0x10000 + BAD * PAGE_SIZE + 8, &view, &err));
		cr_assert_not_null(err);
		error_destroy(err);
	}
	err = physmem_damage(mem, &pages);
	cr_assert_not_null(err);
	cr_expect_str_eq(error_message(err), "block 5 is bad");
	cr_expect_eq(pages, 1);
	error_destroy(err);
	physmem_destroy(mem);
	close_blocks(&f);
}
