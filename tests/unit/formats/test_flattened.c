/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "elf_builder.h"
#include "formats/format.h"
#include "kdump_builder.h"
#include "memory/block_file.h"
#include "tests/memfile.h"

enum { FIRST_RECORD = 4096, MAX_SIZE = 0x80000 };

/* The stream, and beside it the dump as makedumpfile -R would write it. */
static struct {
	uint8_t bytes[MAX_SIZE], dump[MAX_SIZE];
	size_t size, dump_size;
} f;
static struct kdump_builder kdump;
static struct snapshot *snapshot;
static struct diag diag;
static char last_diag[512];

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	(void)kind;
	snprintf(last_diag, sizeof(last_diag), "%s", message);
}

static void put_big(uint64_t value)
{
	store_u64(f.bytes + f.size, __builtin_bswap64(value));
	f.size += 8;
}

static void put_record(size_t offset, const uint8_t *data, size_t size)
{
	put_big(offset);
	put_big(size);
	memcpy(f.bytes + f.size, data, size);
	f.size += size;
	memcpy(f.dump + offset, data, size);
	if (offset + size > f.dump_size)
		f.dump_size = offset + size;
}

static void put_end(void)
{
	put_big(UINT64_MAX);
	put_big(UINT64_MAX);
}

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	memcpy(f.bytes, "makedumpfile", 12);
	f.size = 16;
	put_big(1);
	put_big(1);
	f.size = FIRST_RECORD;
	kdump_begin(&kdump, 64);
	kdump_add_page(&kdump, 3, 0x11);
	kdump_add_page(&kdump, 9, 0x22);
}

static struct error *open_limited(uint64_t max_memory)
{
	const struct snapshot_options options = { .format = "flattened", .max_memory = max_memory };
	struct file file;

	memfile_open(&file, f.bytes, f.size);
	diag_init(&diag, remember, NULL);
	last_diag[0] = '\0';
	return snapshot_open_file(&file, "stream", &options, &diag, &snapshot);
}

static void open_ok(void)
{
	struct error *err = open_limited(0);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

static void expect_error(struct error *err, enum error_code code, const char *text)
{
	cr_assert_not_null(err, "expected: %s", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), text), "expected: %s\nfound: %s", text,
			   error_message(err));
	error_destroy(err);
}

/* Every byte of it, and looks at pieces over all kinds of seams. */
static void expect_dump(void)
{
	static uint8_t found[MAX_SIZE];
	const struct file *dump = snapshot->files.items[0];

	cr_assert_eq(dump->size, f.dump_size);
	cr_assert_null(file_read(dump, 0, found, f.dump_size));
	cr_expect_arr_eq(found, f.dump, f.dump_size);
	for (size_t at = 0; at + 300 < f.dump_size; at += 97) {
		struct file_view view;

		cr_assert_null(file_view(dump, at, 300, &view));
		cr_expect_arr_eq(view.bytes, f.dump + at, 300);
		file_view_release(&view);
	}
}

static void expect_byte(uint64_t pa, int value)
{
	uint8_t byte;

	cr_assert_eq(physmem_read(snapshot->mem, pa, &byte, 1), 1, "0x%lx is absent", (long)pa);
	cr_expect_eq(byte, value);
}

static void close_snapshot(void)
{
	snapshot_close(snapshot);
}

TestSuite(flattened, .init = setup, .fini = close_snapshot);

Test(flattened, a_dump_in_one_record)
{
	uint64_t offset;

	put_record(0, kdump.bytes, kdump.size);
	put_end();
	open_ok();
	expect_dump();
	cr_expect_str_eq(snapshot->format->name, "flattened");
	cr_expect_str_eq(snapshot->info.format, "kdump-compressed");
	expect_byte(0x3000, 0x11);
	expect_byte(0x9fff, 0x22);
	cr_expect_not(physmem_file_offset(snapshot->mem, 0x3000, &offset));
	cr_expect_eq(diag.partial, 0, "%s", last_diag);
}

/* What comes later is written over what was there, whatever the order of the offsets. */
Test(flattened, later_records_win)
{
	uint8_t noise[3000];

	srand(1);
	for (unsigned i = 0; i < 60; i++) {
		for (size_t j = 0; j < sizeof(noise); j++)
			noise[j] = (uint8_t)rand();
		put_record((size_t)rand() % (kdump.size - sizeof(noise)), noise,
			   (size_t)rand() % sizeof(noise));
	}
	for (size_t end = kdump.size; end; end -= end < 777 ? end : 777) {
		size_t start = end < 800 ? 0 : end - 800;

		put_record(start, kdump.bytes + start, end - start);
	}
	put_record(5, noise, 0);
	put_end();
	open_ok();
	expect_dump();
	cr_expect_arr_eq(f.dump, kdump.bytes, kdump.size);
	expect_byte(0x3000, 0x11);
	expect_byte(0x9fff, 0x22);
}

Test(flattened, what_no_record_covers_is_zeros)
{
	const struct file *dump;
	uint64_t start, end;

	put_record(0, kdump.bytes, 512);
	put_record(KDUMP_SUB, kdump.bytes + KDUMP_SUB, kdump.size - KDUMP_SUB);
	put_end();
	open_ok();
	expect_dump();
	dump = snapshot->files.items[0];
	cr_assert(file_next_data(dump, 100, &start, &end));
	cr_expect(start == 100 && end == 512);
	cr_assert(file_next_data(dump, 512, &start, &end));
	cr_expect(start == KDUMP_SUB && end == f.dump_size);
	cr_expect_not(file_next_data(dump, f.dump_size, &start, &end));
}

Test(flattened, an_elf_core)
{
	struct elf_builder *b = calloc(1, sizeof(*b));

	elf_begin(b);
	elf_add_program(b, 1, elf_put_pages(b, 0x11, 2), 0x100000, 0x2000, 0x2000);
	put_record(0x1000, b->bytes + 0x1000, b->size - 0x1000);
	put_record(0, b->bytes, 0x1000);
	put_end();
	open_ok();
	expect_dump();
	cr_expect_str_eq(snapshot->info.format, "elf-core");
	expect_byte(0x100000, 0x11);
	expect_byte(0x101fff, 0x12);
	free(b);
}

/* The last page is gone: it is absent, and so are no zeros in its place. */
Test(flattened, a_stream_that_ends_too_early)
{
	size_t page = load_u64(kdump_descriptor(&kdump, 1));

	put_record(0, kdump.bytes, page);
	put_record(page, kdump.bytes + page, kdump.size - page);
	f.size -= 100;
	open_ok();
	expect_byte(0x3000, 0x11);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 1);
	cr_expect_eq(diag.partial, 2, "the record, and the page");
}

Test(flattened, records_that_are_missing_are_not_zeros)
{
	size_t page = load_u64(kdump_descriptor(&kdump, 0));
	struct page_view view;
	struct error *err;

	put_record(0, kdump.bytes, page);
	put_record(page + KDUMP_PAGE, kdump.bytes + page + KDUMP_PAGE, KDUMP_PAGE);
	open_ok();
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(strstr(last_diag, "without an end record"), "%s", last_diag);
	expect_byte(0x9000, 0x22);
	cr_assert_not(physmem_view(snapshot->mem, 0x3000, &view, &err));
	expect_error(err, ERROR_CORRUPT, "no record has offset");
}

Test(flattened, cut_at_every_length)
{
	put_record(0, kdump.bytes, 0x5000);
	put_record(0x5000, kdump.bytes + 0x5000, kdump.size - 0x5000);
	put_end();
	for (; f.size > 0; f.size -= f.size % 64 ? f.size % 64 : 64) {
		struct error *err = open_limited(0);

		if (err) {
			error_destroy(err);
			continue;
		}
		cr_expect(diag.partial || f.size > FIRST_RECORD + kdump.size + 32);
		snapshot_close(snapshot);
	}
	snapshot = NULL;
}

/* What follows a record that cannot be one is not looked for. */
Test(flattened, records_that_are_none)
{
	static const uint64_t rows[][2] = {
		{ UINT64_MAX, 0 },
		{ 0, UINT64_MAX },
		{ INT64_MAX, 1 },
		{ 1, INT64_MAX },
	};
	size_t before;

	put_record(0, kdump.bytes, kdump.size);
	before = f.size;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		f.size = before;
		put_big(rows[i][0]);
		put_big(rows[i][1]);
		put_end();
		open_ok();
		expect_byte(0x3000, 0x11);
		cr_expect_eq(diag.partial, 1, "row %zu", i);
		cr_expect_not_null(strstr(last_diag, "no record of a flattened dump"), "%s",
				   last_diag);
		snapshot_close(snapshot);
	}
	snapshot = NULL;
}

Test(flattened, what_cannot_be_read_is_named)
{
	put_record(0, (const uint8_t *)"something else", 14);
	put_end();
	expect_error(open_limited(0), ERROR_CORRUPT, "flattened dump of 14 bytes");
	f.size -= 16;
	put_record(100, (const uint8_t *)"x", 1);
	put_end();
	expect_error(open_limited(0), ERROR_UNSUPPORTED, "expected a kdump-compressed or ELF core");
	f.bytes[16 + 7] = 2;
	expect_error(open_limited(0), ERROR_UNSUPPORTED, "type 2, version 1");
}

Test(flattened, its_index_counts_as_memory)
{
	put_record(0, kdump.bytes, kdump.size);
	for (unsigned i = 0; i < 5000; i++)
		put_record(2 * i, kdump.bytes + 2 * i, 1);
	put_end();
	expect_error(open_limited(600 << 10), ERROR_LIMIT, "--max-memory");
	open_ok();
	expect_dump();
}

enum { DECODED_BLOCK = 1000 };

static struct error *copy_block(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	(void)arg;
	memcpy(buf, f.bytes + index * DECODED_BLOCK, len);
	return NULL;
}

/* Inside a container: no byte of the stream is mapped. */
Test(flattened, a_stream_that_is_decoded_itself)
{
	static const struct block_file_ops ops = { .decode = copy_block };
	struct block_file *blocks;
	struct block_cache *cache;
	struct file file;

	for (size_t at = 0; at < kdump.size; at += 700)
		put_record(at, kdump.bytes + at, kdump.size - at < 700 ? kdump.size - at : 700);
	put_end();
	cr_assert_null(block_cache_create(0, &cache));
	cr_assert_null(block_file_create(cache, &ops, NULL, &blocks));
	cr_assert_null(block_file_add(blocks, f.size / DECODED_BLOCK, DECODED_BLOCK));
	cr_assert_null(block_file_add(blocks, 1, f.size % DECODED_BLOCK));
	cr_assert_null(block_file_open(blocks, "decoded", &file));
	diag_init(&diag, remember, NULL);
	cr_assert_null(snapshot_open_file(&file, "decoded", NULL, &diag, &snapshot));
	expect_dump();
	expect_byte(0x3000, 0x11);
	expect_byte(0x9fff, 0x22);
	close_snapshot();
	snapshot = NULL;
	block_cache_destroy(cache);
}
