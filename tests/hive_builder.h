/* SPDX-License-Identifier: MIT */
#ifndef TESTS_HIVE_BUILDER_H
#define TESTS_HIVE_BUILDER_H

#include "memory/space.h"
#include "windows/registry/key.h"

/*
 * A hive in memory, made by hand: for unit tests, the fuzz target's seeds and the benchmark. All of
 * it lies at HIVE_BASE in one piece: the _CMHIVE with fields close together (a layout that no build
 * has, see hive_builder_memory()), the maps, the base block, the stable bins, the volatile ones.
 * Failures abort.
 */
#define HIVE_BASE UINT64_C(0xffffb00000000000)
enum {
	HIVE_AT_DIRECTORY = 0x100, /* of each storage, HIVE_MAX_TABLES pointers */
	HIVE_MAX_TABLES = 64,
	HIVE_AT_STRINGS = 0x500,
	HIVE_AT_TABLES = 0x800, /* as many entries as blocks, storage after storage */
	HIVE_MAP_ENTRY_SIZE = 24,
	HIVE_MAX_HIDDEN = 16,
};

struct hive_builder {
	uint8_t *bytes;
	size_t size;
	uint32_t blocks[NUM_STORAGES];
	size_t bins[NUM_STORAGES];    /* where they begin in bytes */
	uint32_t used[NUM_STORAGES];  /* bytes of bins that are made */
	uint32_t place[NUM_STORAGES]; /* of the next cell; used where the last bin is full */
	size_t base_block;	      /* where it is in bytes */
	size_t hidden[HIVE_MAX_HIDDEN], num_hidden; /* pages to leave out, as places in bytes */
};

void hive_builder_init(struct hive_builder *b, uint32_t stable_blocks, uint32_t volatile_blocks);
void hive_builder_deinit(struct hive_builder *b);

/* A cell in use with room for size bytes. */
uint32_t hive_builder_cell(struct hive_builder *b, enum hive_storage kind, size_t size);
/* Its content. */
uint8_t *hive_builder_at(struct hive_builder *b, uint32_t cell);
/* A key; the first one is the root. ASCII names are compressed. */
uint32_t hive_builder_key(struct hive_builder *b, enum hive_storage kind, const char *name,
			  uint32_t parent);
/* A list of subkeys: INDEX_LEAF, ...; its cells are written as they are. */
uint32_t hive_builder_index(struct hive_builder *b, enum hive_storage kind, uint16_t signature,
			    const uint32_t *cells, size_t count);
void hive_builder_set_subkeys(struct hive_builder *b, uint32_t key, enum hive_storage kind,
			      uint32_t index, size_t count);
/* A value; its data goes where its size says. */
uint32_t hive_builder_value(struct hive_builder *b, enum hive_storage kind, const char *name,
			    uint32_t type, const void *data, uint32_t size);
void hive_builder_set_values(struct hive_builder *b, uint32_t key, const uint32_t *cells,
			     size_t count);
/* The page that an offset of the hive lies in will not be in the snapshot. */
void hive_builder_hide(struct hive_builder *b, uint32_t offset);
/* Ends the last bins with free cells and writes the maps and the base block. Once. */
void hive_builder_finish(struct hive_builder *b);

/* The hive, seen as in a snapshot. */
struct built_hive {
	struct file file;
	struct virtmem *mem;
	struct space *space;
	struct hive_memory memory;
	struct hive hive;
	struct arena arena;
};
/* Bytes as a builder makes them, or damaged. False: they hold no hive. */
bool built_hive_open(struct built_hive *h, const uint8_t *bytes, size_t size, const size_t *hidden,
		     size_t num_hidden);
void built_hive_close(struct built_hive *h);

#endif
