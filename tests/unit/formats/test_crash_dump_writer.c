/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "formats/crashdump/layout.h"
#include "formats/crashdump/parts.h"
#include "formats/page_bitmap.h"
#include "formats/writer.h"

/* Pages of a small memory are written, and read back by the reader of crash dumps. */
enum { MAX_RUNS = 64, MEMORY_PAGES = 256 };

struct fixture {
	uint8_t bytes[MEMORY_PAGES * PAGE_SIZE]; /* the file that the runs are in */
	struct file file;
	struct block_cache *cache;
	struct physmem *mem;
	struct write_memory memory;
	struct page_set lost;
	struct dump_info info;
	struct crash_facts facts;
	const struct write_patch *patches; /* one, or NULL */
	struct diag diag;
	char messages[1024];
	char folder[64], path[96];
};
static struct fixture *f;

static void keep_message(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	(void)kind;
	size_t used = strlen(f->messages);
	snprintf(f->messages + used, sizeof(f->messages) - used, "%s\n", message);
}

static void setup(void)
{
	f = calloc(1, sizeof(*f));
	diag_init(&f->diag, keep_message, NULL);
	for (size_t i = 0; i < MEMORY_PAGES; i++)
		memset(f->bytes + i * PAGE_SIZE, (int)i + 1, PAGE_SIZE);
	f->file = (struct file){ .fd = -1, .bytes = f->bytes, .size = sizeof(f->bytes) };
	cr_assert_null(block_cache_create(0, &f->cache));
	cr_assert_null(physmem_create(&f->mem));
	f->facts.hints.dtb = 0x1000;
	f->facts.hints.kdbg = UINT64_C(0xfffff80000000000);
	snprintf(f->folder, sizeof(f->folder), "%s/writer.XXXXXX", P_tmpdir);
	cr_assert_not_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/out.dmp", f->folder);
}

static void teardown(void)
{
	unlink(f->path);
	rmdir(f->folder);
	page_set_deinit(&f->lost);
	write_memory_deinit(&f->memory);
	physmem_destroy(f->mem);
	block_cache_destroy(f->cache);
	free(f);
}

TestSuite(crash_dump_writer, .init = setup, .fini = teardown, .timeout = 60);

static void must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

/* Pages [gfn, gfn + count) of memory are those from `page` on of the file. */
static void add_run(uint64_t gfn, uint64_t count, uint64_t page)
{
	must(physmem_add_file(f->mem, gfn << PAGE_SHIFT, count << PAGE_SHIFT, &f->file,
			      page << PAGE_SHIFT));
}

static struct error *write_dump(const struct format_writer *writer)
{
	struct output *out CLEANUP(output_cleanup) = NULL;
	struct output_result result;
	struct write_job job = {
		.mem = f->mem,
		.memory = &f->memory,
		.lost = &f->lost,
		.info = &f->info,
		.facts = &f->facts,
		.patches = f->patches,
		.num_patches = f->patches ? 1 : 0,
		.diag = &f->diag,
		.threads = 1,
	};
	struct error *err;

	must(physmem_seal(f->mem));
	must(write_memory_init(f->mem, f->cache, &f->memory));
	must(page_set_init(&f->memory, f->cache, &f->lost));
	must(output_create(f->path, &(struct output_options){ 0 }, &out));
	job.out = out;
	if ((err = writer->write(&job)))
		return err;
	return output_finish(out, &result);
}

static struct snapshot *read_back(const char *subtype)
{
	struct snapshot *s;

	must(snapshot_open(f->path, NULL, &f->diag, &s));
	cr_assert_str_eq(s->info.format, "crash-dump");
	cr_assert_str_eq(s->info.subtype, subtype);
	cr_expect_str_empty(f->messages, "%s", f->messages);
	cr_expect_eq(physmem_captured_bytes(s->mem), physmem_captured_bytes(f->mem));
	return s;
}

/* Every byte that either memory has is in both, and the same. */
static void expect_same(struct snapshot *s)
{
	struct mem_range want = { 0 }, got = { 0 };
	uint8_t a[PAGE_SIZE], b[PAGE_SIZE];

	for (uint64_t pa = 0; physmem_next(f->mem, pa, false, &want); pa = want.end) {
		cr_assert(physmem_next(s->mem, pa, false, &got));
		cr_expect_eq(got.start, want.start);
		cr_expect_eq(got.end, want.end);
		for (pa = want.start; pa < want.end; pa += PAGE_SIZE) {
			cr_assert_eq(physmem_read(f->mem, pa, a, PAGE_SIZE), (size_t)PAGE_SIZE);
			cr_assert_eq(physmem_read(s->mem, pa, b, PAGE_SIZE), (size_t)PAGE_SIZE);
			cr_expect_arr_eq(a, b, PAGE_SIZE);
		}
	}
}

static void expect_round_trip(const struct format_writer *writer, const char *subtype)
{
	struct snapshot *s;

	must(write_dump(writer));
	s = read_back(subtype);
	expect_same(s);
	snapshot_close(s);
}

Test(crash_dump_writer, full)
{
	add_run(1, 3, 0);
	add_run(0x100, 10, 20);
	expect_round_trip(&crash_dump_writer, "full");
}

Test(crash_dump_writer, full_has_no_room_for_more_runs)
{
	struct error *err;

	for (uint64_t i = 0; i < CRASH_MAX_HEADER_RUNS + 1; i++)
		add_run(2 * i, 1, i);
	err = write_dump(&crash_dump_writer);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_UNSUPPORTED);
	cr_expect(strstr(error_message(err), "44 stretches"), "%s", error_message(err));
	cr_expect(strstr(error_message(err), "dmp-bitmap"), "%s", error_message(err));
	error_destroy(err);
	cr_expect_neq(access(f->path, F_OK), 0, "a file was left behind");
}

Test(crash_dump_writer, full_with_all_runs_that_fit)
{
	for (uint64_t i = 0; i < CRASH_MAX_HEADER_RUNS; i++)
		add_run(2 * i, 1, i);
	expect_round_trip(&crash_dump_writer, "full");
}

Test(crash_dump_writer, bitmap)
{
	add_run(0, 1, 7);
	add_run(2, 1, 3);
	add_run(0x101, 30, 40); /* from and to the middle of a byte */
	add_run(0x8000 * 9, 2, 100);
	expect_round_trip(&crash_bitmap_writer, "bitmap");
}

/* Pieces of the bitmap, and the edges between them. */
Test(crash_dump_writer, bitmap_of_many_pieces)
{
	const uint64_t piece = 4096 * 8; /* pages */

	for (uint64_t i = 0; i < 5; i++)
		add_run((3 * i + 1) * piece - 2, 4, 8 * i);
	add_run(100 * piece - 1, 1, 200);
	add_run((UINT64_C(1) << 28) - 1, 1, 201); /* 1 TiB */
	expect_round_trip(&crash_bitmap_writer, "bitmap");
}

Test(crash_dump_writer, bitmap_has_an_end)
{
	struct error *err;

	add_run(PAGE_BITMAP_MAX_BITS, 1, 0);
	err = write_dump(&crash_bitmap_writer);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	error_destroy(err);
}

/* A bitmap has one bit for a page, and its header tells of the machine where that is known. */
Test(crash_dump_writer, machine_runs)
{
	static const struct mem_range machine[] = { { 0, 0x9f000 }, { 0x100000, 0x400000 } };
	struct snapshot *s;

	f->facts.machine_runs = machine;
	f->facts.num_machine_runs = ARRAY_SIZE(machine);
	for (uint64_t i = 0; i < CRASH_MAX_HEADER_RUNS + 5; i++)
		add_run(2 * i, 1, i);
	must(write_dump(&crash_bitmap_writer));
	s = read_back("bitmap");
	cr_assert_eq(s->info.num_machine_runs, ARRAY_SIZE(machine));
	cr_expect_arr_eq(s->info.machine_runs, machine, sizeof(machine));
	snapshot_close(s);
}

Test(crash_dump_writer, machine_runs_unknown)
{
	struct snapshot *s;

	for (uint64_t i = 0; i < CRASH_MAX_HEADER_RUNS + 5; i++)
		add_run(2 * i, 1, i);
	must(write_dump(&crash_bitmap_writer));
	s = read_back("bitmap");
	cr_expect_eq(s->info.num_machine_runs, 0);
	snapshot_close(s);
}

Test(crash_dump_writer, without_page_tables_there_is_no_dump)
{
	struct error *err;

	f->facts.hints.dtb = 0;
	add_run(1, 1, 0);
	err = write_dump(&crash_dump_writer);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_UNSUPPORTED);
	cr_expect(strstr(error_message(err), "no kernel was found"), "%s", error_message(err));
	error_destroy(err);
}

Test(crash_dump_writer, without_kdbg_it_is_said)
{
	f->facts.hints.kdbg = 0;
	add_run(1, 1, 0);
	must(write_dump(&crash_dump_writer));
	cr_expect(strstr(f->messages, "KDBG"), "%s", f->messages);
}

Test(crash_dump_writer, secondary_data_is_left_out)
{
	f->info.num_blobs = 2;
	add_run(1, 1, 0);
	must(write_dump(&crash_bitmap_writer));
	cr_expect(strstr(f->messages, "left out: 2 blocks"), "%s", f->messages);
}

/* The patches of a job are in the dump, and nowhere else. */
Test(crash_dump_writer, patches)
{
	static const uint8_t bytes[] = { 0xde, 0xad, 0xbe, 0xef };
	const struct write_patch patch = { 0x2ffe, bytes, sizeof(bytes), "a patch" };
	uint8_t got[6];
	struct snapshot *s;

	add_run(2, 3, 10);
	f->patches = &patch;
	must(write_dump(&crash_dump_writer));
	s = read_back("full");
	cr_assert_eq(physmem_read(s->mem, 0x2ffd, got, 6), 6);
	cr_expect_eq(got[0], 11);
	cr_expect_arr_eq(got + 1, bytes, sizeof(bytes));
	cr_expect_eq(got[5], 12);
	snapshot_close(s);
	cr_assert_eq(physmem_read(f->mem, 0x2ffe, got, 4), 4);
	cr_expect_eq(got[0], 11, "the snapshot itself changed");
}

Test(crash_dump_writer, nothing_to_write)
{
	struct error *err = write_dump(&crash_bitmap_writer);

	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_UNSUPPORTED);
	error_destroy(err);
}
