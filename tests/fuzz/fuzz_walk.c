/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "fuzz.h"

/*
 * Page tables of a few pages, from a list of writes: page, index, how many entries, target page,
 * 16 flag bits. Whatever they are, the walk and the iteration agree and end.
 */
enum {
	PAGES = 16,
	ABSENT_PAGE = 14,		/* not captured */
	PARTIAL_END = 15 << 12 | 0x3e4, /* of page 15 only this much is, half an entry included */
	MAX_WRITES = 64,
	MAX_RANGES = 256,
	ENTRIES = 512,
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static enum va_state classify(const void *arg, uint64_t entry, enum page_level level, uint64_t *pa)
{
	(void)arg;
	(void)level;
	*pa = entry & PTE_PFN_MASK;
	return entry & 1 << 11 ? VA_TRANSITION : entry & 1 << 10 ? VA_PAGEFILE : VA_NOT_PRESENT;
}

static const struct soft_pte_ops soft = { .classify = classify };

static bool is_listed(enum va_state state)
{
	return state == VA_MAPPED || state == VA_NOT_CAPTURED || state == VA_TRANSITION ||
	       state == VA_TABLE_NOT_CAPTURED;
}

static void check_walk(struct space *s, uint64_t va, struct walk *w)
{
	uint64_t pa = 0;
	uint8_t byte;

	space_walk(s, va, w);
	must(w->num_steps <= s->levels);
	must(space_translate(s, va, &pa) == w->state);
	must(!w->has_pa || pa == w->pa);
	must(space_translate(s, va, &pa) == w->state);
	must(space_try_read(s, va, &byte, 1, NULL) ==
	     (w->state == VA_MAPPED || w->state == VA_TRANSITION));
}

/* An alias has what its preceding instance has. */
static void check_alias(struct space *s, const struct va_range *r, uint64_t va)
{
	struct walk here, before;

	check_walk(s, va, &here);
	check_walk(s, va - r->repeat, &before);
	must(here.state == before.state && here.has_pa == before.has_pa && here.pa == before.pa &&
	     here.page_size == before.page_size && here.access == before.access);
}

static void check_point(struct space *s, const struct va_range *r, uint64_t va)
{
	uint64_t pa = r->pa + (va - r->start);
	struct walk w;

	if (r->repeat && !r->has_pa) {
		check_alias(s, r, va);
		return;
	}
	if (r->repeat)
		pa = (r->pa & ~(r->repeat - 1)) | (va & (r->repeat - 1));
	check_walk(s, va, &w);
	must(w.state == r->state && w.has_pa == r->has_pa && w.access == r->access &&
	     w.page_size == r->page_size && (!r->has_pa || w.pa == pa));
}

static void check_hole(struct space *s, uint64_t start, uint64_t last)
{
	uint64_t points[] = { start, start + (last - start) / 2, last };
	struct walk w;

	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		check_walk(s, points[i], &w);
		must(!is_listed(w.state));
	}
}

static void check_ranges(struct space *s, uint64_t va)
{
	struct va_range r;

	for (unsigned i = 0; i < MAX_RANGES; i++) {
		if (!space_next(s, va, &r)) {
			check_hole(s, va, UINT64_MAX);
			return;
		}
		must(r.start >= va && r.last >= r.start && is_listed(r.state));
		if (r.start > va)
			check_hole(s, va, r.start - 1);
		check_point(s, &r, r.start);
		check_point(s, &r, r.start + (r.last - r.start) / 2);
		check_point(s, &r, r.last);
		va = r.last + 1;
		if (!va)
			return;
	}
}

static void count_gap(void *arg, uint64_t va, uint64_t length, enum va_state state)
{
	(void)va;
	must(length > 0 && state != VA_MAPPED && state != VA_TRANSITION);
	*(size_t *)arg += length;
}

static void check_partial(struct space *s, uint64_t va)
{
	uint8_t buf[3 * PAGE_SIZE];
	size_t absent = 0, filled;

	filled = space_read_partial(s, va, buf, sizeof(buf), count_gap, &absent);
	must(filled + absent == sizeof(buf));
	must(space_try_read(s, va, buf, sizeof(buf), NULL) == !absent);
}

static void write_entries(struct cursor *c, uint8_t *bytes)
{
	uint8_t page, count, target, index;
	uint16_t flags;

	for (unsigned i = 0; i < MAX_WRITES; i++) {
		if (!cur_u8(c, &page) || !cur_u8(c, &index) || !cur_u8(c, &count) ||
		    !cur_u8(c, &target) || !cur_u16(c, &flags))
			return;
		for (unsigned n = 0; n <= count * 2U; n++) {
			size_t at = (index * 2U + n + (page >> 4)) % ENTRIES;
			uint64_t entry = (uint64_t)(target % (PAGES + 4)) << 12;

			entry |= (flags & 0xfff) | (uint64_t)(flags & 0x7000) |
				 (uint64_t)(flags >> 15) << 63;
			store_u64(bytes + (size_t)(page % PAGES) * PAGE_SIZE + at * 8, entry);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = calloc(PAGES, PAGE_SIZE);
	struct file file = { .fd = -1, .bytes = bytes, .size = PAGES * PAGE_SIZE };
	struct physmem *mem = NULL;
	struct space *s = NULL;
	struct error *err;
	struct cursor c;
	uint64_t va;
	uint8_t mode;

	must(bytes);
	cur_init(&c, data, size, 0);
	if (!cur_u8(&c, &mode) || !cur_u64(&c, &va)) {
		free(bytes);
		return 0;
	}
	write_entries(&c, bytes);
	err = physmem_create(&mem);
	must(!err);
	err = physmem_add_file(mem, 0, ABSENT_PAGE * PAGE_SIZE, &file, 0);
	must(!err);
	err = physmem_add_file(mem, 15 * PAGE_SIZE, PARTIAL_END - 15 * PAGE_SIZE, &file,
			       15 * PAGE_SIZE);
	must(!err);
	err = physmem_seal(mem);
	must(!err);
	err = space_create_amd64(mem, (uint64_t)(mode >> 4) << 12, mode & 1 ? 5 : 4,
				 mode & 2 ? &soft : NULL, NULL, &s);
	must(!err);
	check_ranges(s, 0);
	check_ranges(s, va);
	check_partial(s, va);
	space_destroy(s);
	physmem_destroy(mem);
	free(bytes);
	return 0;
}
