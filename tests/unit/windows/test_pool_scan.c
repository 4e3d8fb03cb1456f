/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fake_pools.h"
#include "windows/pool/pool_scan.h"
#include "windows/pool/reverse_map.h"

static struct fake_pools fake;

static void setup(void)
{
	fake_pools_init(&fake);
}

static void teardown(void)
{
	fake_pools_deinit(&fake);
}

TestSuite(pool_scan, .init = setup, .fini = teardown, .timeout = 60);

static const uint32_t tags[] = { POOL_TAG('T', 'e', 's', 't'), POOL_TAG('M', 'o', 'r', 'e') };

static struct pool_hits scan(uint32_t min_size)
{
	const struct pool_query query = { tags, ARRAY_SIZE(tags), min_size };
	struct pool_hits hits;

	cr_assert_null(pool_scan(&fake.k, &query, &hits));
	return hits;
}

Test(pool_scan, by_physical_address)
{
	fake_pools_block(&fake, FAKE_POOL_VA(0) + 0x40, "Test", 0x40, 2);
	fake_pools_block(&fake, FAKE_POOL_VA(2), "More", 0xff0, 3);
	fake_pools_block(&fake, FAKE_POOL_VA(2) + 0xff0, "Tes\xf4", 0x20, 0);
	fake_pools_block(&fake, FAKE_POOL_VA(3) + 0x80, "Else", 0x40, 2);
	fake_pools_open(&fake, NULL);
	struct pool_hits hits = scan(0);

	cr_assert_eq(hits.count, 3);
	const struct pool_hit want[] = {
		{ FAKE_POOL_PA(2), { true, FAKE_POOL_VA(2) }, tags[1], 0xff0, true, true },
		{ FAKE_POOL_PA(2) + 0xff0,
		  { true, FAKE_POOL_VA(2) + 0xff0 },
		  tags[0],
		  0x20,
		  false,
		  false },
		{ FAKE_POOL_PA(0) + 0x40,
		  { true, FAKE_POOL_VA(0) + 0x40 },
		  tags[0],
		  0x40,
		  true,
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		cr_expect_eq(hits.items[i].pa, want[i].pa);
		cr_expect(hits.items[i].va.present);
		cr_expect_eq(hits.items[i].va.value, want[i].va.value);
		cr_expect_eq(hits.items[i].tag, want[i].tag);
		cr_expect_eq(hits.items[i].size, want[i].size);
		cr_expect_eq(hits.items[i].in_use, want[i].in_use);
		cr_expect_eq(hits.items[i].paged, want[i].paged);
	}
	pool_hits_deinit(&hits);
}

/* Headers begin at multiples of 16, and have a size. */
Test(pool_scan, no_headers)
{
	fake_pools_block(&fake, FAKE_POOL_VA(0) + 0x48, "Test", 0x40, 2);
	fake_pools_block(&fake, FAKE_POOL_VA(0) + 0x104, "Test", 0x40, 2);
	fake_pools_block(&fake, FAKE_POOL_VA(0) + 0x200, "Test", 0, 2);
	fake_pools_block(&fake, FAKE_POOL_VA(0) + 0x300, "Test", 0x10, 2);
	fake_pools_block(&fake, FAKE_POOL_VA(0) + 0x400, "Test", 0x20, 2);
	fake_pools_block(&fake, FAKE_POOL_VA(0) + 0x500, "Test", 0x30, 2);
	fake_pools_open(&fake, NULL);
	struct pool_hits hits = scan(0x30);

	cr_assert_eq(hits.count, 1);
	cr_expect_eq(hits.items[0].va.value, FAKE_POOL_VA(0) + 0x500);
	pool_hits_deinit(&hits);
}

Test(pool_scan, absent_and_unmapped_pages)
{
	const uint64_t absent[] = { FAKE_POOL_PA(1), 0 };
	uint64_t unmapped = FAKE_POOL_VA(FAKE_POOL_PAGES - 1);

	fake_pools_block(&fake, FAKE_POOL_VA(0), "Test", 0x40, 2);
	fake_pools_block(&fake, FAKE_POOL_VA(1), "Test", 0x40, 2);
	fake_pools_block(&fake, unmapped, "Test", 0x40, 2);
	fake_pools_open(&fake, absent);
	struct pool_hits hits = scan(0);

	cr_assert_eq(hits.count, 2);
	cr_expect_eq(hits.items[0].pa, FAKE_POOL_PA(FAKE_POOL_PAGES - 1));
	cr_expect_not(hits.items[0].va.present);
	cr_expect_eq(hits.items[1].va.value, FAKE_POOL_VA(0));
	pool_hits_deinit(&hits);
}

Test(pool_scan, any_number_of_threads)
{
	struct pool_hits first, hits;

	for (unsigned i = 0; i < FAKE_POOL_PAGES; i++) {
		for (unsigned at = 0; at < PAGE_SIZE; at += 0x40)
			fake_pools_block(&fake, FAKE_POOL_VA(i) + at, at & 0x40 ? "Test" : "More",
					 0x40, 2);
	}
	fake_pools_open(&fake, NULL);
	fake.k.scan_threads = 1;
	first = scan(0);
	cr_expect_eq(first.count, FAKE_POOL_PAGES * PAGE_SIZE / 0x40);
	for (unsigned threads = 2; threads < 9; threads += 3) {
		fake.k.scan_threads = threads;
		hits = scan(0);
		cr_assert_eq(hits.count, first.count);
		for (size_t i = 0; i < hits.count; i++) {
			cr_expect_eq(hits.items[i].pa, first.items[i].pa);
			cr_expect_eq(hits.items[i].va.value, first.items[i].va.value);
		}
		pool_hits_deinit(&hits);
	}
	pool_hits_deinit(&first);
}

/* Memory full of headers: as many as there may be, and a word about the rest. */
Test(pool_scan, too_many)
{
	enum { BYTES = 4 << 20, LIMIT = 1 << 16 };
	uint8_t *bytes = calloc(1, BYTES);
	struct file file = { .fd = -1, .bytes = bytes, .size = BYTES };
	struct pool_hits hits;

	cr_assert(bytes);
	for (size_t at = 0; at < BYTES; at += POOL_UNIT)
		memcpy(bytes + at, "\0\0\4\2Test", 8);
	fake_pools_open(&fake, NULL);
	space_destroy(fake.k.space);
	paging_destroy(fake.k.paging);
	physmem_destroy(fake.snap.mem);
	cr_assert_null(physmem_create(&fake.snap.mem));
	cr_assert_null(physmem_add_file(fake.snap.mem, 0, BYTES, &file, 0));
	cr_assert_null(physmem_seal(fake.snap.mem));
	fake.k.paging = NULL;
	cr_assert_null(space_create_physical(fake.snap.mem, &fake.k.space));
	hits = scan(0);
	cr_expect_eq(hits.count, LIMIT);
	cr_expect_eq(hits.items[LIMIT - 1].pa, (uint64_t)(LIMIT - 1) * POOL_UNIT);
	cr_expect_eq(fake.diag.partial, 1);
	pool_hits_deinit(&hits);
	free(bytes);
}

Test(pool_scan, refused)
{
	uint32_t many[MAX_POOL_TAGS + 1] = { 0 };
	const struct pool_query too_many = { many, ARRAY_SIZE(many), 0 };
	const struct pool_query query = { tags, 1, 0 };
	struct pool_hits hits;
	struct error *err;

	fake_pools_open(&fake, NULL);
	err = pool_scan(&fake.k, &too_many, &hits);
	cr_assert(error_catch(&err, ERROR_LIMIT));
	physmem_destroy(fake.snap.mem);
	fake.snap.mem = NULL;
	err = pool_scan(&fake.k, &query, &hits);
	cr_assert(error_catch(&err, ERROR_UNSUPPORTED));
}

/* A page table that holds itself: the kernel's half is met over and over, and the walk ends. */
Test(pool_scan, tables_in_a_loop)
{
	uint64_t *root = (uint64_t *)(void *)(fake.bytes + FAKE_POOLS_ROOT);
	struct mapped_page pages[] = { { .pa = FAKE_POOL_PA(FAKE_POOL_PAGES - 1) },
				       { .pa = FAKE_POOL_PA(3) } };

	for (unsigned i = 0x181; i < 0x190; i++)
		root[i] = FAKE_POOLS_ROOT | 3;
	fake_pools_open(&fake, NULL);
	reverse_map_pages(&fake.k, pages, ARRAY_SIZE(pages));
	cr_expect_not(pages[0].va.present);
	cr_expect_eq(pages[1].va.value, FAKE_POOL_VA(3));
}
