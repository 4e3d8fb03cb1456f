/* SPDX-License-Identifier: MIT */
/*
 * Random page walks and reads through AMD64 tables, per second: cold (a new space, each page
 * once) and warm (again, in another order). The baseline is one page of a plain pass over the
 * same memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"

#include "arch/amd64/paging.h"
#include "base/cursor.h"

enum {
	DATA_PAGES = 1 << 16, /* 256 MiB */
	TABLES = DATA_PAGES / 512,
	PML4_PAGE = DATA_PAGES,
	PDPT_PAGE,
	PD_PAGE,
	PT_PAGE,
	NUM_PAGES = PT_PAGE + TABLES,
};
#define BASE   UINT64_C(0xffff800000000000)
#define TABLE  (PTE_PRESENT | PTE_WRITE)
#define MEMORY ((size_t)NUM_PAGES << PAGE_SHIFT)

/* Page i is at frame i * 5 (mod DATA_PAGES), so that no two neighbours are. */
static uint64_t frame_of(uint64_t i)
{
	return i * 5 % DATA_PAGES;
}

static void put(uint8_t *bytes, uint64_t page, uint64_t index, uint64_t target)
{
	store_u64(bytes + (page << PAGE_SHIFT) + index * 8, target << PAGE_SHIFT | TABLE);
}

static void build(uint8_t *bytes)
{
	for (size_t i = 0; i < MEMORY; i += 8)
		store_u64(bytes + i, i);
	for (uint64_t page = PML4_PAGE; page < NUM_PAGES; page++) {
		for (size_t i = 0; i < 512; i++)
			store_u64(bytes + (page << PAGE_SHIFT) + i * 8, 0);
	}
	put(bytes, PML4_PAGE, 256, PDPT_PAGE);
	put(bytes, PDPT_PAGE, 0, PD_PAGE);
	for (uint64_t i = 0; i < TABLES; i++)
		put(bytes, PD_PAGE, i, PT_PAGE + i);
	for (uint64_t i = 0; i < DATA_PAGES; i++)
		put(bytes, PT_PAGE + i / 512, i % 512, frame_of(i));
}

static double translate_all(struct space *s, uint64_t round)
{
	double start = bench_now();

	for (uint64_t i = 0; i < DATA_PAGES; i++) {
		uint64_t page = bench_scatter(i, round, DATA_PAGES), pa;

		if (space_translate(s, BASE + (page << PAGE_SHIFT), &pa) != VA_MAPPED ||
		    pa >> PAGE_SHIFT != frame_of(page))
			abort();
	}
	return bench_now() - start;
}

static double read_all(struct space *s, uint64_t round, uint64_t pages)
{
	double start = bench_now();

	for (uint64_t i = 0; i < DATA_PAGES; i++) {
		uint64_t page = bench_scatter(i, round, DATA_PAGES) % pages, value;

		if (!space_try_u64(s, BASE + (page << PAGE_SHIFT), &value, NULL) ||
		    value != frame_of(page) << PAGE_SHIFT)
			abort();
	}
	return bench_now() - start;
}

/* What the memory itself costs: the loads of read_all(), each of which waits for the one before. */
static double load_all(const uint8_t *bytes, uint64_t round)
{
	double start = bench_now();
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < DATA_PAGES; i++) {
		uint64_t frame = frame_of(bench_scatter(i + wrong, round, DATA_PAGES));

		wrong = load_u64(bytes + (frame << PAGE_SHIFT)) ^ frame << PAGE_SHIFT;
	}
	if (wrong)
		abort();
	return bench_now() - start;
}

static double list_all(struct space *s)
{
	double start = bench_now();
	struct va_range r;
	uint64_t va = 0, bytes = 0;

	for (; space_next(s, va, &r); va = r.last + 1)
		bytes += r.last - r.start + 1;
	if (bytes != (uint64_t)DATA_PAGES << PAGE_SHIFT)
		abort();
	return bench_now() - start;
}

static double plain_pass(const uint8_t *bytes)
{
	double start = bench_now();
	uint64_t sum = bench_sum(bytes, (size_t)DATA_PAGES << PAGE_SHIFT);

	if (!sum)
		abort();
	return bench_now() - start;
}

int main(int argc, char **argv)
{
	uint8_t *bytes =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct file file = { .fd = -1, .bytes = bytes, .size = MEMORY };
	struct bench_options options = { .count = 8 };
	double pass, page, count, cold = 0, warm = 0, hot = 0, reads = 0, loads = 0, list = 0;
	struct physmem *mem;
	struct space *s;

	bench_parse(&options, argc, argv, 0, "");
	if (bytes == MAP_FAILED)
		bench_die_errno("mmap");
	build(bytes);
	bench_check(physmem_create(&mem));
	bench_check(physmem_add_file(mem, 0, MEMORY, &file, 0));
	bench_check(physmem_seal(mem));
	plain_pass(bytes);
	pass = plain_pass(bytes);
	for (unsigned round = 0; round < options.count; round++) {
		bench_check(space_create_amd64(mem, (uint64_t)PML4_PAGE << PAGE_SHIFT, 4, NULL,
					       NULL, &s));
		cold += translate_all(s, round);
		warm += translate_all(s, round + 1);
		reads += read_all(s, round, DATA_PAGES);
		loads += load_all(bytes, round);
		hot += read_all(s, round, 512);
		list += list_all(s);
		space_destroy(s);
	}
	page = pass / DATA_PAGES;
	count = (double)DATA_PAGES * (double)options.count;
	printf("page tables of 256 MiB (x: one page of a plain pass at %.2f GiB/s)\n",
	       (double)DATA_PAGES / (1 << 18) / pass);
	bench_row("walks, cold", count, cold, page);
	bench_row("walks, warm", count, warm, page);
	bench_row("reads of 8 bytes", count, reads, page);
	bench_row("plain loads, one by one", count, loads, page);
	bench_row("reads in 512 pages", count, hot, page);
	bench_row("pages listed", count, list, page);
	physmem_destroy(mem);
	munmap(bytes, MEMORY);
	return 0;
}
