/* SPDX-License-Identifier: MIT */
/*
 * Page lookups per second in bitmap crash dumps of machines with 1 GiB and with 64 GiB, of whose
 * pages three in four are captured, at random. The baseline is the load of one entry of a flat
 * table, in the same order: what a table of all pages would cost, which needs 16 times the
 * memory of the bitmap and its ranks. Constant time means that the ratios of the two
 * sizes differ by what the caches make of them and not by their factor of 64.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#include "base/cursor.h"
#include "formats/format.h"

/* DUMP_HEADER64 and BITMAP_DUMP: rizin, librz/bin/format/dmp/dmp_specs.h. */
enum {
	HEADER_SIZE = 0x2000,
	HEADER_MACHINE = 0x30,
	HEADER_NUM_CPUS = 0x34,
	HEADER_TYPE = 0xf98,
	BITMAP_FIRST_PAGE = HEADER_SIZE + 0x20,
	BITMAP_NUM_PAGES = HEADER_SIZE + 0x28,
	BITMAP_NUM_BITS = HEADER_SIZE + 0x30,
	BITMAP_BITS = HEADER_SIZE + 0x38,
	MACHINE_AMD64 = 0x8664,
	TYPE_BITMAP_FULL = 5,
};
enum { ROUNDS = 7 };
#define ABSENT UINT32_MAX

struct machine {
	uint64_t pages;	    /* a power of two */
	uint64_t captured;  /* how many of them */
	uint32_t *table;    /* of each page its index among the captured ones, or ABSENT */
	uint64_t data;	    /* file offset of the first one */
	struct snapshot *s; /* the same as a dump */
};

static void fill_header(uint8_t *head, const struct machine *m)
{
	for (size_t i = 0; i < HEADER_SIZE; i += 4)
		memcpy(head + i, "PAGE", 4);
	memcpy(head + 4, "DU64", 4);
	store_u32(head + HEADER_MACHINE, MACHINE_AMD64);
	store_u32(head + HEADER_NUM_CPUS, 1);
	store_u32(head + HEADER_TYPE, TYPE_BITMAP_FULL);
	memcpy(head + HEADER_SIZE, "FDMPDUMP", 8);
	store_u64(head + BITMAP_FIRST_PAGE, m->data);
	store_u64(head + BITMAP_NUM_PAGES, m->captured);
	store_u64(head + BITMAP_NUM_BITS, m->pages);
}

/* The dump's pages are a hole of its file: nothing here looks at their bytes. */
static void machine_init(struct machine *m, uint64_t size, const char *dir)
{
	uint64_t state = size;
	char path[BENCH_PATH_SIZE];
	struct diag diag;
	uint8_t *head;
	int fd = bench_scratch(dir);

	*m = (struct machine){ .pages = size >> PAGE_SHIFT };
	m->data = (BITMAP_BITS + m->pages / 8 + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
	head = calloc(1, m->data);
	m->table = malloc(m->pages * sizeof(*m->table));
	if (!head || !m->table)
		bench_check(&error_no_memory);
	for (uint64_t i = 0; i < m->pages; i++) {
		bool captured = bench_random(&state) >> 62 != 0;

		m->table[i] = captured ? (uint32_t)m->captured++ : ABSENT;
		if (captured)
			head[BITMAP_BITS + i / 8] |= (uint8_t)(1 << i % 8);
	}
	fill_header(head, m);
	bench_write(fd, head, m->data);
	bench_truncate(fd, m->data + (m->captured << PAGE_SHIFT));
	free(head);
	bench_fd_path(fd, path);
	diag_init(&diag, NULL, NULL);
	bench_check(snapshot_open(path, NULL, &diag, &m->s));
}

static void machine_deinit(struct machine *m)
{
	snapshot_close(m->s);
	free(m->table);
}

/* The dump agrees with the table on every page. */
static void verify(const struct machine *m)
{
	for (uint64_t i = 0; i < m->pages; i++) {
		struct page_view view;
		uint64_t expected = m->data + ((uint64_t)m->table[i] << PAGE_SHIFT);

		if (!physmem_view(m->s->mem, i << PAGE_SHIFT, &view, NULL)) {
			if (m->table[i] != ABSENT)
				abort();
			continue;
		}
		if (m->table[i] == ABSENT || view.bytes != m->s->file.bytes + expected)
			abort();
		page_release(&view);
	}
}

typedef uint64_t order_fn(uint64_t i, uint64_t pages);

static uint64_t in_order(uint64_t i, uint64_t pages)
{
	return i & (pages - 1);
}

static uint64_t at_random(uint64_t i, uint64_t pages)
{
	return bench_scatter(i, i / pages, pages);
}

static double time_table(const struct machine *m, order_fn *order, uint64_t count)
{
	double start = bench_now();
	uint64_t sum = 0;

	for (uint64_t i = 0; i < count; i++)
		sum += m->table[order(i, m->pages)];
	if (!sum)
		abort();
	return bench_now() - start;
}

static double time_lookups(const struct machine *m, order_fn *order, uint64_t count)
{
	double start = bench_now();
	uint64_t found = 0;

	for (uint64_t i = 0; i < count; i++) {
		struct page_view view;

		if (!physmem_view(m->s->mem, order(i, m->pages) << PAGE_SHIFT, &view, NULL))
			continue;
		page_release(&view);
		found++;
	}
	if (!found)
		abort();
	return bench_now() - start;
}

static void measure(const struct machine *m, const char *name, order_fn *order, uint64_t count)
{
	double baseline[ROUNDS], seconds[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		baseline[i] = time_table(m, order, count);
		seconds[i] = time_lookups(m, order, count);
	}
	bench_row(name, (double)count, bench_median(seconds, ROUNDS),
		  bench_median(baseline, ROUNDS) / (double)count);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 1 << 22 };
	static const struct {
		uint64_t size;
		const char *at_random, *in_order;
	} sizes[] = {
		{ GIB, "1 GiB, lookups at random", "1 GiB, lookups in order" },
		{ 64 * GIB, "64 GiB, lookups at random", "64 GiB, lookups in order" },
	};

	bench_parse(&options, argc, argv, 0, "");
	printf("bitmap crash dumps (x: one load from a flat table, in the same order)\n");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct machine m;

		machine_init(&m, sizes[i].size, options.dir);
		verify(&m);
		measure(&m, sizes[i].at_random, at_random, options.count);
		measure(&m, sizes[i].in_order, in_order, options.count);
		machine_deinit(&m);
	}
	return 0;
}
