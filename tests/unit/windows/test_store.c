/* SPDX-License-Identifier: MIT */
#include "windows/paging/store.h"

#include <lz4.h>
#include <stdlib.h>

#include "fake_space.h"
#include "tests/unit/codec/xpress_packer.h"
#include "windows/paging/private.h"

/*
 * A store built from its public description (windows/paging/store.h): eight pages of the kernel,
 * and the memory of the process that keeps it.
 *
 *	page 0	SmGlobals' tables, arrays and records; 1 to 3 tree of stores, of two levels;
 *	4, 5	SMKM_STORE; 6, 7 its tree of pages, of two levels
 */
enum {
	PAGEFILE = 2,
	/* in page 0 */
	BASE = 0, /* what SmGlobals holds, or leads to */
	STORES = 0x300,
	REGIONS = 0x800,
	CHUNKS = 0x900, /* an array of two */
	RECORDS = 0xa00,
	GLOBALS = 0xf00, /* SmGlobals where it only leads to BASE */
	/* pages */
	STORE_TREE = 0x1000,
	STORE_LEAF_1 = 0x2000,
	STORE_LEAF_2 = 0x3000,
	SMKM_STORE = 0x4000,
	PAGE_TREE = 0x6000,
	PAGE_LEAF = 0x7000,
	/* values */
	NUMBER = 33, /* of the store: second row, second entry */
	CHUNK_BITS = 4,
	RECORD_SIZE = 0x10,
	RECORD_HEADER = 0x20,
	REGION_SHIFT = 12,
	REGION_MASK = 0xfff,
	OWNER_SIZE = 0x20000, /* two regions */
};
#define AT(offset)     (FAKE_BASE + (offset))
#define OWNER_BASE     UINT64_C(0x20000)
#define OWNER_EPROCESS AT(0x10)

/* Pages by the low bits of their key. */
enum {
	PACKED = 1,
	RAW,
	ZERO,
	SHARED,
	LOOP,
	GARBAGE,
	NO_REGION,
	GONE,
	ONLY_GLOBAL,
	HIGH = 0x4000,
	NUM_KINDS
};

struct fixture {
	struct fake_space fake;
	uint8_t owner_bytes[OWNER_SIZE];
	struct file owner_file;
	struct virtmem *owner_mem;
	struct space *owner;
	struct store store;
	uint8_t page[PAGE_SIZE], raw[PAGE_SIZE];
};

static struct fixture f;

static void put16(uint32_t at, uint16_t value)
{
	memcpy(f.fake.bytes + at, &value, sizeof(value));
}

static void put32(uint32_t at, uint32_t value)
{
	memcpy(f.fake.bytes + at, &value, sizeof(value));
}

static void put64(uint32_t at, uint64_t value)
{
	store_u64(f.fake.bytes + at, value);
}

static uint32_t key_of(unsigned kind)
{
	return store_key(&f.store, PAGEFILE, (uint64_t)kind << PAGE_SHIFT);
}

/* Entries go in by ascending keys. */
static void add_leaf(uint32_t node, uint32_t key, uint32_t value)
{
	unsigned count = load_u16(f.fake.bytes + node);

	put32(node + 0x10 + count * 8, key);
	put32(node + 0x14 + count * 8, value);
	put16(node, (uint16_t)(count + 1));
	f.fake.bytes[node + 3] = 1;
}

static void add_child(uint32_t node, uint32_t key, uint32_t child)
{
	unsigned count = load_u16(f.fake.bytes + node);

	put32(node + 0x10 + count * 16, key);
	put64(node + 0x18 + count * 16, AT(child));
	put16(node, (uint16_t)(count + 1));
	f.fake.bytes[node + 2] = 1;
}

/* Record n of the chunks: region keys are (chunk << CHUNK_BITS | n in it); chunk 1 is the first. */
static uint32_t region_key(unsigned chunk, unsigned n)
{
	return chunk << CHUNK_BITS | n;
}

static uint32_t record_at(unsigned chunk, unsigned n)
{
	return RECORDS + (chunk - 1) * 0x180 + RECORD_HEADER + n * RECORD_SIZE;
}

static void put_record(unsigned chunk, unsigned n, uint32_t key, uint32_t length)
{
	put32(record_at(chunk, n), key);
	put32(record_at(chunk, n) + 4, length);
}

/* The compressed page lies in region 1, at 0x30. */
static size_t pack_page(void)
{
	uint8_t *out = f.owner_bytes + 0x10000 + 0x30;
	struct packer packer;

	if (!f.store.layout->algorithm)
		return (size_t)LZ4_compress_default((char *)f.page, (char *)out, PAGE_SIZE,
						    PAGE_SIZE);
	xpress_pack(&packer, f.page, PAGE_SIZE, 1);
	memcpy(out, packer.out, packer.len);
	return packer.len;
}

static void make_pages(void)
{
	size_t length;

	for (unsigned i = 0; i < PAGE_SIZE; i++) {
		f.page[i] = (uint8_t)(i / 16 % 7);
		f.raw[i] = (uint8_t)(i * 37);
	}
	length = pack_page();
	cr_assert(length > 16 && length < 0x800);
	memcpy(f.owner_bytes + 0x1000, f.raw, PAGE_SIZE);
	memset(f.owner_bytes + 0x3000, 0xff, 0x100);
	put_record(1, PACKED, 1 << REGION_SHIFT | 3, 0xa000 | (uint32_t)length);
	put_record(1, RAW, 0x100, PAGE_SIZE);
	put_record(1, ZERO, 0x100, 0xa000);
	put_record(1, SHARED, UINT32_MAX, region_key(1, PACKED));
	put_record(1, LOOP, UINT32_MAX, region_key(1, LOOP));
	put_record(1, GARBAGE, 0x300, 0x80);
	put_record(1, NO_REGION, 5 << REGION_SHIFT, 0x80);
	put_record(3, 2, 1 << REGION_SHIFT | 3, (uint32_t)length);
}

static void make_trees(void)
{
	static const unsigned low[] = { PACKED, RAW, ZERO, SHARED, LOOP, GARBAGE, NO_REGION };

	put64(BASE + 0x1c0, AT(STORE_TREE));
	put64(STORE_TREE + 8, AT(STORE_LEAF_1));
	add_child(STORE_TREE, key_of(HIGH), STORE_LEAF_2);
	put64(PAGE_TREE + 8, AT(PAGE_LEAF));
	for (size_t i = 0; i < ARRAY_SIZE(low); i++) {
		add_leaf(STORE_LEAF_1, key_of(low[i]), 0x02000000 | NUMBER);
		add_leaf(PAGE_LEAF, key_of(low[i]), region_key(1, low[i]));
	}
	add_leaf(STORE_LEAF_1, key_of(GONE), 0x01000000 | NUMBER);
	add_leaf(STORE_LEAF_1, key_of(ONLY_GLOBAL), NUMBER);
	add_leaf(STORE_LEAF_2, key_of(HIGH), NUMBER);
	add_leaf(PAGE_LEAF, key_of(HIGH), region_key(3, 2));
}

static void make_store(void)
{
	const struct store_layout *layout = f.store.layout;

	put64(BASE + NUMBER / 32 * 8, AT(STORES));
	put64(STORES + NUMBER % 32 * 0x28, AT(SMKM_STORE));
	put64(SMKM_STORE + 0x50, AT(PAGE_TREE));
	put64(SMKM_STORE + 0x110, AT(CHUNKS + 0x40)); /* chunk 1 */
	put64(SMKM_STORE + 0x118, AT(CHUNKS));	      /* chunks 2 and 3 */
	put64(CHUNKS + 0x40, AT(RECORDS));
	put64(CHUNKS + 0x10, AT(RECORDS + 2 * 0x180));
	put32(SMKM_STORE + 0x110 + 0x108, CHUNK_BITS);
	put32(SMKM_STORE + 0x110 + 0x10c, (1 << CHUNK_BITS) - 1);
	put32(SMKM_STORE + 0x110 + 0x110, RECORD_SIZE);
	put32(SMKM_STORE + 0x110 + 0x118, RECORD_HEADER);
	put32(SMKM_STORE + 0x378, REGION_MASK);
	put32(SMKM_STORE + 0x37c, REGION_SHIFT);
	put64(SMKM_STORE + layout->regions, AT(REGIONS));
	put64(SMKM_STORE + layout->owner, OWNER_EPROCESS);
	if (layout->algorithm)
		put16(SMKM_STORE + layout->algorithm, 3);
	put64(REGIONS, OWNER_BASE | 0x7); /* low bits are flags */
	put64(REGIONS + 8, OWNER_BASE + 0x10000);
}

static void build(uint32_t number)
{
	memset(&f, 0, sizeof(f));
	f.store.layout = store_layout_of(number);
	cr_assert(f.store.layout);
	f.store.globals = AT(f.store.layout->indirect ? GLOBALS : BASE);
	if (f.store.layout->indirect)
		put64(GLOBALS + f.store.layout->indirect, AT(BASE) + f.store.layout->back);
	make_store();
	make_pages();
	make_trees();
}

static void show(void)
{
	f.store.space = fake_open(&f.fake);
	f.owner_file = (struct file){ .fd = -1, .bytes = f.owner_bytes, .size = OWNER_SIZE };
	cr_assert_null(virtmem_create(&f.owner_mem));
	cr_assert_null(virtmem_add(f.owner_mem, OWNER_BASE, OWNER_SIZE, &f.owner_file, 0));
	cr_assert_null(virtmem_seal(f.owner_mem));
	cr_assert_null(space_create_virtual(f.owner_mem, &f.owner));
}

static void hide(void)
{
	space_destroy(f.owner);
	virtmem_destroy(f.owner_mem);
	fake_close(&f.fake);
}

static bool get(unsigned kind, uint8_t *ret, const char **why)
{
	struct store_page page;

	*why = NULL;
	return store_find(&f.store, key_of(kind), &page, why) &&
	       store_unpack(&page, f.owner, ret, why);
}

static void expect_page(unsigned kind, const uint8_t *bytes)
{
	uint8_t got[PAGE_SIZE];
	const char *why;

	cr_assert(get(kind, got, &why), "%u: %s", kind, why);
	cr_assert_eq(memcmp(got, bytes, PAGE_SIZE), 0, "%u", kind);
}

static void expect_none(unsigned kind, const char *reason)
{
	uint8_t got[PAGE_SIZE];
	const char *why;

	cr_assert_not(get(kind, got, &why), "%u", kind);
	cr_assert(why && strstr(why, reason), "%u: %s", kind, why);
}

static const uint32_t builds[] = { 14393, 15063, 16299, 18363, 19045,
				   22000, 22621, 22631, 26100, 26200 };

Test(store, pages_of_every_kind_on_every_build)
{
	static const uint8_t zeros[PAGE_SIZE];
	struct store_page page;
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		build(builds[i]);
		show();
		expect_page(PACKED, f.page);
		expect_page(RAW, f.raw);
		expect_page(ZERO, zeros);
		expect_page(SHARED, f.page);
		expect_page(HIGH, f.page);
		expect_none(LOOP, "loop");
		expect_none(GARBAGE, "damaged");
		expect_none(NO_REGION, "region");
		expect_none(GONE, "invalid");
		expect_none(ONLY_GLOBAL, "not in the store's tree");
		expect_none(0, "not in the store's tree");
		expect_none(HIGH + 1, "not in the store's tree");
		cr_assert(store_find(&f.store, key_of(RAW), &page, &why));
		cr_assert(page.store == NUMBER && page.owner == OWNER_EPROCESS &&
			  page.address == OWNER_BASE + 0x1000 && page.length == PAGE_SIZE);
		hide();
	}
	cr_assert_null(store_layout_of(10586));
	cr_assert_null(store_layout_of(0));
}

Test(store, keys)
{
	build(19041);
	cr_assert_eq(store_key(&f.store, 2, 0x1234000), 0x20001234);
	build(26100);
	cr_assert_eq(store_key(&f.store, 2, 0x1234000), 0x1234);
}

/* Each is one change of what the way to PACKED passes. */
static const struct {
	const char *what, *reason;
	uint32_t at;
	unsigned size;
	uint64_t value;
} damages[] = {
	{ "no tree", "no tree of stores", BASE + 0x1c0, 8, 0 },
	{ "a tree in user memory", "no tree of stores", BASE + 0x1c0, 8, 0x1000 },
	{ "a tree that is absent", "absent", BASE + 0x1c0, 8, AT(FAKE_SIZE) },
	{ "a tree that is a loop", "too deep", STORE_TREE + 8, 8, AT(STORE_TREE) },
	{ "a child in user memory", "damaged", STORE_TREE + 8, 8, 0x2000 },
	{ "a child that is absent", "absent", STORE_TREE + 8, 8, AT(FAKE_SIZE - 0x800) },
	{ "a node of too many", "damaged", STORE_TREE, 2, 256 },
	{ "a leaf of too many", "damaged", STORE_LEAF_1, 2, 511 },
	{ "an empty leaf", "not in", STORE_LEAF_1, 2, 0 },
	{ "no row of stores", "no store of that number", BASE + 8, 8, 0 },
	{ "no store", "no store of that number", STORES + 0x28, 8, 0 },
	{ "an absent store", "absent", STORES + 0x28, 8, AT(FAKE_SIZE) },
	{ "no tree of pages", "no tree of pages", SMKM_STORE + 0x50, 8, 0 },
	{ "the pages' tree is a loop", "too deep", PAGE_TREE + 8, 8, AT(PAGE_TREE) },
	{ "chunks of 2^32 records", "damaged", SMKM_STORE + 0x218, 4, 32 },
	{ "region key without a chunk", "damaged", SMKM_STORE + 0x218, 4, 31 },
	{ "a huge header", "damaged", SMKM_STORE + 0x228, 4, UINT32_MAX },
	{ "huge records", "damaged", SMKM_STORE + 0x220, 4, UINT32_MAX },
	{ "no array of chunks", "array of chunks", SMKM_STORE + 0x110, 8, 0 },
	{ "no chunk", "a chunk", CHUNKS + 0x40, 8, 0 },
	{ "an absent chunk", "record is absent", CHUNKS + 0x40, 8, AT(FAKE_SIZE) },
	{ "no regions", "regions", SMKM_STORE + 0x1848, 8, 0 },
	{ "absent regions", "regions", SMKM_STORE + 0x1848, 8, AT(FAKE_SIZE) },
	{ "a huge shift", "damaged", SMKM_STORE + 0x37c, 4, 32 },
	{ "a region of another process", "bytes are absent", REGIONS + 8, 8, 0x7fff0000 },
	{ "no owner", "owner", SMKM_STORE + 0x19b8, 8, 0 },
	{ "another algorithm", "not Xpress", SMKM_STORE + 0x430, 2, 4 },
};

Test(store, damage)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		uint8_t got[PAGE_SIZE];
		const char *why;

		build(19041);
		memcpy(f.fake.bytes + damages[i].at, &damages[i].value, damages[i].size);
		show();
		cr_expect_not(get(PACKED, got, &why), "%s", damages[i].what);
		cr_expect(why && strstr(why, damages[i].reason), "%s: %s", damages[i].what, why);
		hide();
	}
}

/* Compressed bytes with each of their bytes changed unpack to something of a page, or to none. */
Test(store, damaged_bytes)
{
	static const uint32_t both[] = { 19041, 26100 };

	for (size_t b = 0; b < ARRAY_SIZE(both); b++) {
		uint8_t got[PAGE_SIZE];
		const char *why;

		build(both[b]);
		show();
		for (size_t i = 0; i < 0x400; i++) {
			uint8_t *at = f.owner_bytes + 0x10000 + 0x30 + i;
			uint8_t kept = *at;

			*at ^= 0xff;
			cr_expect(get(PACKED, got, &why) || strstr(why, "damaged"));
			*at = kept;
		}
		expect_page(PACKED, f.page);
		hide();
	}
}

/*
 * The same store behind page tables: a user's pages in it, the kernel's eight pages and the owner's
 * memory in physical memory. Tables: root, then PDPT, PD and PT of user, kernel and owner.
 */
enum {
	KERNEL_PA = 0x100000,
	OWNER_PA = 0x200000,
	NUM_TABLES = 11,
	USER_ROOT = 0,
	OWNER_ROOT = 10,
	OWNER_DTB_OFFSET = 0x18, /* of OWNER_EPROCESS, in page 0 */
};
#define TABLE_BITS     (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define IN_STORE(kind) ((uint64_t)(kind) << 32 | PAGEFILE << 12 | WINDOWS_PTE_SWIZZLE)

static uint8_t tables[NUM_TABLES * PAGE_SIZE];
static struct file tables_file = { .fd = -1, .bytes = tables, .size = sizeof(tables) };
static struct file kernel_file = { .fd = -1, .bytes = f.fake.bytes, .size = FAKE_SIZE };
static struct file memory_file = { .fd = -1, .bytes = f.owner_bytes, .size = OWNER_SIZE };
static const struct windows_pte_config config = { .known = true };

static void put_entry(unsigned table, unsigned index, uint64_t entry)
{
	store_u64(tables + table * PAGE_SIZE + index * 8, entry);
}

/* Table `first` is the PDPT that a root's entry leads to; returns the PT, which is two on. */
static unsigned chain(unsigned root, unsigned index, unsigned first)
{
	put_entry(root, index, (uint64_t)first << PAGE_SHIFT | TABLE_BITS);
	put_entry(first, 0, (uint64_t)(first + 1) << PAGE_SHIFT | TABLE_BITS);
	put_entry(first + 1, 0, (uint64_t)(first + 2) << PAGE_SHIFT | TABLE_BITS);
	return first + 2;
}

static void make_tables(void)
{
	unsigned user = chain(USER_ROOT, 0, 1), kernel = chain(USER_ROOT, 256, 4);
	unsigned owner = chain(OWNER_ROOT, 0, 7);

	for (unsigned i = 1; i < 16; i++)
		put_entry(user, i, IN_STORE(i));
	for (unsigned i = 0; i < FAKE_SIZE / PAGE_SIZE; i++)
		put_entry(kernel, va_index(AT(i * PAGE_SIZE), LEVEL_PT),
			  (KERNEL_PA + i * PAGE_SIZE) | TABLE_BITS);
	for (unsigned i = 0; i < OWNER_SIZE / PAGE_SIZE; i++)
		put_entry(owner, va_index(OWNER_BASE + i * PAGE_SIZE, LEVEL_PT),
			  (OWNER_PA + i * PAGE_SIZE) | TABLE_BITS);
	put64(0x10 + OWNER_DTB_OFFSET, OWNER_ROOT << PAGE_SHIFT);
}

static struct physmem *open_machine_memory(void)
{
	struct physmem *mem;

	cr_assert_null(physmem_create(&mem));
	cr_assert_null(physmem_add_file(mem, 0, sizeof(tables), &tables_file, 0));
	cr_assert_null(physmem_add_file(mem, KERNEL_PA, FAKE_SIZE, &kernel_file, 0));
	cr_assert_null(physmem_add_file(mem, OWNER_PA, OWNER_SIZE, &memory_file, 0));
	cr_assert_null(physmem_seal(mem));
	return mem;
}

static void open_store_space(struct physmem *mem, struct paging **paging, struct space **ret)
{
	struct paging *p;

	cr_assert_null(paging_create(mem, 4, &config, NULL, 0, &p));
	cr_assert_null(paging_open_following(p, USER_ROOT, 0, 0, &p->plain));
	p->dtb = (struct field){ .offset = OWNER_DTB_OFFSET, .size = 8, .present = true };
	p->has_store = true;
	p->store_file = PAGEFILE;
	p->store = f.store;
	p->store.space = p->plain;
	p->started = true;
	cr_assert_null(paging_open_space(p, USER_ROOT, 0, ret));
	*paging = p;
}

static void expect_in_space(struct space *s, unsigned kind, const uint8_t *bytes)
{
	uint8_t got[PAGE_SIZE];
	struct walk w;

	space_walk(s, (uint64_t)kind << PAGE_SHIFT, &w);
	cr_assert_eq(w.state, VA_COMPRESSED);
	cr_assert(w.backing.has_pagefile && w.backing.pagefile == PAGEFILE);
	cr_assert_eq(w.backing.offset, (uint64_t)kind << PAGE_SHIFT);
	cr_assert_eq(w.has_bytes, bytes != NULL);
	cr_assert(bytes ? !w.backing.why : w.backing.why != NULL);
	cr_assert_eq(w.backing.has_store && w.backing.store == NUMBER, bytes || kind == GARBAGE);
	for (unsigned again = 0; again < 2; again++) {
		cr_assert_eq(space_try_read(s, (uint64_t)kind << PAGE_SHIFT, got, PAGE_SIZE, NULL),
			     bytes != NULL);
		cr_assert(!bytes || memcmp(got, bytes, PAGE_SIZE) == 0);
	}
}

Test(store, pages_of_a_space)
{
	static const uint32_t both[] = { 19041, 26100 };
	static const uint8_t zeros[PAGE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		struct paging *paging;
		struct physmem *mem;
		struct va_range r;
		struct space *s;

		build(both[i]);
		memset(tables, 0, sizeof(tables));
		make_tables();
		mem = open_machine_memory();
		open_store_space(mem, &paging, &s);
		expect_in_space(s, PACKED, f.page);
		expect_in_space(s, RAW, f.raw);
		expect_in_space(s, ZERO, zeros);
		expect_in_space(s, SHARED, f.page);
		expect_in_space(s, LOOP, NULL);
		expect_in_space(s, GARBAGE, NULL);
		expect_in_space(s, GONE, NULL);
		cr_assert(space_next(s, 0, &r));
		cr_assert(r.start == PACKED << PAGE_SHIFT && r.state == VA_COMPRESSED && !r.has_pa);
		cr_assert_eq(r.last, (LOOP << PAGE_SHIFT) - 1);
		cr_assert(space_next(s, r.last + 1, &r));
		cr_assert_eq(r.start, AT(0), "nothing of what cannot be read");
		space_destroy(s);
		paging_destroy(paging);
		physmem_destroy(mem);
	}
}
