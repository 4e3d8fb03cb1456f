/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "arch/amd64/table_cache.h"
#include "base/cursor.h"
#include "base/workers.h"

/* Pages that are made when asked for and must be given back; their first entry is their frame. */
enum { NUM_PAGES = TABLE_CACHE_MAX_PINS + 64, MISSING_PAGE = 7 };

static _Atomic size_t pinned;

static struct error *make_page(void *arg, uint64_t gfn, const uint8_t **ret, void **pin)
{
	uint8_t *page;

	(void)arg;
	*ret = NULL;
	if (gfn == MISSING_PAGE)
		return NULL;
	page = calloc(1, PAGE_SIZE);
	if (!page)
		return &error_no_memory;
	store_u64(page, gfn);
	atomic_fetch_add(&pinned, 1);
	*ret = *pin = page;
	return NULL;
}

static void release_page(void *arg, void *pin)
{
	(void)arg;
	atomic_fetch_sub(&pinned, 1);
	free(pin);
}

static bool next_pages(void *arg, uint64_t gfn, uint64_t *first, uint64_t *last)
{
	(void)arg;
	*first = gfn == MISSING_PAGE ? gfn + 1 : gfn;
	*last = gfn < MISSING_PAGE ? MISSING_PAGE - 1 : NUM_PAGES - 1;
	return *first <= *last;
}

static const struct page_source_ops pages = {
	.page = make_page,
	.release = release_page,
	.next = next_pages,
};

static struct physmem *mem;
static struct table_cache cache;

static void init(void)
{
	cr_assert_null(physmem_create(&mem));
	cr_assert_null(physmem_add_source(mem, 0, NUM_PAGES, &pages, NULL));
	cr_assert_null(physmem_seal(mem));
	table_cache_init(&cache, mem);
}

static void fini(void)
{
	physmem_destroy(mem);
}

TestSuite(table_cache, .init = init, .fini = fini);

static bool use(uint64_t gfn)
{
	struct table table;
	uint64_t entry;
	bool good;

	if (!table_open(&cache, gfn << PAGE_SHIFT, &table))
		return false;
	good = table_entry(&table, 0, &entry) && entry == gfn;
	table_close(&table);
	return good;
}

Test(table_cache, pins_are_kept_up_to_the_limit_and_given_back)
{
	for (int round = 0; round < 2; round++) {
		for (uint64_t gfn = 0; gfn < NUM_PAGES; gfn++)
			cr_assert_eq(use(gfn), gfn != MISSING_PAGE);
	}
	cr_expect_eq(pinned, TABLE_CACHE_MAX_PINS);
	table_cache_deinit(&cache);
	cr_expect_eq(pinned, 0);
}

Test(table_cache, empty_is_told_by_level)
{
	struct table table;

	cr_assert(table_open(&cache, PAGE_SIZE, &table));
	cr_expect(!table_is_empty(&table, 1));
	table_set_empty(&table, 1);
	table_close(&table);
	cr_assert(table_open(&cache, PAGE_SIZE, &table));
	cr_expect(table_is_empty(&table, 1));
	cr_expect(!table_is_empty(&table, 2));
	table_close(&table);
	table_cache_deinit(&cache);
}

static struct error *use_job(void *arg, size_t index)
{
	(void)arg;
	for (uint64_t i = 0; i < 256; i++) {
		if (!use(8 + (index * 31 + i) % 512))
			return error_new(ERROR_CORRUPT, "wrong table");
	}
	return NULL;
}

Test(table_cache, threads_share_it)
{
	cr_expect_null(workers_run(4, 64, use_job, NULL));
	table_cache_deinit(&cache);
	cr_expect_eq(pinned, 0);
}
