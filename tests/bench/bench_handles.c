/* SPDX-License-Identifier: MIT */
/*
 * All handles of a process that has 100,000, in a table of three levels: the entries alone, with
 * the headers of the objects, and with what each is called. A third of the objects are files, a
 * third named events, a third events without a name, each at its own place; the memory is behind
 * page tables. The baseline reads one word of each of as many pages as the work touched, in
 * scattered order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "fake_objects.h"
#include "windows/objects/handle_table.h"
#include "windows/objects/object_manager.h"

enum {
	HANDLES = 100000,
	ENTRY_SIZE = 16,
	PER_PAGE = PAGE_SIZE / ENTRY_SIZE,
	USED_PER_PAGE = PER_PAGE - 1,
	LEAVES = (HANDLES + USED_PER_PAGE - 1) / USED_PER_PAGE,
	OBJECT_SIZE = 0x180,
	BODY = 0x100, /* in an object's place; its name's characters lie before */
	/* offsets from FAKE_OBJECTS_BASE */
	TABLE = FAKE_OBJECTS_SIZE,
	TOP = TABLE + PAGE_SIZE,
	MIDDLE = TOP + PAGE_SIZE,
	FIRST_LEAF = MIDDLE + PAGE_SIZE,
	OBJECTS = FIRST_LEAF + LEAVES * PAGE_SIZE,
	DATA_PAGES = (OBJECTS + HANDLES * OBJECT_SIZE + PAGE_SIZE - 1) / PAGE_SIZE,
	DEVICE = FAKE_FREE + 0x100, /* the device that all files are on */
	/* physical pages */
	PML4 = 1,
	PDPT,
	PD,
	FIRST_PT,
	NUM_PTS = DATA_PAGES / 512 + 2,
	FIRST_DATA = FIRST_PT + NUM_PTS,
	PAGES = FIRST_DATA + DATA_PAGES,
	MAX_ROUNDS = 101,
};

static const struct handle_layout layout = {
	.fields = { [HANDLE_TABLE_CODE] = { 8, 8, 0, 0, true },
		    [HANDLE_NEXT] = { 0, 4, 0, 0, true },
		    [HANDLE_OBJECT] = { 0, 8, 20, 44, true },
		    [HANDLE_ATTRIBUTES] = { 0, 8, 17, 3, true },
		    [HANDLE_ACCESS] = { 8, 4, 0, 25, true } },
	.entry_size = ENTRY_SIZE,
};

enum depth { ENTRIES, HEADERS, NAMES, NUM_DEPTHS };
static const char *const depth_names[NUM_DEPTHS] = { "entries", "entries and headers",
						     "entries, headers, names" };

struct machine {
	uint8_t *bytes; /* physical memory; owned */
	struct file file;
	struct physmem *mem;
	struct fake_objects *fake;
};

/* The byte at an offset from FAKE_OBJECTS_BASE. */
static uint8_t *data_at(struct machine *m, uint64_t offset)
{
	return m->bytes + FIRST_DATA * (uint64_t)PAGE_SIZE + offset;
}

static void put(struct machine *m, uint64_t offset, uint64_t value)
{
	store_u64(data_at(m, offset), value);
}

static uint64_t va_of(uint64_t offset)
{
	return FAKE_OBJECTS_BASE + offset;
}

static void put_tables(struct machine *m)
{
	const uint64_t flags = 0x63; /* present, writable, accessed, dirty */
	uint64_t first = FAKE_OBJECTS_BASE >> 12 & 511;
	uint8_t *b = m->bytes;

	store_u64(b + PML4 * PAGE_SIZE + (FAKE_OBJECTS_BASE >> 39 & 511) * 8,
		  PDPT * (uint64_t)PAGE_SIZE | flags);
	store_u64(b + PDPT * PAGE_SIZE + (FAKE_OBJECTS_BASE >> 30 & 511) * 8,
		  PD * (uint64_t)PAGE_SIZE | flags);
	for (uint64_t i = 0; i < NUM_PTS; i++)
		store_u64(b + PD * PAGE_SIZE + i * 8, (FIRST_PT + i) * PAGE_SIZE | flags);
	for (uint64_t i = 0; i < DATA_PAGES; i++)
		store_u64(b + FIRST_PT * PAGE_SIZE + (first + i) * 8,
			  (FIRST_DATA + i) * PAGE_SIZE | flags);
}

static void put_string(struct machine *m, uint64_t offset, uint64_t buffer, const char *text)
{
	size_t len = strlen(text);

	put(m, offset, len * 2 | (len * 2 + 2) << 16);
	put(m, offset + 8, va_of(buffer));
	for (size_t i = 0; i < len; i++)
		store_u16(data_at(m, buffer + i * 2), (uint8_t)text[i]);
}

static void put_object(struct machine *m, uint64_t number)
{
	uint64_t place = OBJECTS + number * OBJECT_SIZE, body = place + BODY;
	uint64_t header = body - FAKE_HEADER_SIZE, info = header - FAKE_NAME_INFO_SIZE;
	bool is_file = number % 3 == 0, is_named = number % 3 == 1;
	uint8_t type = is_file ? FAKE_TYPE_FILE : FAKE_TYPE_EVENT;
	char name[32];

	*data_at(m, header + 0x18) =
		(uint8_t)(type ^ (uint8_t)(va_of(header) >> 8) ^ FAKE_COOKIE_VALUE);
	if (is_named) {
		*data_at(m, header + 0x1a) = 2;
		snprintf(name, sizeof(name), "Event%u", (unsigned)number);
		put(m, info, va_of(FAKE_ROOT));
		put_string(m, info + 8, place, name);
	}
	if (is_file) {
		snprintf(name, sizeof(name), "\\Windows\\file%u", (unsigned)number);
		put(m, body + 8, va_of(DEVICE));
		put_string(m, body + 0x18, body + 0x40, name);
	}
}

static void put_handles(struct machine *m)
{
	put(m, TABLE, LEAVES * PER_PAGE * 4);
	put(m, TABLE + 8, va_of(TOP) | 2);
	put(m, TOP, va_of(MIDDLE));
	for (uint64_t i = 0; i < LEAVES; i++)
		put(m, MIDDLE + i * 8, va_of(FIRST_LEAF + i * PAGE_SIZE));
	for (uint64_t i = 0; i < HANDLES; i++) {
		uint64_t slot = i / USED_PER_PAGE * PER_PAGE + i % USED_PER_PAGE + 1;
		uint64_t header = OBJECTS + i * OBJECT_SIZE + BODY - FAKE_HEADER_SIZE;

		put_object(m, i);
		put(m, FIRST_LEAF + slot * ENTRY_SIZE, va_of(header) >> 4 << 20 | 1);
		put(m, FIRST_LEAF + slot * ENTRY_SIZE + 8, 0x1f0003);
	}
}

static void make(struct machine *m)
{
	m->bytes = calloc(PAGES, PAGE_SIZE);
	m->fake = malloc(sizeof(*m->fake));
	if (!m->bytes || !m->fake)
		bench_check(&error_no_memory);
	fake_objects_init(m->fake);
	fake_put_object(m->fake, DEVICE, FAKE_TYPE_DEVICE, "HarddiskVolume3", FAKE_ROOT);
	memcpy(data_at(m, 0), m->fake->bytes, FAKE_OBJECTS_SIZE);
	put_tables(m);
	put_handles(m);
	fake_objects_open(m->fake, -1);
	m->file = (struct file){ .fd = -1, .bytes = m->bytes, .size = PAGES * (uint64_t)PAGE_SIZE };
	bench_check(physmem_create(&m->mem));
	bench_check(physmem_add_file(m->mem, 0, m->file.size, &m->file, 0));
	bench_check(physmem_seal(m->mem));
	space_destroy(m->fake->kernel.space);
	bench_check(space_create_amd64(m->mem, PML4 * PAGE_SIZE, 4, NULL, NULL,
				       &m->fake->kernel.space));
}

static void destroy(struct machine *m)
{
	fake_objects_close(m->fake);
	physmem_destroy(m->mem);
	free(m->fake);
	free(m->bytes);
}

static void name_entry(struct object_manager *om, const struct handle_entry *e, enum depth depth,
		       struct arena *a)
{
	struct object_info info;
	struct fault fault;

	if (object_read_header(om, e->pointer + FAKE_HEADER_SIZE, &info) != OBJECT_READ)
		bench_check(error_new(ERROR_CORRUPT, "handle %u leads to no object",
				      (unsigned)e->handle));
	if (depth < NAMES)
		return;
	object_read_name(om, a, &info);
	object_describe(om, &info, a, &fault);
}

static double time_walk(struct machine *m, enum depth depth)
{
	enum { ROWS_PER_RESET = 256 };
	double start = bench_now();
	struct object_manager *om;
	struct handle_entry entry;
	struct handle_walk walk;
	struct handle_gap gap;
	struct arena arena;
	struct fault fault;
	size_t count = 0;

	bench_check(object_manager_open(&m->fake->kernel, &om));
	arena_init(&arena, 0);
	if (!handle_walk_start(&walk, m->fake->kernel.space, &layout, va_of(TABLE), &fault))
		bench_check(error_new(ERROR_CORRUPT, "no handle table"));
	while (handle_walk_next(&walk, &entry, &gap) == HANDLE_ENTRY) {
		if (depth > ENTRIES)
			name_entry(om, &entry, depth, &arena);
		if (++count % ROWS_PER_RESET == 0)
			arena_reset(&arena);
	}
	arena_deinit(&arena);
	object_manager_close(om);
	if (count != HANDLES)
		bench_check(error_new(ERROR_CORRUPT, "%zu handles instead of %d", count, HANDLES));
	return bench_now() - start;
}

static void measure(struct machine *m, enum depth depth, size_t rounds)
{
	static double walks[MAX_ROUNDS], touches[MAX_ROUNDS];
	uint64_t pages;

	time_walk(m, depth);
	pages = physmem_pages_touched(m->mem);
	for (size_t i = 0; i < rounds; i++) {
		walks[i] = time_walk(m, depth);
		touches[i] = bench_touch(m->bytes, PAGES, pages, i);
	}
	bench_row(depth_names[depth], HANDLES, bench_median(walks, rounds),
		  bench_median(touches, rounds) / HANDLES);
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
	printf("%d handles in %d pages, %d levels of pointers; ratio to touching the pages\n",
	       HANDLES, LEAVES, 2);
	for (int depth = 0; depth < NUM_DEPTHS; depth++)
		measure(&machine, (enum depth)depth, rounds);
	destroy(&machine);
	return 0;
}
