/* SPDX-License-Identifier: MIT */
#include "windows/paging/paging.h"

#include "tests/memfile.h"
#include "tests/unit/arch/fake_tables.h"
#include "windows/paging/mask.h"
#include "windows/paging/private.h"
#include "windows/regions/vad_tree.h"

/*
 * A machine of 16 pages and a page file of 8:
 *
 *	page 1 root -> user 2 PDPT -> 3 PD -> 4 PT, page table in the page file, 5 PT in transition
 *	            -> kernel 6 PDPT -> 7 PD -> 8 PT -> 9 prototype PTEs, 10 VADs,
 *	                            one in the page file, one behind a prototype PTE
 *	11 A, 12 B: pages of users
 */
enum {
	ROOT = 1,
	USER_PDPT,
	USER_PD,
	USER_PT,
	SOFT_PT,
	KERNEL_PDPT,
	KERNEL_PD,
	KERNEL_PT,
	PROTOS,
	VADS,
	A,
	B,
	FILE_PAGES = 8,
	PT_SPAN = 0x200000,
	ABSENT = 40, /* no page of the machine */
};
#define KERNEL	     UINT64_C(0xffff800000000000)
#define PROTO(n)     (KERNEL + 8 * (n))
#define VAD_PAGE     (KERNEL + 0x1000)
#define PAGED_POOL   (KERNEL + 0x2000)
#define PROTO_POOL   (KERNEL + 0x3000)
#define EPROCESS     VAD_PAGE
#define PROCESS_SIZE 0xc00
#define MAPPED_VAD   (VAD_PAGE + PROCESS_SIZE)
#define PRIVATE_VAD  (VAD_PAGE + PROCESS_SIZE + 0x100)
#define LOOKUP	     UINT64_C(0xffffffff00000460)

/* Entries of the user's PT, and what must come of them. */
enum { HAS_PA = 1, HAS_BYTES = 2, IN_FILE = 4 };

struct expected {
	const char *what;
	uint64_t entry;
	uint64_t proto; /* value of PROTO(n), n being the row's number; 0: none */
	enum va_state state;
	unsigned has;
	uint64_t where; /* pa, or offset in the page file */
	uint8_t byte;	/* the first of the page */
	unsigned steps; /* of the walk */
};

static uint64_t to_proto(uint64_t va)
{
	return va << 16 | WINDOWS_PTE_PROTOTYPE;
}

#define TRANSITION(page) (PAGE(page) | WINDOWS_PTE_TRANSITION | WINDOWS_PTE_SWIZZLE)
#define IN_PAGEFILE(page, number) \
	((uint64_t)(page) << 32 | (uint64_t)(number) << 12 | WINDOWS_PTE_SWIZZLE)
#define AT_PROTO UINT64_C(1) /* made to_proto(PROTO(row)) */

static const struct expected rows[] = {
	{ "mapped", PAGE(A) | TABLE, 0, VA_MAPPED, HAS_PA | HAS_BYTES, PAGE(A), 0xa, 4 },
	{ "transition", TRANSITION(B), 0, VA_TRANSITION, HAS_PA | HAS_BYTES, PAGE(B), 0xb, 4 },
	{ "transition, absent", TRANSITION(ABSENT), 0, VA_NOT_CAPTURED, HAS_PA, PAGE(ABSENT), 0,
	  4 },
	{ "demand zero", 0x80, 0, VA_DEMAND_ZERO, HAS_BYTES, 0, 0, 4 },
	{ "taken back", 0x200, 0, VA_NOT_PRESENT, 0, 0, 0, 4 },
	{ "page file", IN_PAGEFILE(1, 0), 0, VA_PAGEFILE, HAS_BYTES | IN_FILE, 0x1000, 0xf1, 4 },
	{ "another file", IN_PAGEFILE(1, 3), 0, VA_PAGEFILE, IN_FILE, 0x1000, 0, 4 },
	{ "past its end", IN_PAGEFILE(8, 0), 0, VA_PAGEFILE, IN_FILE, 0x8000, 0, 4 },
	{ "far past its end", IN_PAGEFILE(UINT32_MAX, 0), 0, VA_PAGEFILE, IN_FILE,
	  UINT64_C(0xffffffff000), 0, 4 },
	{ "store, none known", IN_PAGEFILE(1, 2), 0, VA_PAGEFILE, IN_FILE, 0x1000, 0, 4 },
	{ "prototype, valid", AT_PROTO, PAGE(A) | PTE_PRESENT, VA_PROTOTYPE, HAS_PA | HAS_BYTES,
	  PAGE(A), 0xa, 5 },
	{ "prototype, transition", AT_PROTO, TRANSITION(B), VA_PROTOTYPE, HAS_PA | HAS_BYTES,
	  PAGE(B), 0xb, 5 },
	{ "prototype, absent page", AT_PROTO, PAGE(ABSENT) | PTE_PRESENT, VA_NOT_CAPTURED, HAS_PA,
	  PAGE(ABSENT), 0, 5 },
	{ "prototype, page file", AT_PROTO, IN_PAGEFILE(2, 0), VA_PAGEFILE, HAS_BYTES | IN_FILE,
	  0x2000, 0xf2, 5 },
	{ "prototype, zeros", AT_PROTO, 0x80, VA_DEMAND_ZERO, HAS_BYTES, 0, 0, 5 },
	{ "prototype, subsection", AT_PROTO, UINT64_C(0x8000123456780460), VA_PROTOTYPE, 0, 0, 0,
	  5 },
	{ "prototype, pointer to what backs it", AT_PROTO, UINT64_C(0xffffa00012345c80),
	  VA_PROTOTYPE, 0, 0, 0, 5 },
	{ "prototype, no page", AT_PROTO, 0, VA_PROTOTYPE, 0, 0, 0, 5 },
	{ "prototype of itself", AT_PROTO, AT_PROTO, VA_PROTOTYPE, 0, 0, 0, 5 },
	{ "prototype by the VAD that says so again", AT_PROTO, LOOKUP, VA_PROTOTYPE, 0, 0, 0, 5 },
	{ "prototype in paged pool", UINT64_C(1) << 63 | (PAGED_POOL + 8) << 16 | 0x400, 0,
	  VA_PROTOTYPE, HAS_PA | HAS_BYTES, PAGE(B), 0xb, 5 },
	{ "prototype behind a prototype", UINT64_C(1) << 63 | PROTO_POOL << 16 | 0x400, 0,
	  VA_PROTOTYPE, 0, 0, 0, 5 },
	{ "prototype nowhere", UINT64_C(0x8000700000000400), 0, VA_PROTOTYPE, 0, 0, 0, 5 },
	{ "prototype, unaligned", UINT64_C(0x8000000000040400), 0, VA_PROTOTYPE, 0, 0, 0, 5 },
	/* regions: PROTO(32..35) of 24 to 27, private 28 and 29 */
	{ "VAD, valid", LOOKUP, 0, VA_PROTOTYPE, HAS_PA | HAS_BYTES, PAGE(B), 0xb, 5 },
	{ "VAD, nothing in the tables", 0, 0, VA_PROTOTYPE, HAS_PA | HAS_BYTES, PAGE(A), 0xa, 5 },
	{ "VAD, page file", LOOKUP, 0, VA_PAGEFILE, HAS_BYTES | IN_FILE, 0x2000, 0xf2, 5 },
	{ "VAD, past its array", LOOKUP, 0, VA_PROTOTYPE, 0, 0, 0, 4 },
	{ "private, nothing yet", 0, 0, VA_DEMAND_ZERO, HAS_BYTES, 0, 0, 4 },
	{ "private, to be looked up", LOOKUP, 0, VA_PROTOTYPE, 0, 0, 0, 4 },
	{ "no region", 0, 0, VA_NOT_PRESENT, 0, 0, 0, 4 },
	{ "no region, to be looked up", LOOKUP, 0, VA_PROTOTYPE, 0, 0, 0, 4 },
};
enum {
	FIRST_VAD_ROW = 24,
	NUM_VAD_PAGES = 4,
	FIRST_PRIVATE_ROW = 28,
	NUM_PRIVATE_PAGES = 2,
	VAD_PROTOS = 32, /* the number of the first prototype PTE of the mapped region */
};

static struct fake_machine machine;
static struct windows_pte_config config;
static struct paging *paging;
static struct space *space;
static struct vad_reader vads;

static uint64_t row_va(size_t row)
{
	return row * PAGE_SIZE;
}

static void put_va(uint64_t va, uint64_t value)
{
	store_u64(machine.bytes + PAGE(VADS) + (va - VAD_PAGE), value);
}

static void put_field(uint64_t va, unsigned field, uint64_t value)
{
	const struct field *f = &vads.fields[field];
	uint8_t *at = machine.bytes + PAGE(VADS) + (va - VAD_PAGE) + f->offset;
	uint64_t old = 0;

	cr_assert(f->present && f->size <= sizeof(old));
	memcpy(&old, at, f->size);
	if (f->bit_size)
		value = old | value << f->bit_pos;
	memcpy(at, &value, f->size);
}

static void put_vad(uint64_t va, size_t first_row, size_t pages)
{
	put_field(va, VAD_START, first_row);
	put_field(va, VAD_END, first_row + pages - 1);
}

/* Offsets of a true build; the process has the private region at its root, the mapped one left. */
static void make_vads(void)
{
	const struct profile_key key = { .build = 19041 };
	const struct profile_options options = { 0 };
	struct profile *profile;
	struct diag diag;

	diag_init(&diag, NULL, NULL);
	cr_assert_null(profile_open(&key, &options, &diag, &profile));
	cr_assert_null(profile_bind(profile, vad_field_rows, vad_num_fields, vads.fields));
	vad_reader_bind(&vads);
	cr_assert(vads.known);
	profile_close(profile);
	cr_assert(vads.fields[VAD_ROOT].offset < PROCESS_SIZE);
	put_va(EPROCESS + vads.fields[VAD_ROOT].offset, PRIVATE_VAD);
	put_vad(PRIVATE_VAD, FIRST_PRIVATE_ROW, NUM_PRIVATE_PAGES);
	put_field(PRIVATE_VAD, VAD_PRIVATE, 1);
	put_field(PRIVATE_VAD, VAD_MEM_COMMIT, 1);
	put_field(PRIVATE_VAD, VAD_LEFT, MAPPED_VAD);
	put_vad(MAPPED_VAD, FIRST_VAD_ROW, NUM_VAD_PAGES);
	put_field(MAPPED_VAD, VAD_PARENT, PRIVATE_VAD);
	put_field(MAPPED_VAD, VAD_FIRST_PTE, PROTO(VAD_PROTOS));
	put_field(MAPPED_VAD, VAD_LAST_PTE, PROTO(VAD_PROTOS + 2));
}

static void make_user(void)
{
	static const uint64_t protos[] = { PAGE(B) | PTE_PRESENT, PAGE(A) | PTE_PRESENT,
					   IN_PAGEFILE(2, 0) };

	set_entry(&machine, ROOT, 0, PAGE(USER_PDPT) | TABLE);
	set_entry(&machine, USER_PDPT, 0, PAGE(USER_PD) | TABLE);
	set_entry(&machine, USER_PD, 0, PAGE(USER_PT) | TABLE);
	set_entry(&machine, USER_PD, 1, IN_PAGEFILE(4, 0));
	set_entry(&machine, USER_PD, 2, TRANSITION(SOFT_PT));
	set_entry(&machine, USER_PD, 3, IN_PAGEFILE(9, 0)); /* a table that is not to be had */
	set_entry(&machine, SOFT_PT, 7, 0x80);
	set_entry(&machine, SOFT_PT, 8, PAGE(A) | TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t entry = rows[i].entry, proto = rows[i].proto;

		entry = entry == AT_PROTO ? to_proto(PROTO(i)) : entry;
		proto = proto == AT_PROTO ? to_proto(PROTO(i)) : proto;
		set_entry(&machine, USER_PT, (unsigned)i, entry);
		set_entry(&machine, PROTOS, (unsigned)i, proto);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(protos); i++)
		set_entry(&machine, PROTOS, VAD_PROTOS + i, protos[i]);
}

static void make_kernel(void)
{
	set_entry(&machine, ROOT, 256, PAGE(KERNEL_PDPT) | TABLE);
	set_entry(&machine, KERNEL_PDPT, 0, PAGE(KERNEL_PD) | TABLE);
	set_entry(&machine, KERNEL_PD, 0, PAGE(KERNEL_PT) | TABLE);
	set_entry(&machine, KERNEL_PT, 0, PAGE(PROTOS) | TABLE);
	set_entry(&machine, KERNEL_PT, 1, PAGE(VADS) | TABLE);
	set_entry(&machine, KERNEL_PT, 2, IN_PAGEFILE(3, 0));
	set_entry(&machine, KERNEL_PT, 3, to_proto(PROTO(10)));
	memset(machine.bytes + PAGE(A), 0xa, PAGE_SIZE);
	memset(machine.bytes + PAGE(B), 0xb, PAGE_SIZE);
}

/* Page n begins with 0xf0 + n, but for those that are tables. */
static int make_pagefile(char path[MEMFILE_PATH_SIZE])
{
	static uint8_t bytes[FILE_PAGES * PAGE_SIZE];

	for (unsigned i = 0; i < FILE_PAGES; i++)
		memset(bytes + PAGE(i), (int)(0xf0 + i), PAGE_SIZE);
	memset(bytes + PAGE(3), 0, 2 * PAGE_SIZE);
	store_u64(bytes + PAGE(3) + 8, PAGE(B) | PTE_PRESENT);
	store_u64(bytes + PAGE(4), TRANSITION(A));
	store_u64(bytes + PAGE(4) + 8, PAGE(A) | TABLE);
	store_u64(bytes + PAGE(4) + 16, IN_PAGEFILE(1, 0));
	return memfile_create(bytes, sizeof(bytes), path);
}

static void open_paging(void)
{
	char path[MEMFILE_PATH_SIZE];
	const char *words[] = { path };
	int fd = make_pagefile(path);

	make_kernel();
	make_vads();
	make_user();
	config = (struct windows_pte_config){ .known = true };
	capture(&machine, 0, sizeof(machine.bytes));
	cr_assert_null(physmem_seal(machine.mem));
	cr_assert_null(paging_create(machine.mem, 4, &config, words, 1, &paging));
	close(fd);
	cr_assert_null(paging_open_following(paging, PAGE(ROOT), 0, 0, &paging->plain));
	vads.space = paging->plain;
	paging->vads = vads;
	paging->started = true;
	cr_assert_null(paging_open_space(paging, PAGE(ROOT), EPROCESS, &space));
}

static void close_paging(void)
{
	space_destroy(space);
	paging_destroy(paging);
	physmem_destroy(machine.mem);
}

static bool read_byte(uint64_t va, uint8_t *ret, struct fault *fault)
{
	return space_try_read(space, va, ret, 1, fault);
}

static void check_row(size_t i)
{
	const struct expected *row = &rows[i];
	uint64_t va = row_va(i) + 0x10, pa = 0;
	bool has_bytes = row->has & HAS_BYTES;
	struct fault fault = { 0 };
	uint8_t byte = 0xff;
	struct walk w;

	space_walk(space, va, &w);
	cr_expect_eq(w.state, row->state, "%s: %s", row->what, va_state_name(w.state));
	cr_expect_eq(w.has_pa, !!(row->has & HAS_PA), "%s", row->what);
	cr_expect_eq(w.has_bytes, has_bytes, "%s", row->what);
	cr_expect_eq(w.num_steps, row->steps, "%s: %u steps", row->what, w.num_steps);
	cr_expect_eq(w.backing.has_pagefile, !!(row->has & IN_FILE), "%s", row->what);
	cr_expect(!(row->has & IN_FILE) || w.backing.offset == row->where, "%s", row->what);
	cr_expect(!w.has_pa || w.pa == row->where + 0x10, "%s", row->what);
	cr_expect_eq(w.page_size, PAGE_SIZE, "%s", row->what);
	cr_expect_eq(space_translate(space, va, &pa), row->state, "%s", row->what);
	cr_expect(!w.has_pa || pa == w.pa, "%s", row->what);
	cr_expect_eq(read_byte(va, &byte, &fault), has_bytes, "%s", row->what);
	cr_expect(has_bytes ? byte == row->byte : fault.state == row->state, "%s: 0x%x", row->what,
		  byte);
}

Test(paged_space, every_kind_of_entry, .init = open_paging, .fini = close_paging)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(i);
}

Test(paged_space, reads_cross_pages, .init = open_paging, .fini = close_paging)
{
	uint8_t bytes[3 * PAGE_SIZE];
	struct fault fault;

	/* mapped, transition, then a page that is absent */
	cr_assert(space_try_read(space, 0, bytes, 2 * PAGE_SIZE, NULL));
	cr_assert(bytes[PAGE_SIZE - 1] == 0xa && bytes[PAGE_SIZE] == 0xb);
	cr_assert_not(space_try_read(space, 0, bytes, sizeof(bytes), &fault));
	cr_assert(fault.va == 2 * PAGE_SIZE && fault.state == VA_NOT_CAPTURED);
	/* page file, then one that was not given */
	cr_assert_not(space_try_read(space, row_va(5) + 8, bytes, PAGE_SIZE, &fault));
	cr_assert(fault.va == row_va(6) && fault.state == VA_PAGEFILE);
}

Test(paged_space, page_table_in_a_page_file, .init = open_paging, .fini = close_paging)
{
	uint64_t va = PT_SPAN;
	struct walk w;
	uint8_t byte;

	space_walk(space, va, &w);
	cr_assert(w.state == VA_TRANSITION && w.pa == PAGE(A) && w.num_steps == 4);
	cr_assert(w.steps[3].level == LEVEL_PT && w.steps[3].paged_out && w.steps[3].captured);
	cr_assert(read_byte(va, &byte, NULL) && byte == 0xa);
	space_walk(space, va + PAGE_SIZE, &w);
	cr_assert(w.state == VA_NOT_PRESENT && !w.has_pa, "what is not in memory maps nothing");
	cr_assert(read_byte(va + 2 * PAGE_SIZE, &byte, NULL) && byte == 0xf1);
	space_walk(space, va + 3 * PAGE_SIZE, &w);
	cr_assert(w.state == VA_NOT_PRESENT && w.page_size == PAGE_SIZE);
	space_walk(space, 3 * PT_SPAN, &w);
	cr_assert(w.state == VA_PAGEFILE && !w.has_bytes && w.page_size == PT_SPAN);
	cr_assert(w.backing.has_pagefile && w.backing.offset == 0x9000 && w.num_steps == 3);
}

/* The kernel's own space follows prototypes, but no VADs; the plain one nothing of the kind. */
Test(paged_space, who_follows_what, .init = open_paging, .fini = close_paging)
{
	struct space *kernel;
	uint8_t byte;

	cr_assert_null(paging_open_space(paging, PAGE(ROOT), 0, &kernel));
	cr_assert(space_try_read(kernel, PROTO_POOL, &byte, 1, NULL) && byte == 0xa);
	cr_assert(space_try_read(kernel, row_va(10), &byte, 1, NULL) && byte == 0xa);
	cr_assert_eq(space_translate(kernel, row_va(24), NULL), VA_PROTOTYPE);
	cr_assert_eq(space_translate(kernel, row_va(25), NULL), VA_NOT_PRESENT);
	cr_assert_not(space_try_read(paging->plain, PROTO_POOL, &byte, 1, NULL));
	cr_assert(space_try_read(paging->plain, PAGED_POOL, &byte, 1, NULL));
	space_destroy(kernel);
}

/* Before the layouts are known a page file's number could be read wrongly. */
Test(paged_space, before_the_start, .init = open_paging, .fini = close_paging)
{
	uint8_t byte;

	paging->started = false;
	cr_assert_not(read_byte(row_va(5), &byte, NULL));
	cr_assert_not(read_byte(row_va(10), &byte, NULL));
	cr_assert_not(read_byte(row_va(25), &byte, NULL));
	cr_assert(read_byte(row_va(1), &byte, NULL) && byte == 0xb);
}

static bool is_listed(const struct walk *w)
{
	return w->has_bytes || w->state == VA_NOT_CAPTURED;
}

/* space_next() lists what walks find. */
Test(paged_space, iteration, .init = open_paging, .fini = close_paging)
{
	uint64_t va = 0;
	struct va_range r = { 0 };

	for (uint64_t page = 0; page < 3 * PT_SPAN; page += PAGE_SIZE) {
		struct walk w;

		space_walk(space, page, &w);
		if (page >= va) {
			cr_assert(space_next(space, page, &r));
			va = r.last + 1;
		}
		if (page < r.start) {
			cr_assert(!is_listed(&w), "0x%lx", (unsigned long)page);
			va = r.start;
			continue;
		}
		cr_assert_eq(w.state, r.state, "0x%lx: %s, %s", (unsigned long)page,
			     va_state_name(w.state), va_state_name(r.state));
		cr_assert_eq(w.has_pa, r.has_pa);
		cr_assert(!w.has_pa || w.pa == r.pa + (page - r.start));
	}
}

/* Without what only VADs tell: what page tables have an entry of. */
Test(paged_space, iteration_of_entries, .init = open_paging, .fini = close_paging)
{
	struct va_range r;
	struct space *s;

	cr_assert_null(paging_open_entries(paging, PAGE(ROOT), EPROCESS, &s));
	cr_assert(space_next(s, row_va(24), &r));
	cr_expect_eq(r.last, row_va(25) - 1);
	cr_assert(space_next(s, row_va(25), &r));
	cr_expect_eq(r.start, row_va(26));
	cr_assert(space_next(s, row_va(27), &r));
	cr_expect_geq(r.start, PT_SPAN);
	space_destroy(s);
}

/* Regions that begin and end inside of what one entry of a PDPT would span, without any table. */
enum { FAR_GIB = 3 };
#define FAR_VA (((uint64_t)FAR_GIB << 30) + 0x123000)

static void move_regions(void)
{
	put_field(MAPPED_VAD, VAD_LEFT, 0);
	memset(machine.bytes + PAGE(VADS) + PROCESS_SIZE + vads.fields[VAD_START].offset, 0, 8);
	put_vad(MAPPED_VAD, FAR_VA / PAGE_SIZE, 600);
	memset(machine.bytes + PAGE(VADS) + PROCESS_SIZE + 0x100 + vads.fields[VAD_START].offset, 0,
	       8);
	put_vad(PRIVATE_VAD, FAR_VA / PAGE_SIZE + 1000, 2000);
	set_entry(&machine, PROTOS, VAD_PROTOS + 1, 0);
}

/* What reading page by page finds, a pass by holes and stretches finds. */
Test(paged_space, holes_end_where_regions_begin, .init = open_paging, .fini = close_paging)
{
	uint64_t end = FAR_VA + 4000 * PAGE_SIZE, found = 0;
	struct walk w;

	move_regions();
	for (uint64_t va = PT_SPAN * 4; va < end;) {
		space_walk(space, va, &w);
		found += w.has_bytes;
		cr_assert(w.page_size == PAGE_SIZE || !w.has_bytes);
		va += w.page_size - (va & (w.page_size - 1));
	}
	cr_expect_eq(found, 2 + 2000);
	space_walk(space, PT_SPAN * 4, &w);
	cr_expect_eq(w.page_size, PT_SPAN);
	space_walk(space, FAR_VA - 1, &w);
	cr_expect_eq(w.page_size, PAGE_SIZE);
	space_walk(space, (FAR_GIB + 1) * (UINT64_C(1) << 30), &w);
	cr_expect_eq(w.page_size, UINT64_C(1) << 30);
}

Test(paged_space, iteration_where_tables_are_missing, .init = open_paging, .fini = close_paging)
{
	struct va_range r;

	move_regions();
	cr_assert(space_next(space, PT_SPAN * 4, &r));
	cr_expect(r.start == FAR_VA && r.last == FAR_VA + PAGE_SIZE - 1, "0x%lx", r.start);
	cr_expect(r.state == VA_PROTOTYPE && r.has_pa && r.pa == PAGE(B));
	cr_assert(space_next(space, r.last + 1, &r));
	cr_expect(r.start == FAR_VA + 2 * PAGE_SIZE && r.last == r.start + PAGE_SIZE - 1);
	cr_expect_eq(r.state, VA_PAGEFILE);
	cr_assert(space_next(space, r.last + 1, &r));
	cr_expect(r.start == FAR_VA + 1000 * PAGE_SIZE && r.last == r.start + 2000 * PAGE_SIZE - 1,
		  "0x%lx", r.last);
	cr_expect_eq(r.state, VA_DEMAND_ZERO);
	cr_assert(space_next(space, r.last + 1, &r));
	cr_expect_eq(r.start, KERNEL);
}

Test(paged_space, pages_of_prototypes, .init = open_paging, .fini = close_paging)
{
	struct prototype_page page;
	uint8_t buf[PAGE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct expected *row = &rows[i];

		if (row->entry != AT_PROTO)
			continue;
		paging_read_prototype(paging,
				      row->proto == AT_PROTO ? to_proto(PROTO(i)) : row->proto, buf,
				      &page);
		cr_expect_eq(page.state, row->state, "%s", row->what);
		cr_expect_eq(page.has_pa, !!(row->has & HAS_PA), "%s", row->what);
		cr_expect(!page.has_pa || page.pa == row->where, "%s", row->what);
		cr_expect_eq(page.has_bytes, !!(row->has & HAS_BYTES), "%s", row->what);
		cr_expect(!page.has_bytes || buf[PAGE_SIZE - 1] == row->byte, "%s", row->what);
	}
}

/* Tables of entries that lead nowhere, shown by half of the entries above, at each level. */
Test(paged_space, iteration_of_what_leads_nowhere, .init = open_paging, .fini = close_paging)
{
	enum { ABSENT_FILE_PT = 13, NOWHERE_PT, SHARED_PD };
	struct va_range r;
	struct space *s;

	fill_table(&machine, ABSENT_FILE_PT, IN_PAGEFILE(1, 3));
	fill_table(&machine, NOWHERE_PT, UINT64_C(0x8000700000000400));
	for (unsigned i = 0; i < 512; i++)
		set_entry(&machine, SHARED_PD, i,
			  PAGE(i % 2 ? ABSENT_FILE_PT : NOWHERE_PT) | TABLE);
	for (unsigned i = 2; i < 512; i += 2)
		set_entry(&machine, USER_PDPT, i, PAGE(SHARED_PD) | TABLE);
	for (unsigned i = 0; i < 256; i += 2)
		set_entry(&machine, ROOT, i, PAGE(USER_PDPT) | TABLE);
	set_entry(&machine, USER_PDPT, 0, 0);
	cr_assert_null(paging_open_space(paging, PAGE(ROOT), EPROCESS, &s));
	cr_assert(space_next(s, row_va(FIRST_PRIVATE_ROW + NUM_PRIVATE_PAGES), &r));
	cr_assert_eq(r.start, KERNEL);
	space_destroy(s);
}

/* Entries of the kernel's PT, after those that decide nothing. */
Test(paged_space, mask_by_what_entries_show, .init = open_paging, .fini = close_paging)
{
	static const struct {
		uint64_t entry;
		bool known;
		uint64_t mask;
	} shown[] = {
		{ PAGE(A) | WINDOWS_PTE_TRANSITION, true, 0 },
		{ PAGE(A) | WINDOWS_PTE_TRANSITION | WINDOWS_PTE_USUAL_MASK, true,
		  WINDOWS_PTE_USUAL_MASK },
		{ 0x80, true, 0 },
		{ 0x80 | WINDOWS_PTE_USUAL_MASK, true, WINDOWS_PTE_USUAL_MASK },
		{ TRANSITION(A), false, 0 },
		{ 0, false, 0 },
	};

	config.known = false;
	set_entry(&machine, KERNEL_PT, 2, TRANSITION(A));
	set_entry(&machine, KERNEL_PT, 3, 0);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		struct windows_pte_config found = { 0 };
		struct space *s;

		set_entry(&machine, KERNEL_PT, 9, shown[i].entry);
		cr_assert_null(paging_open_space(paging, PAGE(ROOT), 0, &s));
		find_invalid_pte_mask(s, &found);
		cr_expect_eq(found.known, shown[i].known, "%zu", i);
		cr_expect_eq(found.invalid_pte_mask, shown[i].mask, "%zu", i);
		space_destroy(s);
	}
}

Test(paged_space, words_for_page_files)
{
	static const uint8_t page[PAGE_SIZE];
	char path[MEMFILE_PATH_SIZE], numbered[2][MEMFILE_PATH_SIZE + 8];
	int fd = memfile_create(page, sizeof(page), path);
	const char *good[] = { path, numbered[0], numbered[1] };
	static const char *const bad[] = { "16=x", "99999999999999999999=x", "/nowhere", "3=" };
	struct pagefiles files;
	struct error *err;

	snprintf(numbered[0], sizeof(numbered[0]), "15=%s", path);
	snprintf(numbered[1], sizeof(numbered[1]), "7=%s", path);
	cr_assert_null(pagefiles_open(good, 3, &files));
	for (unsigned i = 0; i < MAX_PAGEFILES; i++)
		cr_assert_eq(files.items[i].given, i == 0 || i == 15 || i == 7);
	cr_assert_not_null(pagefiles_page(&files, 15, 0));
	cr_assert_null(pagefiles_page(&files, 15, 1));
	cr_assert_null(pagefiles_page(&files, 15, UINT64_MAX));
	cr_assert_null(pagefiles_page(&files, 16, 0));
	pagefiles_close(&files);
	good[2] = numbered[0];
	err = pagefiles_open(good, 3, &files);
	cr_assert(err && error_code(err) == ERROR_USAGE, "given twice");
	error_destroy(err);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err = pagefiles_open(&bad[i], 1, &files);
		cr_assert(err, "%s", bad[i]);
		error_destroy(err);
	}
	close(fd);
}
