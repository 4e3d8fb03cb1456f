/* SPDX-License-Identifier: MIT */
#include "hive_builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/registry/value.h"

/* _CMHIVE and _HHIVE in one, _DUAL, _HMAP_ENTRY. */
enum {
	AT_SIGNATURE = 0,
	AT_BASE_BLOCK = 8,
	AT_FLAT = 0x10,
	AT_VERSION = 0x14,
	AT_STORAGE = 0x20,
	AT_FILE_PATH = 0x60,
	AT_ROOT_PATH = 0x70,
	STORAGE_SIZE = 16,
	AT_LENGTH = 0,
	AT_MAP = 8,
	AT_BLOCK_OFFSET = 0,
	AT_BIN = 8,
	TABLE_BLOCKS = 512,
	VERSION = 5,
	KEY_COMPRESSED = 0x20,
};

static const struct {
	unsigned field;
	uint32_t offset, size;
} layout[] = {
	{ HIVE_HHIVE, 0, 0x60 },
	{ HIVE_SIGNATURE, AT_SIGNATURE, 4 },
	{ HIVE_BASE_BLOCK, AT_BASE_BLOCK, 8 },
	{ HIVE_FLAT, AT_FLAT, 1 },
	{ HIVE_VERSION, AT_VERSION, 4 },
	{ HIVE_STORAGE, AT_STORAGE, 2 * STORAGE_SIZE },
	{ HIVE_FILE_PATH, AT_FILE_PATH, 16 },
	{ HIVE_ROOT_PATH, AT_ROOT_PATH, 16 },
	{ HIVE_LENGTH, AT_LENGTH, 4 },
	{ HIVE_MAP, AT_MAP, 8 },
	{ HIVE_DIRECTORY, 0, 8 * HIVE_MAX_TABLES },
	{ HIVE_TABLE, 0, TABLE_BLOCKS *HIVE_MAP_ENTRY_SIZE },
	{ HIVE_BLOCK_OFFSET, AT_BLOCK_OFFSET, 8 },
	{ HIVE_PERMANENT_BIN, AT_BIN, 8 },
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

void hive_builder_init(struct hive_builder *b, uint32_t stable_blocks, uint32_t volatile_blocks)
{
	size_t blocks = (size_t)stable_blocks + volatile_blocks;

	memset(b, 0, sizeof(*b));
	b->blocks[STORAGE_STABLE] = stable_blocks;
	b->blocks[STORAGE_VOLATILE] = volatile_blocks;
	check(stable_blocks <= HIVE_MAX_TABLES * TABLE_BLOCKS &&
	      volatile_blocks <= HIVE_MAX_TABLES * TABLE_BLOCKS);
	b->base_block = round_up(HIVE_AT_TABLES + blocks * HIVE_MAP_ENTRY_SIZE, PAGE_SIZE);
	b->bins[STORAGE_STABLE] = b->base_block + REGF_SIZE;
	b->bins[STORAGE_VOLATILE] = b->bins[STORAGE_STABLE] + (size_t)stable_blocks * HIVE_BLOCK;
	b->size = b->bins[STORAGE_VOLATILE] + (size_t)volatile_blocks * HIVE_BLOCK;
	b->bytes = calloc(1, b->size);
	check(b->bytes);
}

void hive_builder_deinit(struct hive_builder *b)
{
	free(b->bytes);
	memset(b, 0, sizeof(*b));
}

static uint8_t *at_offset(struct hive_builder *b, uint32_t offset)
{
	return b->bytes + b->bins[hive_storage_of(offset)] + (offset & ~CELL_VOLATILE);
}

/* What is left of the last bin is a free cell. */
static void end_bin(struct hive_builder *b, enum hive_storage kind)
{
	uint32_t left = b->used[kind] - b->place[kind];

	if (left)
		store_u32(b->bytes + b->bins[kind] + b->place[kind], left);
	b->place[kind] = b->used[kind];
}

static void begin_bin(struct hive_builder *b, enum hive_storage kind, size_t cell_size)
{
	uint32_t size = (uint32_t)round_up(BIN_HEADER_SIZE + cell_size, HIVE_BLOCK);
	uint8_t *bin = b->bytes + b->bins[kind] + b->used[kind];

	end_bin(b, kind);
	check(size <= b->blocks[kind] * HIVE_BLOCK - b->used[kind]);
	store_u32(bin, BIN_SIGNATURE);
	store_u32(bin + BIN_FILE_OFFSET, b->used[kind]);
	store_u32(bin + BIN_SIZE, size);
	b->place[kind] = b->used[kind] + BIN_HEADER_SIZE;
	b->used[kind] += size;
}

uint32_t hive_builder_cell(struct hive_builder *b, enum hive_storage kind, size_t size)
{
	size_t cell_size = round_up(CELL_HEADER_SIZE + size, MIN_CELL_SIZE);
	uint32_t cell;

	if (cell_size > b->used[kind] - b->place[kind])
		begin_bin(b, kind, cell_size);
	cell = b->place[kind] | (kind == STORAGE_VOLATILE ? CELL_VOLATILE : 0);
	store_u32(at_offset(b, cell), 0 - (uint32_t)cell_size);
	b->place[kind] += (uint32_t)cell_size;
	return cell;
}

uint8_t *hive_builder_at(struct hive_builder *b, uint32_t cell)
{
	return at_offset(b, cell) + CELL_HEADER_SIZE;
}

uint32_t hive_builder_key(struct hive_builder *b, enum hive_storage kind, const char *name,
			  uint32_t parent)
{
	size_t len = strlen(name);
	uint32_t cell = hive_builder_cell(b, kind, NK_NAME + len);
	uint8_t *node = hive_builder_at(b, cell);

	store_u16(node, NK_SIGNATURE);
	store_u16(node + NK_FLAGS, KEY_COMPRESSED);
	store_u64(node + NK_LAST_WRITE, UINT64_C(133000000000000000) + cell);
	store_u32(node + NK_PARENT, parent);
	store_u32(node + NK_SUBKEY_LISTS, CELL_NONE);
	store_u32(node + NK_SUBKEY_LISTS + 4, CELL_NONE);
	store_u32(node + NK_VALUE_LIST, CELL_NONE);
	store_u32(node + NK_SECURITY, CELL_NONE);
	store_u32(node + NK_CLASS, CELL_NONE);
	store_u16(node + NK_NAME_LENGTH, (uint16_t)len);
	memcpy(node + NK_NAME, name, len);
	return cell;
}

uint32_t hive_builder_index(struct hive_builder *b, enum hive_storage kind, uint16_t signature,
			    const uint32_t *cells, size_t count)
{
	size_t entry = signature == INDEX_FAST_LEAF || signature == INDEX_HASH_LEAF ? 8 : 4;
	uint32_t cell = hive_builder_cell(b, kind, INDEX_ENTRIES + count * entry);
	uint8_t *list = hive_builder_at(b, cell);

	store_u16(list, signature);
	store_u16(list + INDEX_COUNT, (uint16_t)count);
	for (size_t i = 0; i < count; i++)
		store_u32(list + INDEX_ENTRIES + i * entry, cells[i]);
	return cell;
}

void hive_builder_set_subkeys(struct hive_builder *b, uint32_t key, enum hive_storage kind,
			      uint32_t index, size_t count)
{
	uint8_t *node = hive_builder_at(b, key);

	store_u32(node + NK_SUBKEY_COUNTS + 4 * kind, (uint32_t)count);
	store_u32(node + NK_SUBKEY_LISTS + 4 * kind, index);
}

static uint32_t put_data(struct hive_builder *b, enum hive_storage kind, const uint8_t *data,
			 uint32_t size)
{
	uint32_t count = (size + BIG_DATA_SEGMENT - 1) / BIG_DATA_SEGMENT, cell, list;

	if (size <= BIG_DATA_SEGMENT) {
		cell = hive_builder_cell(b, kind, size);
		memcpy(hive_builder_at(b, cell), data, size);
		return cell;
	}
	cell = hive_builder_cell(b, kind, BIG_DATA_SIZE);
	list = hive_builder_cell(b, kind, 4 * (size_t)count);
	store_u16(hive_builder_at(b, cell), BIG_DATA_SIGNATURE);
	store_u16(hive_builder_at(b, cell) + BIG_DATA_COUNT, (uint16_t)count);
	store_u32(hive_builder_at(b, cell) + BIG_DATA_LIST, list);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t left = size - i * BIG_DATA_SEGMENT;
		uint32_t part = put_data(b, kind, data + i * BIG_DATA_SEGMENT,
					 left < BIG_DATA_SEGMENT ? left : BIG_DATA_SEGMENT);

		store_u32(hive_builder_at(b, list) + 4 * i, part);
	}
	return cell;
}

uint32_t hive_builder_value(struct hive_builder *b, enum hive_storage kind, const char *name,
			    uint32_t type, const void *data, uint32_t size)
{
	size_t len = strlen(name);
	uint32_t cell = hive_builder_cell(b, kind, VALUE_NAME + len);
	uint8_t *value = hive_builder_at(b, cell);

	store_u16(value, VALUE_SIGNATURE);
	store_u16(value + VALUE_NAME_LENGTH, (uint16_t)len);
	store_u32(value + VALUE_TYPE, type);
	store_u16(value + VALUE_FLAGS, VALUE_COMPRESSED_NAME);
	memcpy(value + VALUE_NAME, name, len);
	if (size <= MAX_RESIDENT_DATA) {
		store_u32(value + VALUE_DATA_LENGTH, size | VALUE_RESIDENT);
		memcpy(value + VALUE_DATA, data, size);
	} else {
		store_u32(value + VALUE_DATA_LENGTH, size);
		store_u32(value + VALUE_DATA, put_data(b, kind, data, size));
	}
	return cell;
}

void hive_builder_set_values(struct hive_builder *b, uint32_t key, const uint32_t *cells,
			     size_t count)
{
	uint32_t list = hive_builder_cell(b, hive_storage_of(key), 4 * count);
	uint8_t *node = hive_builder_at(b, key);

	for (size_t i = 0; i < count; i++)
		store_u32(hive_builder_at(b, list) + 4 * i, cells[i]);
	store_u32(node + NK_VALUE_COUNT, (uint32_t)count);
	store_u32(node + NK_VALUE_LIST, list);
}

void hive_builder_hide(struct hive_builder *b, uint32_t offset)
{
	check(b->num_hidden < HIVE_MAX_HIDDEN);
	b->hidden[b->num_hidden++] = (size_t)(at_offset(b, offset) - b->bytes) & ~(size_t)0xfff;
}

/* The entries of one storage's blocks, which lie one behind the other: each names its bin, whose
 * address carries flags, and its place in the bin. */
static void write_map(struct hive_builder *b, enum hive_storage kind, size_t entries)
{
	size_t directory = HIVE_AT_DIRECTORY + (size_t)kind * 8 * HIVE_MAX_TABLES;
	uint32_t bin = 0;

	for (uint32_t i = 0; i < b->blocks[kind]; i++) {
		const uint8_t *block = b->bytes + b->bins[kind] + (size_t)i * HIVE_BLOCK;
		uint8_t *entry = b->bytes + entries + (size_t)i * HIVE_MAP_ENTRY_SIZE;

		if (load_u32(block) == BIN_SIGNATURE &&
		    load_u32(block + BIN_FILE_OFFSET) == i * HIVE_BLOCK)
			bin = i;
		store_u64(entry + AT_BIN,
			  (HIVE_BASE + b->bins[kind] + (size_t)bin * HIVE_BLOCK) | 1);
		store_u64(entry + AT_BLOCK_OFFSET, (uint64_t)(i - bin) * HIVE_BLOCK);
		if (i % TABLE_BLOCKS == 0)
			store_u64(b->bytes + directory + 8 * (i / TABLE_BLOCKS),
				  HIVE_BASE + (uint64_t)(entry - b->bytes));
	}
	store_u32(b->bytes + AT_STORAGE + kind * STORAGE_SIZE + AT_LENGTH, b->used[kind]);
	store_u64(b->bytes + AT_STORAGE + kind * STORAGE_SIZE + AT_MAP, HIVE_BASE + directory);
}

static void write_base_block(struct hive_builder *b)
{
	uint8_t *block = b->bytes + b->base_block;
	uint32_t sum = 0;

	store_u32(block, REGF_SIGNATURE);
	store_u32(block + REGF_SEQUENCE1, 7);
	store_u32(block + REGF_SEQUENCE2, 7);
	store_u32(block + REGF_MAJOR, REGF_MAJOR_1);
	store_u32(block + REGF_MINOR, VERSION);
	store_u32(block + REGF_FORMAT, REGF_FORMAT_MEMORY);
	store_u32(block + REGF_ROOT_CELL, BIN_HEADER_SIZE);
	store_u32(block + REGF_LENGTH, b->used[STORAGE_STABLE]);
	store_u32(block + REGF_CLUSTER, REGF_CLUSTER_1);
	for (size_t i = 0; i < REGF_CHECKSUM; i += 4)
		sum ^= load_u32(block + i);
	store_u32(block + REGF_CHECKSUM, sum);
}

static void put_string(struct hive_builder *b, size_t header, size_t at, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		store_u16(b->bytes + at + 2 * i, (uint8_t)text[i]);
	store_u16(b->bytes + header, (uint16_t)(2 * len));
	store_u16(b->bytes + header + 2, (uint16_t)(2 * len));
	store_u64(b->bytes + header + 8, HIVE_BASE + at);
}

void hive_builder_finish(struct hive_builder *b)
{
	end_bin(b, STORAGE_STABLE);
	end_bin(b, STORAGE_VOLATILE);
	store_u32(b->bytes + AT_SIGNATURE, HIVE_MAGIC);
	store_u64(b->bytes + AT_BASE_BLOCK, HIVE_BASE + b->base_block);
	store_u32(b->bytes + AT_VERSION, VERSION);
	put_string(b, AT_FILE_PATH, HIVE_AT_STRINGS, "\\??\\C:\\sample.dat");
	put_string(b, AT_ROOT_PATH, HIVE_AT_STRINGS + 0x80, "\\REGISTRY\\MACHINE\\SAMPLE");
	write_map(b, STORAGE_STABLE, HIVE_AT_TABLES);
	write_map(b, STORAGE_VOLATILE,
		  HIVE_AT_TABLES + (size_t)b->blocks[STORAGE_STABLE] * HIVE_MAP_ENTRY_SIZE);
	write_base_block(b);
}

static bool is_hidden(size_t at, const size_t *hidden, size_t num_hidden)
{
	for (size_t i = 0; i < num_hidden; i++) {
		if (hidden[i] == at)
			return true;
	}
	return false;
}

/* Page by page where some are hidden. */
static void add_pages(struct built_hive *h, size_t size, const size_t *hidden, size_t num_hidden)
{
	struct error *err = NULL;

	if (!num_hidden) {
		err = virtmem_add(h->mem, HIVE_BASE, size, &h->file, 0);
		check(!err);
		return;
	}
	for (size_t at = 0; at < size; at += PAGE_SIZE) {
		size_t len = size - at < PAGE_SIZE ? size - at : PAGE_SIZE;

		if (!is_hidden(at, hidden, num_hidden))
			err = virtmem_add(h->mem, HIVE_BASE + at, len, &h->file, at);
		check(!err);
	}
}

bool built_hive_open(struct built_hive *h, const uint8_t *bytes, size_t size, const size_t *hidden,
		     size_t num_hidden)
{
	struct hive_fault fault;
	struct error *err;

	memset(h, 0, sizeof(*h));
	arena_init(&h->arena, 0);
	h->file = (struct file){ .fd = -1, .bytes = bytes, .size = size };
	err = virtmem_create(&h->mem);
	check(!err);
	add_pages(h, size, hidden, num_hidden);
	err = virtmem_seal(h->mem);
	check(!err);
	err = space_create_virtual(h->mem, &h->space);
	check(!err);
	h->memory.kernel = h->space;
	h->memory.storage_size = STORAGE_SIZE;
	h->memory.map_entry_size = HIVE_MAP_ENTRY_SIZE;
	for (size_t i = 0; i < ARRAY_SIZE(layout); i++)
		h->memory.fields[layout[i].field] = (struct field){
			.offset = layout[i].offset,
			.size = layout[i].size,
			.present = true,
		};
	return hive_read(&h->memory, HIVE_BASE, &h->arena, &h->hive, &fault);
}

void built_hive_close(struct built_hive *h)
{
	space_destroy(h->space);
	virtmem_destroy(h->mem);
	arena_deinit(&h->arena);
}
