/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif
#ifdef HAVE_SNAPPY
#include <snappy-c.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "formats/format.h"
#include "kdump_builder.h"
#include "memory/block_file.h"
#include "tests/memfile.h"

enum { NUM_PAGES = 64 };

static struct kdump_builder b;
static struct snapshot *snapshot;
static struct diag diag;
static char last_diag[512];

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	(void)kind;
	snprintf(last_diag, sizeof(last_diag), "%s", message);
}

static struct error *open_size(size_t size)
{
	const struct snapshot_options options = { .format = "kdump" };
	char path[MEMFILE_PATH_SIZE];
	int fd = memfile_create(b.bytes, size, path);
	struct error *err;

	diag_init(&diag, remember, NULL);
	last_diag[0] = '\0';
	err = snapshot_open(path, &options, &diag, &snapshot);
	close(fd);
	return err;
}

static void open_ok(void)
{
	struct error *err = open_size(b.size);

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

static void expect_refusal(enum error_code code, const char *text)
{
	expect_error(open_size(b.size), code, text);
}

static void expect_value(uint64_t gfn, int value)
{
	uint8_t page[PAGE_SIZE];

	cr_assert_eq(physmem_read(snapshot->mem, gfn << PAGE_SHIFT, page, PAGE_SIZE), PAGE_SIZE,
		     "page %lu is absent", (long)gfn);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		cr_assert_eq(page[i], value, "page %lu: %d at %zu", (long)gfn, page[i], i);
}

/* Absent: in no run, and no error. */
static void expect_absent(uint64_t gfn)
{
	struct mem_range range;
	struct page_view view;
	struct error *err;
	bool in_run = physmem_next(snapshot->mem, gfn << PAGE_SHIFT, false, &range) &&
		      range.start >> PAGE_SHIFT <= gfn;

	cr_expect_not(in_run, "page %lu is in a run", (long)gfn);
	cr_expect_not(physmem_view(snapshot->mem, gfn << PAGE_SHIFT, &view, &err));
	cr_expect_null(err, "page %lu: %s", (long)gfn, err ? error_message(err) : "");
	error_destroy(err);
}

static void expect_damaged(uint64_t gfn, enum error_code code, const char *text)
{
	struct page_view view;
	struct error *err;

	cr_expect_not(physmem_view(snapshot->mem, gfn << PAGE_SHIFT, &view, &err));
	expect_error(err, code, text);
}

static void setup(void)
{
	kdump_begin(&b, NUM_PAGES);
}

static void close_snapshot(void)
{
	snapshot_close(snapshot);
}

TestSuite(kdump, .init = setup, .fini = close_snapshot);

static size_t pack_zlib(const uint8_t *page, uint8_t *out)
{
	uLongf len = 2 * KDUMP_PAGE;

	cr_assert_eq(compress2(out, &len, page, KDUMP_PAGE, 6), Z_OK);
	return len;
}

static void add_zlib(unsigned gfn, uint8_t value)
{
	uint8_t page[KDUMP_PAGE], packed[2 * KDUMP_PAGE];

	memset(page, value, sizeof(page));
	kdump_add(&b, gfn, KDUMP_ZLIB, packed, pack_zlib(page, packed));
}

/* Three pages: two compressed, the one between them not. */
static void build_plain(void)
{
	add_zlib(3, 0x11);
	kdump_add_page(&b, 4, 0x22);
	add_zlib(9, 0x33);
}

static void expect_plain(void)
{
	expect_value(3, 0x11);
	expect_value(4, 0x22);
	expect_value(9, 0x33);
	expect_absent(0);
	expect_absent(5);
	expect_absent(10);
	expect_absent(NUM_PAGES);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 3);
}

Test(kdump, pages_are_found_by_their_rank)
{
	build_plain();
	store_u32(b.bytes + KDUMP_STATUS, KDUMP_ZLIB);
	store_u32(b.bytes + KDUMP_CPUS, 4);
	open_ok();
	cr_expect_str_eq(snapshot->format->name, "kdump");
	cr_expect_str_eq(snapshot->info.format, "kdump-compressed");
	cr_expect_str_eq(snapshot->info.subtype, "zlib");
	cr_expect_str_eq(snapshot->info.machine, "amd64");
	cr_expect_eq(snapshot->info.num_cpus, 4);
	cr_expect_eq(snapshot->info.num_registers, 0);
	expect_plain();
	cr_expect_eq(diag.partial + diag.notes, 0, "%s", last_diag);
}

Test(kdump, only_stored_pages_have_a_place_in_the_file)
{
	uint64_t offset;

	build_plain();
	open_ok();
	cr_expect_not(physmem_file_offset(snapshot->mem, 0x3000, &offset));
	cr_assert(physmem_file_offset(snapshot->mem, 0x4005, &offset));
	cr_expect_eq(snapshot->file.bytes[offset], 0x22);
	cr_expect_eq(offset, load_u64(kdump_descriptor(&b, 1)) + 5);
	cr_expect_not(physmem_file_offset(snapshot->mem, 0x5000, &offset));
}

Test(kdump, every_codec)
{
	uint8_t page[KDUMP_PAGE], packed[2 * KDUMP_PAGE];
	size_t len;

	memset(page, 0x44, sizeof(page));
	add_zlib(1, 0x44);
#ifdef HAVE_LZO
	static lzo_align_t work[LZO1X_1_MEM_COMPRESS / sizeof(lzo_align_t) + 1];
	lzo_uint lzo_len;

	cr_assert_eq(lzo1x_1_compress(page, KDUMP_PAGE, packed, &lzo_len, work), LZO_E_OK);
	kdump_add(&b, 2, KDUMP_LZO, packed, lzo_len);
#endif
#ifdef HAVE_SNAPPY
	len = sizeof(packed);
	cr_assert_eq(snappy_compress((char *)page, KDUMP_PAGE, (char *)packed, &len), SNAPPY_OK);
	kdump_add(&b, 3, KDUMP_SNAPPY, packed, len);
#endif
#ifdef HAVE_ZSTD
	len = ZSTD_compress(packed, sizeof(packed), page, KDUMP_PAGE, 1);
	cr_assert_not(ZSTD_isError(len));
	kdump_add(&b, 4, KDUMP_ZSTD, packed, len);
#endif
	(void)packed;
	(void)len;
	open_ok();
	for (uint64_t gfn = 1; gfn <= b.descriptors; gfn++)
		expect_value(gfn, 0x44);
}

/* What writers do with zero pages: however many there are, nothing is decoded or copied. */
Test(kdump, pages_that_share_data_are_views_of_the_file)
{
	struct block_cache_stats stats;
	struct page_view view;

	kdump_add_page(&b, 0, 0);
	for (unsigned gfn = 1; gfn < 40; gfn++)
		kdump_describe(&b, gfn, KDUMP_DATA, KDUMP_PAGE, KDUMP_STORED);
	open_ok();
	for (uint64_t gfn = 0; gfn < 40; gfn++) {
		cr_assert(physmem_view(snapshot->mem, gfn << PAGE_SHIFT, &view, NULL));
		cr_expect_eq(view.bytes, snapshot->file.bytes + KDUMP_DATA);
		page_release(&view);
	}
	block_cache_stats(snapshot->cache, &stats);
	cr_expect_eq(stats.misses, 0);
}

Test(kdump, filtered_pages_are_absent)
{
	build_plain();
	b.bytes[KDUMP_BITMAP_1 + 1] = 0xff;
	open_ok();
	expect_plain();
	cr_expect_eq(diag.partial, 0, "%s", last_diag);
}

Test(kdump, older_dumps_have_one_bitmap)
{
	kdump_add_page(&b, 3, 0x11);
	/* more pages than one of two bitmaps has bits for: the first one begins at BITMAP_1 */
	store_u64(b.bytes + KDUMP_MAX_MAPNR_64, 0);
	store_u32(b.bytes + KDUMP_MAX_MAPNR, 8 * KDUMP_PAGE + 1);
	b.bytes[KDUMP_BITMAP_2] = 0;
	open_ok();
	expect_value(3, 0x11);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 1);
}

/* Each version reads the fields that it has: split from 2 on, notes from 4, long ones from 6. */
Test(kdump, header_versions)
{
	static const struct {
		uint32_t version;
		uint64_t pages; /* of these 8 */
		bool notes;
	} rows[] = {
		{ 0, 8, false }, { 1, 8, false }, { 2, 6, false }, { 3, 6, false },
		{ 4, 6, true },	 { 5, 6, true },  { 6, 4, true },
	};

	for (unsigned gfn = 0; gfn < 8; gfn++)
		kdump_add_page(&b, gfn, 1);
	store_u32(b.bytes + KDUMP_SPLIT, 1);
	store_u64(b.bytes + KDUMP_START, 0);
	store_u64(b.bytes + KDUMP_END, 6);
	store_u64(b.bytes + KDUMP_START_64, 0);
	store_u64(b.bytes + KDUMP_END_64, 4);
	store_u64(b.bytes + KDUMP_NOTES, UINT64_MAX);
	store_u64(b.bytes + KDUMP_NOTES_SIZE, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		store_u32(b.bytes + KDUMP_VERSION, rows[i].version);
		open_ok();
		cr_expect_eq(physmem_captured_pages(snapshot->mem), rows[i].pages, "version %u",
			     rows[i].version);
		cr_expect_eq(diag.partial, (rows[i].pages < 8) + rows[i].notes, "version %u: %s",
			     rows[i].version, last_diag);
		snapshot_close(snapshot);
	}
	snapshot = NULL;
}

/* Its descriptors begin with its own first page, its bitmap with the machine's. */
Test(kdump, a_part_of_a_split_dump_has_its_own_pages)
{
	kdump_add_page(&b, 5, 0x55);
	kdump_add_page(&b, 6, 0x66);
	for (unsigned gfn = 0; gfn < 3; gfn++)
		kdump_describe(&b, gfn, 0, 0, 0);
	store_u32(b.bytes + KDUMP_SPLIT, 1);
	store_u64(b.bytes + KDUMP_START_64, 4);
	store_u64(b.bytes + KDUMP_END_64, NUM_PAGES);
	open_ok();
	expect_value(5, 0x55);
	expect_value(6, 0x66);
	expect_absent(0);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 2);
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(strstr(last_diag, "3 of 5 pages are in its other files"), "%s",
			   last_diag);
}

Test(kdump, a_part_whose_ends_are_swapped)
{
	build_plain();
	store_u32(b.bytes + KDUMP_SPLIT, 1);
	store_u64(b.bytes + KDUMP_START_64, 8);
	store_u64(b.bytes + KDUMP_END_64, 7);
	expect_refusal(ERROR_CORRUPT, "first page frame at or below 0x7, found 0x8");
}

Test(kdump, pages_that_an_incomplete_dump_lacks_are_absent)
{
	build_plain();
	kdump_describe(&b, 20, 0, 0, 0);
	kdump_describe(&b, 21, 0, 0, 0);
	store_u32(b.bytes + KDUMP_STATUS, 8 | KDUMP_ZLIB);
	open_ok();
	expect_plain();
	expect_absent(20);
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(strstr(last_diag, "incomplete dump: 2 of 5 pages"), "%s", last_diag);
}

Test(kdump, pages_past_the_end_are_absent)
{
	struct error *err;

	build_plain();
	kdump_add_page(&b, 20, 0x77);
	err = open_size(b.size - 1);
	cr_assert_null(err);
	expect_plain();
	expect_absent(20);
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(strstr(last_diag, "truncated dump: 1 of 4 pages"), "%s", last_diag);
}

/* However many pages of the end share one that is at the front. */
Test(kdump, a_page_past_the_end_before_many_that_share_one)
{
	enum { SHARED = 1200 };
	size_t zeros;

	kdump_begin(&b, 2048);
	b.size = KDUMP_DESCRIPTORS + (SHARED + 2) * KDUMP_DESCRIPTOR_SIZE;
	zeros = b.size;
	kdump_add_page(&b, 1, 0);
	kdump_add_page(&b, 2, 0x22);
	for (unsigned i = 0; i < SHARED; i++)
		kdump_describe(&b, 3 + i, zeros, KDUMP_PAGE, KDUMP_STORED);
	b.size--;
	open_ok();
	expect_value(1, 0);
	expect_absent(2);
	expect_value(3, 0);
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(strstr(last_diag, "truncated dump: 1 of 1202 pages"), "%s", last_diag);
}

/* A file may end anywhere: an error or pages, but never those that are not there. */
Test(kdump, cut_at_every_length)
{
	build_plain();
	for (size_t size = 0; size < b.size; size++) {
		struct error *err = open_size(size);
		bool has_page = size >= load_u64(kdump_descriptor(&b, 1));

		cr_expect_eq(err == NULL, has_page, "size %zu: %s", size,
			     err ? error_message(err) : "opened");
		if (err) {
			error_destroy(err);
			continue;
		}
		cr_expect_eq(diag.partial, 1);
		expect_value(3, 0x11);
		snapshot_close(snapshot);
	}
	snapshot = NULL;
}

/* Beside each damaged page the others are read. */
Test(kdump, damaged_pages_are_errors)
{
	static const struct {
		uint32_t size, flags;
		enum error_code code;
		const char *text;
	} rows[] = {
		{ KDUMP_PAGE + 1, KDUMP_ZLIB, ERROR_CORRUPT, "found 4097 bytes" },
		{ KDUMP_PAGE - 1, KDUMP_STORED, ERROR_CORRUPT, "found 4095 bytes" },
		{ 16, KDUMP_ZLIB | KDUMP_LZO, ERROR_CORRUPT,
		  "flags of one compression, found 0x3" },
		{ 16, 0x40, ERROR_CORRUPT, "flags of one compression, found 0x40" },
		{ 16, KDUMP_ZLIB, ERROR_CORRUPT, "no zlib block" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		kdump_describe(&b, i, KDUMP_DATA, rows[i].size, rows[i].flags);
	kdump_add_page(&b, 32, 0x11);
	kdump_put(&b, "", 1);
	open_ok();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		expect_damaged(i, rows[i].code, rows[i].text);
		expect_damaged(i, rows[i].code, "page frame 0x");
	}
	expect_value(32, 0x11);
	cr_expect_eq(diag.partial, 0, "%s", last_diag);
}

/* A page says nothing of its size: what decodes to less or to more is no page. */
Test(kdump, pages_that_decode_to_another_size)
{
	static uint8_t bomb[1 << 20];
	uint8_t packed[KDUMP_PAGE];
	uLongf len = sizeof(packed);

	cr_assert_eq(compress2(packed, &len, bomb, sizeof(bomb), 9), Z_OK);
	kdump_add(&b, 1, KDUMP_ZLIB, packed, len);
	len = sizeof(packed);
	cr_assert_eq(compress2(packed, &len, bomb, KDUMP_PAGE - 1, 9), Z_OK);
	kdump_add(&b, 2, KDUMP_ZLIB, packed, len);
	add_zlib(3, 0x11);
	open_ok();
	expect_damaged(1, ERROR_CORRUPT, "no zlib block of at most 4096 bytes");
	expect_damaged(2, ERROR_CORRUPT, "expected 4096 decoded, found 4095");
	expect_value(3, 0x11);
}

static void store_name(size_t offset, const char *name)
{
	memcpy(b.bytes + offset, name, strlen(name) + 1);
}

Test(kdump, what_cannot_be_read_is_named)
{
	static const struct {
		size_t offset;
		uint32_t value;
		const char *text;
	} rows[] = {
		{ KDUMP_BLOCK, 8192, "blocks of 8192 bytes: expected 4096" },
		{ KDUMP_BLOCK, 0x100000, "big-endian" },
		{ KDUMP_VERSION, 7, "header version 7" },
		{ KDUMP_VERSION, UINT32_MAX, "header version 4294967295" },
	};

	build_plain();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t before = load_u32(b.bytes + rows[i].offset);

		store_u32(b.bytes + rows[i].offset, rows[i].value);
		expect_refusal(ERROR_UNSUPPORTED, rows[i].text);
		store_u32(b.bytes + rows[i].offset, before);
	}
	store_name(KDUMP_MACHINE, "aarch64");
	expect_refusal(ERROR_UNSUPPORTED, "machine 'aarch64'");
	store_name(KDUMP_MACHINE, "x86_64");
	store_u32(b.bytes + KDUMP_BLOCK, 0x20000);
	store_u32(b.bytes + 416, KDUMP_PAGE);
	expect_refusal(ERROR_UNSUPPORTED, "32-bit machine");
}

Test(kdump, the_kernel_that_was_dumped_is_noted)
{
	build_plain();
	store_name(KDUMP_SYSTEM, "Linux");
	store_name(KDUMP_RELEASE, "6.1.0");
	store_name(KDUMP_MACHINE, "x86_64");
	open_ok();
	cr_expect_eq(diag.notes, 1);
	cr_expect_not_null(strstr(last_diag, "kernel 6.1.0"), "%s", last_diag);
}

Test(kdump, diskdump_has_the_same_layout_without_sub_header)
{
	build_plain();
	memcpy(b.bytes, "DISKDUMP", 8);
	store_u32(b.bytes + KDUMP_STATUS, 8); /* compressed, here */
	store_u32(b.bytes + KDUMP_SPLIT, 1);
	open_ok();
	cr_expect_str_eq(snapshot->info.format, "diskdump");
	expect_plain();
	cr_expect_eq(diag.partial, 0, "%s", last_diag);
}

/* A "CORE" note of type 1 of one processor. */
static void put_prstatus(uint64_t rip)
{
	static const uint8_t head[20] = { 5, 0, 0, 0, 80, 1, 0, 0, 1, 0, 0, 0, 'C', 'O', 'R', 'E' };
	uint8_t desc[336] = { 0 };

	store_u64(desc + 112 + 16 * 8, rip);
	kdump_put(&b, head, sizeof(head));
	kdump_put(&b, desc, sizeof(desc));
}

Test(kdump, registers_are_in_the_notes)
{
	build_plain();
	store_u32(b.bytes + KDUMP_CPUS, 1);
	store_u64(b.bytes + KDUMP_NOTES, b.size);
	put_prstatus(0x1234);
	put_prstatus(0x5678);
	store_u64(b.bytes + KDUMP_NOTES_SIZE, b.size - load_u64(b.bytes + KDUMP_NOTES));
	open_ok();
	cr_expect_eq(snapshot->info.num_cpus, 2);
	cr_assert_eq(snapshot->info.num_registers, 2);
	cr_expect_eq(snapshot->info.registers[0].rip, 0x1234);
	cr_expect_eq(snapshot->info.registers[1].rip, 0x5678);
	cr_expect_eq(snapshot->info.registers[1].known, REGS_GENERAL | REGS_SELECTORS);
	cr_expect_eq(diag.partial, 0, "%s", last_diag);
}

Test(kdump, notes_that_are_cut_short)
{
	build_plain();
	store_u64(b.bytes + KDUMP_NOTES, b.size);
	store_u64(b.bytes + KDUMP_NOTES_SIZE, 3 * 356);
	put_prstatus(0x1234);
	put_prstatus(0x5678);
	b.size -= 100;
	open_ok();
	cr_expect_eq(snapshot->info.num_registers, 1);
	cr_expect_eq(diag.partial, 2, "the bytes, and the note");
	expect_plain();
}

Test(kdump, a_number_of_processors_that_no_machine_has)
{
	build_plain();
	store_u32(b.bytes + KDUMP_CPUS, UINT32_MAX);
	open_ok();
	cr_expect_eq(snapshot->info.num_cpus, 0);
	cr_expect_eq(diag.notes, 1);
}

Test(kdump, counts_that_lie)
{
	build_plain();
	store_u64(b.bytes + KDUMP_MAX_MAPNR_64, UINT64_MAX);
	/* one bitmap then, of which the first block is that of RAM */
	open_ok();
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 3);
	cr_expect_eq(diag.partial, 2, "bits that the bitmap lacks, descriptors without data");
	expect_value(3, 0x11);
	snapshot_close(snapshot);
	snapshot = NULL;
	store_u32(b.bytes + KDUMP_BITMAP_BLOCKS, UINT32_MAX);
	expect_refusal(ERROR_CORRUPT, "bitmap of pages: expected");
	store_u32(b.bytes + KDUMP_SUB_BLOCKS, UINT32_MAX);
	expect_refusal(ERROR_CORRUPT, "bitmap of pages: expected");
}

/* A sparse file of terabytes costs nothing: what grows with it is limited. */
Test(kdump, a_bitmap_beyond_the_memory_allowed)
{
	const struct snapshot_options options = { .max_memory = 32 << 20 };
	char path[MEMFILE_PATH_SIZE];
	int fd;

	build_plain();
	store_u64(b.bytes + KDUMP_MAX_MAPNR_64, UINT64_C(1) << 34);
	store_u32(b.bytes + KDUMP_BITMAP_BLOCKS, 1 << 20);
	fd = memfile_create(b.bytes, b.size, path);
	cr_assert_eq(ftruncate(fd, INT64_C(1) << 42), 0);
	diag_init(&diag, remember, NULL);
	expect_error(snapshot_open(path, &options, &diag, &snapshot), ERROR_LIMIT, "--max-memory");
	close(fd);
}

enum { DECODED_BLOCK = 1000 };

static struct error *copy_block(void *arg, uint64_t index, uint8_t *buf, size_t len)
{
	(void)arg;
	memcpy(buf, b.bytes + index * DECODED_BLOCK, len);
	return NULL;
}

/* Inside a container: no byte of it is mapped. */
Test(kdump, a_dump_that_is_decoded_itself)
{
	static const struct block_file_ops ops = { .decode = copy_block };
	struct block_cache_stats stats;
	struct block_file *blocks;
	struct block_cache *cache;
	struct file file;

	build_plain();
	for (unsigned gfn = 20; gfn < 30; gfn++)
		kdump_describe(&b, gfn, load_u64(kdump_descriptor(&b, 1)), KDUMP_PAGE, 0);
	cr_assert_null(block_cache_create(0, &cache));
	cr_assert_null(block_file_create(cache, &ops, NULL, &blocks));
	cr_assert_null(block_file_add(blocks, b.size / DECODED_BLOCK, DECODED_BLOCK));
	cr_assert_null(block_file_add(blocks, 1, b.size % DECODED_BLOCK));
	cr_assert_null(block_file_open(blocks, "decoded", &file));
	diag_init(&diag, remember, NULL);
	cr_assert_null(snapshot_open_file(&file, "decoded", NULL, &diag, &snapshot));
	expect_value(3, 0x11);
	expect_value(4, 0x22);
	expect_value(9, 0x33);
	for (uint64_t gfn = 20; gfn < 30; gfn++)
		expect_value(gfn, 0x22);
	block_cache_stats(snapshot->cache, &stats);
	cr_expect_eq(stats.misses, 3, "shared data is there once");
	close_snapshot();
	snapshot = NULL;
	block_cache_destroy(cache);
}
