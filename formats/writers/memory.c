/* SPDX-License-Identifier: MIT */
#include "formats/writers/memory.h"

#include <stdlib.h>

#include "base/arena.h"

enum { MAX_RUNS = 1 << 28 };

static uint64_t first_page(uint64_t pa)
{
	return pa >> PAGE_SHIFT;
}

/* One past the last page that [.., end) reaches. */
static uint64_t end_page(uint64_t end)
{
	return (end + PAGE_MASK) >> PAGE_SHIFT;
}

/* Adds [start, end), which is above what is there; what adjoins it grows. */
static struct error *add_run(struct write_memory *m, uint64_t start, uint64_t end)
{
	struct write_run *last = m->count ? &m->runs[m->count - 1] : NULL;
	struct error *err;

	if (start >= end)
		return NULL;
	if (last && last->end == start) {
		m->slots += end_page(end) - end_page(start);
		m->pages += end_page(end) - end_page(start);
		last->end = end;
	} else {
		if ((err = array_reserve(&m->runs, &m->capacity, m->count + 1, sizeof(*m->runs),
					 MAX_RUNS, "runs of memory")))
			return err;
		m->runs[m->count++] = (struct write_run){ start, end, m->bytes, m->slots };
		m->slots += end_page(end) - first_page(start);
		m->pages += end_page(end) - first_page(start);
		if (m->count > 1 && end_page(m->runs[m->count - 2].end) > first_page(start))
			m->pages--;
	}
	m->bytes += end - start;
	return NULL;
}

/* Takes m; on success its runs are paid for. */
static struct error *settle(struct write_memory *m, struct error *err, struct block_cache *cache,
			    struct write_memory *ret)
{
	if (!err)
		err = block_cache_reserve(cache, m->capacity * sizeof(*m->runs),
					  "the runs of memory to write");
	if (err)
		write_memory_deinit(m);
	else
		*ret = *m;
	return err;
}

struct error *write_memory_init(struct physmem *mem, struct block_cache *cache,
				struct write_memory *ret)
{
	struct write_memory m = { 0 };
	struct mem_range range;
	struct error *err = NULL;

	for (uint64_t pa = 0; !err && physmem_next(mem, pa, false, &range); pa = range.end)
		err = add_run(&m, range.start, range.end);
	return settle(&m, err, cache, ret);
}

void write_memory_deinit(struct write_memory *m)
{
	free(m->runs);
	*m = (struct write_memory){ 0 };
}

/* The pages of one run that stay, put together while they are neighbours. */
static struct error *filter_run(const struct write_run *run, const struct page_set *set, bool keep,
				struct write_memory *to)
{
	uint64_t base = first_page(run->start), count = end_page(run->end) - base;
	struct error *err = NULL;

	for (uint64_t i = 0; i < count && !err; i++) {
		uint64_t start = (base + i) << PAGE_SHIFT, end = start + PAGE_SIZE;

		if (set && page_set_has_slot(set, run->slot + i) != keep)
			continue;
		err = add_run(to, start > run->start ? start : run->start,
			      end < run->end ? end : run->end);
	}
	return err;
}

static struct write_run trim_to_pages(const struct write_run *run)
{
	struct write_run ret = *run;

	if (ret.start & PAGE_MASK)
		ret.slot++;
	ret.start = end_page(ret.start) << PAGE_SHIFT;
	ret.end = first_page(ret.end) << PAGE_SHIFT;
	return ret;
}

struct error *write_memory_filter(const struct write_memory *m, const struct page_set *set,
				  bool keep, bool whole_pages, struct block_cache *cache,
				  struct write_memory *ret)
{
	struct write_memory filtered = { 0 };
	struct error *err = NULL;

	for (size_t i = 0; i < m->count && !err; i++) {
		struct write_run run = whole_pages ? trim_to_pages(&m->runs[i]) : m->runs[i];

		if (run.start >= run.end)
			continue;
		err = set ? filter_run(&run, set, keep, &filtered)
			  : add_run(&filtered, run.start, run.end);
	}
	return settle(&filtered, err, cache, ret);
}

uint64_t write_memory_end(const struct write_memory *m)
{
	return m->count ? m->runs[m->count - 1].end : 0;
}

size_t write_memory_at(const struct write_memory *m, uint64_t stream)
{
	size_t low = 0, high = m->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (m->runs[middle].stream <= stream)
			low = middle;
		else
			high = middle;
	}
	return low;
}

size_t write_memory_find(const struct write_memory *m, uint64_t pa)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->runs[middle].end <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct error *page_set_init(const struct write_memory *m, struct block_cache *cache,
			    struct page_set *ret)
{
	uint64_t words = m->slots / 64 + 1;
	struct error *err = block_cache_reserve(cache, words * sizeof(uint64_t), "a set of pages");
	uint64_t *bits;

	if (err)
		return err;
	if (!(bits = calloc(words, sizeof(*bits))))
		return &error_no_memory;
	*ret = (struct page_set){ .memory = m, .bits = bits };
	return NULL;
}

void page_set_deinit(struct page_set *set)
{
	free(set->bits);
	*set = (struct page_set){ 0 };
}

static void add_slot(struct page_set *set, uint64_t slot)
{
	uint64_t bit = UINT64_C(1) << (slot % 64);

	if (!(__atomic_fetch_or(&set->bits[slot / 64], bit, __ATOMIC_RELAXED) & bit))
		__atomic_fetch_add(&set->count, 1, __ATOMIC_RELAXED);
}

void page_set_add(struct page_set *set, uint64_t pa, uint64_t len)
{
	const struct write_memory *m = set->memory;
	uint64_t first = first_page(pa), end = end_page(pa + len);

	/* in pages, so that the other run of a page that two share is found, too */
	for (size_t i = write_memory_find(m, first << PAGE_SHIFT); i < m->count && len; i++) {
		const struct write_run *run = &m->runs[i];
		uint64_t base = first_page(run->start), run_end = end_page(run->end);

		if (base >= end)
			break;
		for (uint64_t page = first > base ? first : base; page < end && page < run_end;
		     page++)
			add_slot(set, run->slot + (page - base));
	}
}

bool write_memory_has(const struct write_memory *m, uint64_t pa, uint64_t len)
{
	size_t i = write_memory_find(m, pa);

	return i < m->count && m->runs[i].start < pa + len;
}

bool page_set_has(const struct page_set *set, uint64_t pa)
{
	const struct write_memory *m = set->memory;
	uint64_t page = first_page(pa);
	size_t i = write_memory_find(m, page << PAGE_SHIFT);

	if (i == m->count || first_page(m->runs[i].start) > page)
		return false;
	return page_set_has_slot(set, m->runs[i].slot + (page - first_page(m->runs[i].start)));
}

bool page_set_has_slot(const struct page_set *set, uint64_t slot)
{
	return set->bits[slot / 64] >> (slot % 64) & 1;
}
