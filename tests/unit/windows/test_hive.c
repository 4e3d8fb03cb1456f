/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "../../hive_builder.h"
#include "base/cursor.h"
#include "windows/registry/hive_bin.h"
#include "windows/registry/hive_file.h"

/* Three stable bins, of one, three and one blocks, and a volatile one. */
struct sample {
	struct hive_builder b;
	struct built_hive built;
	uint32_t root, in_second, in_third, in_volatile;
};

static void sample_init(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	hive_builder_init(&s->b, 5, 1);
	s->root = hive_builder_key(&s->b, STORAGE_STABLE, "root", CELL_NONE);
	s->in_second = hive_builder_cell(&s->b, STORAGE_STABLE, 0x2500);
	hive_builder_cell(&s->b, STORAGE_STABLE, 0x200);
	s->in_third = hive_builder_cell(&s->b, STORAGE_STABLE, 0xf00);
	s->in_volatile = hive_builder_cell(&s->b, STORAGE_VOLATILE, 0x10);
	cr_assert_eq(s->in_second, 0x1020);
	cr_assert_eq(s->in_third, 0x4020);
	for (uint32_t i = 0; i < 0x2500; i++)
		hive_builder_at(&s->b, s->in_second)[i] = (uint8_t)(i * 3 + i / 256);
	hive_builder_finish(&s->b);
}

static const struct hive *sample_open(struct sample *s)
{
	cr_assert(built_hive_open(&s->built, s->b.bytes, s->b.size, s->b.hidden, s->b.num_hidden));
	return &s->built.hive;
}

static void sample_close(struct sample *s)
{
	built_hive_close(&s->built);
	hive_builder_deinit(&s->b);
}

Test(hive, cell_over_blocks)
{
	struct hive_fault fault;
	struct hive_cell cell;
	uint8_t bytes[0x2500];
	const struct hive *h;
	struct sample s;

	sample_init(&s);
	h = sample_open(&s);
	cr_expect_eq(hive_root_cell(h), s.root);
	cr_assert(hive_cell(h, s.in_second, &cell, &fault));
	cr_expect_eq(cell.size, 0x2504);
	cr_assert(hive_cell_read(h, &cell, 0, bytes, sizeof(bytes), &fault));
	cr_expect_arr_eq(bytes, hive_builder_at(&s.b, s.in_second), sizeof(bytes));
	cr_expect_not(hive_cell_read(h, &cell, 5, bytes, sizeof(bytes), &fault));
	cr_expect_not(hive_cell_read(h, &cell, UINT32_MAX, bytes, 1, &fault));
	sample_close(&s);
}

Test(hive, absent_block_of_a_cell)
{
	struct hive_fault fault;
	struct hive_cell cell;
	uint8_t bytes[0x2500];
	const struct hive *h;
	struct sample s;

	sample_init(&s);
	hive_builder_hide(&s.b, 0x2000);
	h = sample_open(&s);
	cr_assert(hive_cell(h, s.in_second, &cell, &fault));
	cr_assert_not(hive_cell_read(h, &cell, 0, bytes, sizeof(bytes), &fault));
	cr_expect_eq(fault.va, HIVE_BASE + s.b.bins[STORAGE_STABLE] + 0x2000);
	cr_expect_str_eq(fault.state, "not_captured");
	cr_assert(hive_cell_read(h, &cell, 0, bytes, 0x100, &fault));
	sample_close(&s);
}

/* Windows 7 and 8 name each block by its address. */
Test(hive, entries_with_block_addresses)
{
	struct hive_fault fault;
	struct hive_cell cell;
	struct space *space;
	struct sample s;
	uint64_t va;

	sample_init(&s);
	store_u64(s.b.bytes + HIVE_AT_TABLES, HIVE_BASE + s.b.bins[STORAGE_STABLE]);
	sample_open(&s);
	s.built.memory.fields[HIVE_BLOCK_ADDRESS] = s.built.memory.fields[HIVE_BLOCK_OFFSET];
	s.built.memory.fields[HIVE_BLOCK_OFFSET].present = false;
	s.built.memory.fields[HIVE_PERMANENT_BIN].present = false;
	cr_assert(hive_cell(&s.built.hive, s.root, &cell, &fault));
	cr_assert(hive_locate(&s.built.hive, s.root, &space, &va, &fault));
	cr_expect_eq(va, HIVE_BASE + s.b.bins[STORAGE_STABLE] + s.root);
	cr_expect_eq(space, s.built.space);
	sample_close(&s);
}

/* Some builds of Windows 10 map a bin only while it is used. */
Test(hive, entries_with_temporary_bins)
{
	uint8_t entry[HIVE_MAP_ENTRY_SIZE];
	struct hive_fault fault;
	struct hive_cell cell;
	struct sample s;

	sample_init(&s);
	memcpy(entry, s.b.bytes + HIVE_AT_TABLES, sizeof(entry));
	store_u64(s.b.bytes + HIVE_AT_TABLES + 8, 0);
	store_u64(s.b.bytes + HIVE_AT_TABLES + 16, load_u64(entry + 8));
	sample_open(&s);
	cr_expect_not(hive_cell(&s.built.hive, s.root, &cell, &fault));
	s.built.memory.fields[HIVE_TEMPORARY_BIN] = (struct field){ 16, 8, 0, 0, true };
	cr_expect(hive_cell(&s.built.hive, s.root, &cell, &fault));
	sample_close(&s);
}

Test(hive, bins_in_a_process)
{
	const uint64_t user = UINT64_C(0x1f46b001000);
	struct hive_fault fault;
	struct hive_cell cell;
	struct space *space;
	struct sample s;
	uint64_t va;

	sample_init(&s);
	store_u64(s.b.bytes + HIVE_AT_TABLES + 8, user);
	sample_open(&s);
	cr_expect_not(hive_cell(&s.built.hive, s.root, &cell, &fault));
	cr_expect(strstr(fault.why, "Registry"));
	s.built.memory.process = s.built.space;
	cr_assert(hive_locate(&s.built.hive, s.root, &space, &va, &fault));
	cr_expect_eq(va, user + s.root);
	sample_close(&s);
}

Test(hive, flat)
{
	struct hive_fault fault;
	struct hive_cell cell;
	struct sample s;

	sample_init(&s);
	store_u64(s.b.bytes + HIVE_AT_DIRECTORY, 0);
	s.b.bytes[0x10] = 1;
	sample_open(&s);
	cr_assert(s.built.hive.flat);
	cr_expect(hive_cell(&s.built.hive, s.in_third, &cell, &fault));
	cr_expect(hive_cell(&s.built.hive, s.in_volatile, &cell, &fault));
	sample_close(&s);
}

Test(hive, maps_with_nothing_in_them)
{
	struct hive_fault fault;
	struct hive_cell cell;
	struct sample s;

	sample_init(&s);
	store_u64(s.b.bytes + HIVE_AT_TABLES + 8, 0);
	store_u64(s.b.bytes + HIVE_AT_DIRECTORY + 8 * HIVE_MAX_TABLES, UINT64_MAX - 4);
	sample_open(&s);
	cr_expect_not(hive_cell(&s.built.hive, s.root, &cell, &fault));
	cr_expect(hive_cell(&s.built.hive, s.in_second, &cell, &fault));
	cr_expect_not(hive_cell(&s.built.hive, s.in_volatile, &cell, &fault));
	s.built.memory.map_entry_size = 8; /* the layout is not known after all */
	cr_expect_not(hive_cell(&s.built.hive, s.in_second, &cell, &fault));
	sample_close(&s);
}

Test(hive, no_hive)
{
	struct sample s;

	sample_init(&s);
	store_u32(s.b.bytes, 0x41414141);
	cr_expect_not(built_hive_open(&s.built, s.b.bytes, s.b.size, NULL, 0));
	sample_close(&s);
}

Test(hive, bins)
{
	static const uint32_t sizes[] = { 0x1000, 0x3000, 0x1000 };
	struct hive_bin bin;
	uint32_t offset = 0;
	struct sample s;

	sample_init(&s);
	sample_open(&s);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		cr_assert(hive_bin_at(&s.built.hive, offset, &bin));
		cr_expect_eq(bin.size, sizes[i]);
		cr_expect(bin.has_header);
		cr_expect_eq(bin.absent, 0);
		offset = hive_bin_end(&bin);
	}
	cr_expect_not(hive_bin_at(&s.built.hive, offset, &bin));
	cr_expect(hive_bin_at(&s.built.hive, CELL_VOLATILE, &bin));
	cr_expect_not(hive_bin_at(&s.built.hive, hive_bin_end(&bin), &bin));
	sample_close(&s);
}

/* What a hive's file gets. */
struct written {
	uint8_t bytes[0x6000];
	char kinds[0x6000]; /* 'c': copied, 'm': made, 'g': a gap */
	const struct hive *hive;
};

static struct error *write_copy(void *arg, uint64_t file_offset, uint32_t offset, size_t len)
{
	struct written *w = arg;
	struct hive_fault fault;
	bool there = hive_read_bytes(w->hive, offset, w->bytes + file_offset, len, &fault);

	for (size_t i = 0; i < len; i++) {
		cr_assert_eq(w->kinds[file_offset + i], 0);
		w->kinds[file_offset + i] = there ? 'c' : 'g';
	}
	return NULL;
}

static struct error *write_base(void *arg, uint64_t file_offset, uint64_t va, size_t len)
{
	struct written *w = arg;

	cr_assert(space_try_read(w->hive->memory->kernel, va, w->bytes + file_offset, len, NULL));
	memset(w->kinds + file_offset, 'c', len);
	return NULL;
}

static struct error *write_made(void *arg, uint64_t file_offset, const uint8_t *bytes, size_t len)
{
	struct written *w = arg;

	memcpy(w->bytes + file_offset, bytes, len);
	memset(w->kinds + file_offset, 'm', len);
	return NULL;
}

static void write_file(struct sample *s, struct written *w)
{
	const struct hive_file_writer writer = { write_copy, write_base, write_made, w };

	memset(w, 0, sizeof(*w));
	w->hive = sample_open(s);
	cr_assert_null(hive_file_write(w->hive, &writer));
	for (size_t i = 0; i < sizeof(w->kinds); i++)
		cr_assert_neq(w->kinds[i], 0, "0x%zx is not written", i);
}

static size_t count_kind(const struct written *w, char kind)
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(w->kinds); i++)
		count += w->kinds[i] == kind;
	return count;
}

Test(hive, file)
{
	static struct written w;
	struct sample s;

	sample_init(&s);
	write_file(&s, &w);
	cr_expect_eq(count_kind(&w, 'c'), sizeof(w.bytes));
	cr_expect_arr_eq(w.bytes, s.b.bytes + s.b.base_block, sizeof(w.bytes));
	sample_close(&s);
}

Test(hive, file_of_a_hive_in_use)
{
	static struct written w;
	struct sample s;

	sample_init(&s);
	store_u32(s.b.bytes + s.b.base_block + REGF_SEQUENCE1, 8);
	write_file(&s, &w);
	cr_expect_eq(load_u32(w.bytes + REGF_SEQUENCE2), 8);
	cr_expect_eq(count_kind(&w, 'm'), 4, "both differ by the same bits: the sum stays");
	cr_expect_eq(w.kinds[REGF_SEQUENCE2], 'm');
	sample_close(&s);
}

Test(hive, file_without_base_block)
{
	static struct written w;
	struct sample s;

	sample_init(&s);
	s.b.hidden[s.b.num_hidden++] = s.b.base_block;
	write_file(&s, &w);
	cr_expect_eq(count_kind(&w, 'm'), REGF_SIZE);
	cr_expect_eq(load_u32(w.bytes), REGF_SIGNATURE);
	cr_expect_eq(load_u32(w.bytes + REGF_ROOT_CELL), 0x20);
	cr_expect_eq(load_u32(w.bytes + REGF_LENGTH), 0x5000);
	sample_close(&s);
}

/* Where a bin of three blocks has lost its first: it is made again around what is left. */
Test(hive, file_without_a_header)
{
	static struct written w;
	struct sample s;

	sample_init(&s);
	hive_builder_hide(&s.b, 0x1000);
	write_file(&s, &w);
	cr_expect_eq(load_u32(w.bytes + 0x2000), BIN_SIGNATURE);
	cr_expect_eq(load_u32(w.bytes + 0x2000 + BIN_FILE_OFFSET), 0x1000);
	cr_expect_eq(load_u32(w.bytes + 0x2000 + BIN_SIZE), 0x3000);
	cr_expect_eq(load_u32(w.bytes + 0x2020), 0x3000 - 0x20, "one free cell");
	cr_expect_eq(count_kind(&w, 'm'), BIN_HEADER_SIZE + CELL_HEADER_SIZE);
	cr_expect_eq(count_kind(&w, 'g'), 0x1000 - BIN_HEADER_SIZE - CELL_HEADER_SIZE);
	cr_expect_arr_eq(w.bytes + 0x3000, s.b.bytes + s.b.bins[STORAGE_STABLE] + 0x2000, 0x3000);
	sample_close(&s);
}

/* The page in the middle of a bin: its first cell keeps its size, nothing behind is lost. */
Test(hive, file_with_a_hole_in_a_cell)
{
	static struct written w;
	struct sample s;

	sample_init(&s);
	hive_builder_hide(&s.b, 0x2000);
	write_file(&s, &w);
	cr_expect_eq(count_kind(&w, 'm'), 0);
	cr_expect_eq(count_kind(&w, 'g'), 0x1000);
	sample_close(&s);
}

/* The page where the next cell begins: what follows in the bin is one free cell. */
Test(hive, file_with_lost_cells)
{
	static struct written w;
	struct sample s;
	uint32_t next;

	sample_init(&s);
	next = s.in_second + 0x2508;
	cr_assert_eq(next >> 12, 3);
	hive_builder_hide(&s.b, next);
	write_file(&s, &w);
	cr_expect_eq(load_u32(w.bytes + REGF_SIZE + next), 0x4000 - next);
	cr_expect_eq(count_kind(&w, 'm'), CELL_HEADER_SIZE);
	cr_expect_eq(count_kind(&w, 'g'), 0x1000 - CELL_HEADER_SIZE);
	sample_close(&s);
}
