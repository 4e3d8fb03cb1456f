/* SPDX-License-Identifier: MIT */
#include "windows/paging/store.h"

#include <lz4.h>
#include <string.h>

#include "base/cursor.h"
#include "codec/xpress.h"
#include "windows/kernel/kernel_address.h"

enum {
	/* SmGlobals */
	STORES_PER_ROW = 32, /* and as many rows of pointers at 0x00 */
	METADATA_SIZE = 0x28,
	GLOBAL_TREE = 0x1c0,
	/* SMKM_STORE, the same in all builds known */
	STORE_TREE = 0x50,
	STORE_CHUNKS = 0x110, /* 32 pointers */
	STORE_CHUNK_BITS = STORE_CHUNKS + 0x108,
	STORE_RECORD_MASK = STORE_CHUNKS + 0x10c,
	STORE_RECORD_SIZE = STORE_CHUNKS + 0x110,
	STORE_RECORD_HEADER = STORE_CHUNKS + 0x118,
	STORE_REGION_SIZE_MASK = 0x378,
	STORE_REGION_SHIFT = 0x37c,
	CHUNK_SIZE = 0x10,
	/* a node of a tree */
	NODE_COUNT = 0,
	NODE_LEAF = 3,
	NODE_LEFT = 8,
	NODE_ENTRIES = 0x10,
	LEAF_ENTRY_SIZE = 8,
	CHILD_ENTRY_SIZE = 0x10,
	MAX_LEAF_ENTRIES = (PAGE_SIZE - NODE_ENTRIES) / LEAF_ENTRY_SIZE,
	MAX_CHILD_ENTRIES = (PAGE_SIZE - NODE_ENTRIES) / CHILD_ENTRY_SIZE,
	MAX_TREE_DEPTH = 8,
	/* a page record */
	RECORD_SIZE = 8,
	MAX_RECORD_CHAIN = 16,
	/* values */
	STORE_NUMBER_MASK = 0x3ff,
	STORE_IS_GONE = 0x01, /* the top byte of the global tree's value */
	ALGORITHM_XPRESS = 3, /* COMPRESSION_FORMAT_XPRESS */
	REGION_ALIGNMENT = 0x10000,
	REGION_UNIT_SHIFT = 4,
	PAGEFILE_KEY_SHIFT = 28,
};
#define RECORD_IS_LINK UINT32_MAX

static const struct store_layout layouts[] = {
	{ 14393, 0, 0, 0x420, 0x17a8, 0x1918, UINT32_MAX },
	{ 15063, 0, 0, 0x420, 0x1828, 0x1988, UINT32_MAX },
	{ 16299, 0, 0, 0x430, 0x1848, 0x19a8, UINT32_MAX },
	{ 19041, 0, 0, 0x430, 0x1848, 0x19b8, UINT32_MAX },
	{ 22601, 0x08, 0x7a8, 0x430, 0x1848, 0x19b8, UINT32_MAX },
	{ 26100, 0x10, 0xc30, 0, 0x1b70, 0x1d08, 0x0fffffff },
};

const struct store_layout *store_layout_of(uint32_t build)
{
	const struct store_layout *ret = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(layouts) && layouts[i].first_build <= build; i++)
		ret = &layouts[i];
	return ret;
}

uint32_t store_key(const struct store *s, unsigned pagefile, uint64_t offset)
{
	uint32_t key = (uint32_t)pagefile << PAGEFILE_KEY_SHIFT | (uint32_t)(offset >> PAGE_SHIFT);

	return key & s->layout->key_mask;
}

/* A lookup as it goes; what fails says why. */
struct lookup {
	const struct store *store;
	uint64_t at; /* SMKM_STORE */
	const char *why;
};

static bool fail(struct lookup *l, const char *why)
{
	l->why = why;
	return false;
}

/* A pointer of the kernel's half. */
static bool take_pointer(struct lookup *l, uint64_t va, uint64_t *ret, const char *why)
{
	if (!space_try_u64(l->store->space, va, ret, NULL) || !(*ret & KERNEL_HALF))
		return fail(l, why);
	return true;
}

static bool take_u32(struct lookup *l, uint64_t va, uint32_t *ret)
{
	if (!space_try_u32(l->store->space, va, ret, NULL))
		return fail(l, "a part of the store's description is absent");
	return true;
}

/* How many of the entries of this size have keys up to key. */
static unsigned count_up_to(const uint8_t *node, unsigned count, unsigned size, uint32_t key)
{
	unsigned low = 0, high = count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (load_u32(node + NODE_ENTRIES + middle * size) <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool find_in_leaf(struct lookup *l, const uint8_t *node, unsigned count, uint32_t key,
			 uint32_t *ret)
{
	unsigned n = count_up_to(node, count, LEAF_ENTRY_SIZE, key);
	const uint8_t *entry = node + NODE_ENTRIES + (n - 1) * LEAF_ENTRY_SIZE;

	if (!n || load_u32(entry) != key)
		return fail(l, "the page is not in the store's tree");
	*ret = load_u32(entry + 4);
	return true;
}

/* Levels are bounded, so that a tree that is a loop ends as one that is too deep. */
static bool find_in_tree(struct lookup *l, uint64_t va, uint32_t key, uint32_t *ret)
{
	uint8_t node[PAGE_SIZE];

	for (unsigned depth = 0; depth < MAX_TREE_DEPTH; depth++) {
		unsigned count, n;

		if (!space_try_read(l->store->space, va, node, sizeof(node), NULL))
			return fail(l, "a node of the store's tree is absent");
		count = load_u16(node + NODE_COUNT);
		if (count > (node[NODE_LEAF] ? MAX_LEAF_ENTRIES : MAX_CHILD_ENTRIES))
			return fail(l, "a node of the store's tree is damaged");
		if (node[NODE_LEAF])
			return find_in_leaf(l, node, count, key, ret);
		n = count_up_to(node, count, CHILD_ENTRY_SIZE, key);
		va = load_u64(n ? node + NODE_ENTRIES + (n - 1) * CHILD_ENTRY_SIZE + 8
				: node + NODE_LEFT);
		if (!(va & KERNEL_HALF))
			return fail(l, "a node of the store's tree is damaged");
	}
	return fail(l, "the store's tree is too deep");
}

/* SmGlobals, or the base of what moved out of it. */
static bool find_globals(struct lookup *l, uint64_t *ret)
{
	const struct store_layout *layout = l->store->layout;

	*ret = l->store->globals;
	if (!layout->indirect)
		return true;
	if (!take_pointer(l, *ret + layout->indirect, ret, "SmGlobals leads nowhere"))
		return false;
	*ret -= layout->back;
	return true;
}

/* The SMKM_STORE that keeps the page. */
static bool find_store(struct lookup *l, uint32_t key, unsigned *number_ret)
{
	uint64_t globals, tree, row;
	uint32_t value;

	if (!find_globals(l, &globals) ||
	    !take_pointer(l, globals + GLOBAL_TREE, &tree, "there is no tree of stores") ||
	    !find_in_tree(l, tree, key, &value))
		return false;
	if (value >> 24 == STORE_IS_GONE)
		return fail(l, "the store's entry is marked invalid");
	value &= STORE_NUMBER_MASK;
	*number_ret = value;
	return take_pointer(l, globals + value / STORES_PER_ROW * sizeof(uint64_t), &row,
			    "there is no store of that number") &&
	       take_pointer(l, row + value % STORES_PER_ROW * METADATA_SIZE, &l->at,
			    "there is no store of that number");
}

/*
 * The page record of a region key. Chunks are kept in arrays that double: the highest bit of what
 * is above the record's number in its chunk says which array, the bits below it which chunk.
 */
static bool record_address(struct lookup *l, uint32_t region_key, uint64_t *ret)
{
	uint32_t bits, mask, size, header, chunk;
	uint64_t array, records;
	unsigned row;

	if (!take_u32(l, l->at + STORE_CHUNK_BITS, &bits) ||
	    !take_u32(l, l->at + STORE_RECORD_MASK, &mask) ||
	    !take_u32(l, l->at + STORE_RECORD_SIZE, &size) ||
	    !take_u32(l, l->at + STORE_RECORD_HEADER, &header))
		return false;
	bits &= 0xff;
	if (bits >= 32 || !(chunk = region_key >> bits) || header > PAGE_SIZE || size > PAGE_SIZE)
		return fail(l, "the store's description is damaged");
	row = 31 - (unsigned)__builtin_clz(chunk);
	chunk ^= UINT32_C(1) << row;
	if (!take_pointer(l, l->at + STORE_CHUNKS + row * sizeof(uint64_t), &array,
			  "the store lacks an array of chunks") ||
	    !take_pointer(l, array + (uint64_t)chunk * CHUNK_SIZE, &records,
			  "the store lacks a chunk"))
		return false;
	*ret = records + header + (uint64_t)size * (region_key & mask);
	return true;
}

/* Pages that share their bytes have records that name another's. */
static bool find_record(struct lookup *l, uint32_t region_key, uint32_t *key_ret,
			uint16_t *length_ret)
{
	uint8_t record[RECORD_SIZE];
	uint64_t va;

	for (unsigned i = 0; i < MAX_RECORD_CHAIN; i++) {
		if (!record_address(l, region_key, &va))
			return false;
		if (!space_try_read(l->store->space, va, record, sizeof(record), NULL))
			return fail(l, "the page's record is absent");
		if (load_u32(record) != RECORD_IS_LINK) {
			*key_ret = load_u32(record);
			*length_ret = load_u16(record + 4);
			return true;
		}
		region_key = load_u32(record + 4);
	}
	return fail(l, "the page's records are a loop");
}

static bool find_region(struct lookup *l, uint32_t record_key, uint64_t *ret)
{
	uint32_t size_mask, shift;
	uint64_t regions, region;

	if (!take_u32(l, l->at + STORE_REGION_SIZE_MASK, &size_mask) ||
	    !take_u32(l, l->at + STORE_REGION_SHIFT, &shift) ||
	    !take_pointer(l, l->at + l->store->layout->regions, &regions,
			  "the store lacks its regions"))
		return false;
	shift &= 0xff;
	if (shift >= 32)
		return fail(l, "the store's description is damaged");
	regions += (uint64_t)(record_key >> shift) * sizeof(uint64_t);
	if (!space_try_u64(l->store->space, regions, &region, NULL))
		return fail(l, "the store lacks its regions");
	/* low bits are flags of the region; user memory, so the top bit is one too */
	region &= ~(KERNEL_HALF | (REGION_ALIGNMENT - 1));
	if (!region)
		return fail(l, "the store lacks the page's region");
	*ret = region + ((uint64_t)(record_key & size_mask) << REGION_UNIT_SHIFT);
	return true;
}

static bool find_algorithm(struct lookup *l, enum store_algorithm *ret)
{
	uint16_t value;

	*ret = l->store->layout->algorithm ? STORE_XPRESS : STORE_LZ4;
	if (*ret == STORE_LZ4)
		return true;
	if (!space_try_u16(l->store->space, l->at + l->store->layout->algorithm, &value, NULL))
		return fail(l, "a part of the store's description is absent");
	return value == ALGORITHM_XPRESS || fail(l, "the store's compression is not Xpress");
}

static bool find_page(struct lookup *l, uint32_t key, struct store_page *ret)
{
	uint32_t region_key, record_key;
	uint64_t tree;
	uint16_t length;

	if (!find_store(l, key, &ret->store) || !find_algorithm(l, &ret->algorithm) ||
	    !take_pointer(l, l->at + STORE_TREE, &tree, "the store has no tree of pages") ||
	    !find_in_tree(l, tree, key, &region_key) ||
	    !find_record(l, region_key, &record_key, &length) ||
	    !find_region(l, record_key, &ret->address) ||
	    !take_pointer(l, l->at + l->store->layout->owner, &ret->owner,
			  "the store has no owner"))
		return false;
	/* above the length are flags, but of a page that is not compressed */
	ret->length = length == PAGE_SIZE ? length : length & PAGE_MASK;
	return true;
}

bool store_find(const struct store *s, uint32_t key, struct store_page *ret, const char **why_ret)
{
	struct lookup l = { .store = s };
	struct store_page page = { 0 };

	if (!find_page(&l, key, &page)) {
		*why_ret = l.why;
		return false;
	}
	*ret = page;
	return true;
}

static bool unpack(const struct store_page *page, const uint8_t *bytes, uint8_t *ret)
{
	size_t got;

	if (page->algorithm == STORE_LZ4)
		return LZ4_decompress_safe((const char *)bytes, (char *)ret, (int)page->length,
					   PAGE_SIZE) == PAGE_SIZE;
	return xpress_decompress(bytes, page->length, ret, PAGE_SIZE, &got) && got == PAGE_SIZE;
}

bool store_unpack(const struct store_page *page, struct space *owner, uint8_t *ret,
		  const char **why_ret)
{
	uint8_t bytes[PAGE_SIZE];

	if (!page->length) {
		memset(ret, 0, PAGE_SIZE);
		return true;
	}
	if (!space_try_read(owner, page->address, bytes, page->length, NULL)) {
		*why_ret = "the compressed bytes are absent";
		return false;
	}
	if (page->length == PAGE_SIZE) {
		memcpy(ret, bytes, PAGE_SIZE);
		return true;
	}
	if (unpack(page, bytes, ret))
		return true;
	*why_ret = "the compressed bytes are damaged";
	return false;
}
