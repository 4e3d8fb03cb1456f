/* SPDX-License-Identifier: MIT */
/*
 * All regions of 200 processes with 500 each: the trees with what the descriptors lead to, and
 * finding each region by an address in it. Half of the regions map one of 2,000 files; descriptors
 * are scattered over memory that is behind page tables. The baseline reads one word of each of as
 * many pages as the work touched, in scattered order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "memory_layouts.h"

enum {
	PROCESSES = 200,
	REGIONS_EACH = 500,
	REGIONS = PROCESSES * REGIONS_EACH,
	FILES = 2000,
	STRIDE = 7919, /* a prime: neighbours in a tree are far apart */
	PROCESS_SIZE = 0x1000,
	VAD_SIZE = 0xa0, /* a pool block */
	FILE_SIZE = 0x100,
	FILE_AREA = 0x40, /* in a file's place, behind the subsection */
	/* offsets from BASE */
	VADS = PROCESSES * PROCESS_SIZE,
	FIRST_FILE = VADS + REGIONS * VAD_SIZE,
	DATA_PAGES = (FIRST_FILE + FILES * FILE_SIZE + PAGE_SIZE - 1) / PAGE_SIZE,
	/* physical pages */
	PML4 = 1,
	PDPT,
	PD,
	FIRST_PT,
	NUM_PTS = DATA_PAGES / 512 + 1,
	FIRST_DATA = FIRST_PT + NUM_PTS,
	PAGES = FIRST_DATA + DATA_PAGES,
	MAX_ROUNDS = 101,
};
#define BASE	UINT64_C(0xffffe00000000000)
#define PRIVATE (UINT32_C(1) << 20)

struct machine {
	uint8_t *bytes; /* physical memory; owned */
	struct file file;
	struct physmem *mem;
	struct space *space;
	struct vad_reader reader;
};

static uint8_t *at(struct machine *m, uint64_t va)
{
	return m->bytes + FIRST_DATA * (uint64_t)PAGE_SIZE + (va - BASE);
}

static void put_tables(struct machine *m)
{
	const uint64_t flags = 0x63; /* present, writable, accessed, dirty */
	uint8_t *b = m->bytes;

	store_u64(b + PML4 * PAGE_SIZE + (BASE >> 39 & 511) * 8,
		  PDPT * (uint64_t)PAGE_SIZE | flags);
	store_u64(b + PDPT * PAGE_SIZE, PD * (uint64_t)PAGE_SIZE | flags);
	for (uint64_t i = 0; i < NUM_PTS; i++)
		store_u64(b + PD * PAGE_SIZE + i * 8, (FIRST_PT + i) * PAGE_SIZE | flags);
	for (uint64_t i = 0; i < DATA_PAGES; i++)
		store_u64(b + FIRST_PT * PAGE_SIZE + i * 8, (FIRST_DATA + i) * PAGE_SIZE | flags);
}

static uint64_t process_at(uint64_t number)
{
	return BASE + number * PROCESS_SIZE;
}

static uint64_t vad_at(uint64_t number)
{
	return BASE + VADS + number * STRIDE % REGIONS * VAD_SIZE + FAKE_POOL_HEADER;
}

static uint64_t region_start(uint64_t index)
{
	return (index + 1) << 20;
}

static void put_vad(struct machine *m, uint64_t process, uint64_t index, uint64_t parent)
{
	uint64_t number = process * REGIONS_EACH + index, va = vad_at(number);
	uint64_t file = BASE + FIRST_FILE + number % FILES * FILE_SIZE;
	bool is_mapped = index % 2;

	memcpy(at(m, va) - FAKE_POOL_HEADER + 4, is_mapped ? "Vad " : "VadS", VAD_TAG_SIZE);
	store_u64(at(m, va) + 0x10, parent);
	store_u32(at(m, va) + 0x18, (uint32_t)(region_start(index) >> PAGE_SHIFT));
	store_u32(at(m, va) + 0x1c, (uint32_t)(region_start(index) >> PAGE_SHIFT) + 15);
	store_u32(at(m, va) + 0x30, 4 << 7 | (is_mapped ? 0 : PRIVATE));
	if (!is_mapped)
		return;
	store_u64(at(m, va) + 0x48, file);
	store_u64(at(m, va) + 0x50, BASE);
	store_u64(at(m, file), file + FILE_AREA);
	store_u64(at(m, file + FILE_AREA) + 0x40, BASE | 0xd);
}

/* The regions [low, high) of a process as a balanced tree; its root. */
static uint64_t put_tree(struct machine *m, uint64_t process, uint64_t low, uint64_t high,
			 uint64_t parent)
{
	uint64_t middle = low + (high - low) / 2, va = vad_at(process * REGIONS_EACH + middle);

	if (low == high)
		return 0;
	put_vad(m, process, middle, parent);
	store_u64(at(m, va), put_tree(m, process, low, middle, va));
	store_u64(at(m, va) + 8, put_tree(m, process, middle + 1, high, va));
	return va;
}

static void make(struct machine *m)
{
	m->bytes = calloc(PAGES, PAGE_SIZE);
	if (!m->bytes)
		bench_check(&error_no_memory);
	put_tables(m);
	for (uint64_t i = 0; i < PROCESSES; i++)
		store_u64(at(m, process_at(i)) + 8, put_tree(m, i, 0, REGIONS_EACH, 0));
	m->file = (struct file){ .fd = -1, .bytes = m->bytes, .size = PAGES * (uint64_t)PAGE_SIZE };
	bench_check(physmem_create(&m->mem));
	bench_check(physmem_add_file(m->mem, 0, m->file.size, &m->file, 0));
	bench_check(physmem_seal(m->mem));
	bench_check(space_create_amd64(m->mem, PML4 * PAGE_SIZE, 4, NULL, NULL, &m->space));
	fake_vad_reader(&m->reader, SHAPE_10, m->space);
}

static void destroy(struct machine *m)
{
	space_destroy(m->space);
	physmem_destroy(m->mem);
	free(m->bytes);
}

static double time_lists(struct machine *m)
{
	double start = bench_now();
	size_t count = 0, mapped = 0;

	for (uint64_t i = 0; i < PROCESSES; i++) {
		struct vad_list list;

		bench_check(vad_list_read(&m->reader, process_at(i), &list));
		count += list.count;
		for (size_t j = 0; j < list.count; j++)
			mapped += list.items[j].file_object.present;
		vad_list_deinit(&list);
	}
	if (count != REGIONS || mapped != REGIONS / 2)
		bench_check(error_new(ERROR_CORRUPT, "%zu regions, %zu of files", count, mapped));
	return bench_now() - start;
}

static double time_finds(struct machine *m)
{
	double start = bench_now();

	for (uint64_t i = 0; i < REGIONS; i++) {
		uint64_t number = i * STRIDE % REGIONS;
		uint64_t va = region_start(number % REGIONS_EACH) + PAGE_SIZE;
		struct vad vad;

		if (!vad_reader_find(&m->reader, process_at(number / REGIONS_EACH), va, &vad) ||
		    vad.va != vad_at(number))
			bench_check(error_new(ERROR_CORRUPT, "region %u is not found",
					      (unsigned)number));
	}
	return bench_now() - start;
}

static void measure(struct machine *m, const char *what, double (*work)(struct machine *m),
		    size_t rounds)
{
	static double works[MAX_ROUNDS], baselines[MAX_ROUNDS];
	uint64_t pages;

	work(m);
	pages = physmem_pages_touched(m->mem);
	for (size_t i = 0; i < rounds; i++) {
		works[i] = work(m);
		baselines[i] = bench_touch(m->bytes, PAGES, pages, i);
	}
	bench_row(what, REGIONS, bench_median(works, rounds),
		  bench_median(baselines, rounds) / REGIONS);
	printf("%34s %9llu pages touched\n", "", (unsigned long long)pages);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 31 };
	struct machine machine = { 0 };
	size_t rounds;

	bench_parse(&options, argc, argv, 0, "");
	rounds = options.count < MAX_ROUNDS ? options.count : MAX_ROUNDS;
	make(&machine);
	physmem_count_pages(machine.mem);
	printf("%d regions of %d processes; ratio to touching the pages\n", REGIONS, PROCESSES);
	measure(&machine, "regions listed", time_lists, rounds);
	measure(&machine, "regions found by address", time_finds, rounds);
	destroy(&machine);
	return 0;
}
