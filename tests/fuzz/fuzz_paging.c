/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "fuzz.h"
#include "tests/memfile.h"
#include "windows/paging/private.h"
#include "windows/regions/vad_tree.h"

/*
 * A machine of 16 pages with a page file of 4 and a store, from a list of writes: {page u8, how
 * many u8, index u16, value u64}. Tables for a user's and the kernel's first pages are there
 * before. Whatever they become: walks, translations, reads and iteration agree and end.
 */
enum {
	PAGES = 16,
	ABSENT_PAGE = 15,
	FILE_PAGES = 4,
	ENTRIES = 512,
	MAX_WRITES = 256,
	MAX_RANGES = 256,
	ROOT = 1,
	USER_PDPT,
	USER_PD,
	USER_PT,
	KERNEL_PDPT,
	KERNEL_PD,
	KERNEL_PT,
	KERNEL_PAGES, /* the kernel's first pages, up to the last */
	TABLE_BITS = PTE_PRESENT | PTE_WRITE | PTE_USER,
	STORE_FILE = 2,
};
#define KERNEL_BASE UINT64_C(0xffff800000000000)
#define EPROCESS    (KERNEL_BASE + 0x1000)

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct fuzzed {
	uint8_t *bytes;
	struct file file;
	struct physmem *mem;
	struct paging *paging;
	struct space *space;
};

static const struct windows_pte_config config = { .known = true,
						  .invalid_pte_mask = WINDOWS_PTE_USUAL_MASK };

static uint64_t pa_of(unsigned page)
{
	return (uint64_t)page << PAGE_SHIFT;
}

static void set_entry(struct fuzzed *f, unsigned page, unsigned index, uint64_t entry)
{
	store_u64(f->bytes + pa_of(page) + index * 8, entry);
}

/* The layout of a true build, looked up once. */
static void bind_vads(struct vad_reader *ret)
{
	static struct vad_reader bound;
	const struct profile_key key = { .build = 19041 };
	const struct profile_options options = { 0 };
	struct profile *profile;
	struct diag diag;

	if (!bound.known) {
		diag_init(&diag, NULL, NULL);
		must(!profile_open(&key, &options, &diag, &profile));
		must(!profile_bind(profile, vad_field_rows, vad_num_fields, bound.fields));
		vad_reader_bind(&bound);
		profile_close(profile);
		must(bound.known);
	}
	*ret = bound;
}

static void make_tables(struct fuzzed *f)
{
	set_entry(f, ROOT, 0, pa_of(USER_PDPT) | TABLE_BITS);
	set_entry(f, USER_PDPT, 0, pa_of(USER_PD) | TABLE_BITS);
	set_entry(f, USER_PD, 0, pa_of(USER_PT) | TABLE_BITS);
	set_entry(f, ROOT, 256, pa_of(KERNEL_PDPT) | TABLE_BITS);
	set_entry(f, KERNEL_PDPT, 0, pa_of(KERNEL_PD) | TABLE_BITS);
	set_entry(f, KERNEL_PD, 0, pa_of(KERNEL_PT) | TABLE_BITS);
	for (unsigned i = 0; KERNEL_PAGES + i < PAGES; i++)
		set_entry(f, KERNEL_PT, i, pa_of(KERNEL_PAGES + i) | TABLE_BITS);
}

static void take_writes(struct fuzzed *f, struct cursor *c)
{
	uint8_t page, count;
	uint16_t index;
	uint64_t value;

	for (unsigned i = 0; i < MAX_WRITES; i++) {
		if (!cur_u8(c, &page) || !cur_u8(c, &count) || !cur_u16(c, &index) ||
		    !cur_u64(c, &value))
			return;
		for (unsigned n = 0; n <= count; n++)
			set_entry(f, page % PAGES, (index + n) % ENTRIES, value);
	}
}

/* The page file shows the machine's own first pages, so that its tables come up in it. */
static void open_paging(struct fuzzed *f)
{
	char path[MEMFILE_PATH_SIZE];
	const char *words[] = { path };
	int fd = memfile_create(f->bytes + pa_of(USER_PDPT), FILE_PAGES * PAGE_SIZE, path);
	struct paging *p;

	must(!paging_create(f->mem, 4, &config, words, 1, &f->paging));
	close(fd);
	p = f->paging;
	must(!paging_open_following(p, pa_of(ROOT), 0, 0, &p->plain));
	bind_vads(&p->vads);
	p->vads.space = p->plain;
	p->has_store = true;
	p->store_file = STORE_FILE;
	p->store = (struct store){ store_layout_of(19041), p->plain, KERNEL_BASE + 0x2000 };
	p->dtb = (struct field){ .offset = 0x28, .size = 8, .present = true };
	p->started = true;
	must(!paging_open_space(p, pa_of(ROOT), EPROCESS, &f->space));
}

static void check_walk(struct space *s, uint64_t va, struct walk *w)
{
	uint8_t byte, again;
	uint64_t pa = 0;
	bool ok;

	space_walk(s, va, w);
	must(w->num_steps <= WALK_MAX_STEPS && w->state < NUM_VA_STATES);
	must(space_translate(s, va, &pa) == w->state && (!w->has_pa || pa == w->pa));
	ok = space_try_read(s, va, &byte, 1, NULL);
	must(ok == w->has_bytes);
	must(space_try_read(s, va, &again, 1, NULL) == ok && (!ok || byte == again));
	must(!w->has_bytes || w->state != VA_NOT_PRESENT);
	must(w->state != VA_DEMAND_ZERO || (ok && byte == 0));
}

static void check_range(struct space *s, const struct va_range *r)
{
	const uint64_t points[] = { r->start, r->start + (r->last - r->start) / 2, r->last };
	struct walk w;

	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		check_walk(s, points[i], &w);
		if (r->repeat) /* tables and pages shown over and over: fuzz_walk */
			continue;
		must(w.state == r->state && w.has_pa == r->has_pa);
		must(!r->has_pa || w.pa == r->pa + (points[i] - r->start));
	}
}

static void check_ranges(struct space *s, uint64_t va)
{
	struct va_range r;

	for (unsigned i = 0; i < MAX_RANGES && space_next(s, va, &r); i++) {
		must(r.start >= va && r.last >= r.start);
		check_range(s, &r);
		va = r.last + 1;
		if (!va)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzzed f = { .bytes = calloc(PAGES, PAGE_SIZE) };
	struct cursor c;
	struct walk w;

	must(f.bytes);
	f.file = (struct file){ .fd = -1, .bytes = f.bytes, .size = PAGES * PAGE_SIZE };
	cur_init(&c, data, size, 0);
	make_tables(&f);
	take_writes(&f, &c);
	must(!physmem_create(&f.mem));
	must(!physmem_add_file(f.mem, 0, ABSENT_PAGE * PAGE_SIZE, &f.file, 0));
	must(!physmem_seal(f.mem));
	open_paging(&f);
	for (uint64_t va = 0; va < 24 * PAGE_SIZE; va += PAGE_SIZE) {
		check_walk(f.space, va, &w);
		check_walk(f.space, va + (UINT64_C(1) << 21), &w);
		check_walk(f.paging->plain, KERNEL_BASE + va, &w);
	}
	check_ranges(f.space, 0);
	check_ranges(f.space, KERNEL_BASE);
	space_destroy(f.space);
	paging_destroy(f.paging);
	physmem_destroy(f.mem);
	free(f.bytes);
	return 0;
}
