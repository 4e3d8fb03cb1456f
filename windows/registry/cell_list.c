/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/u64_set.h"
#include "windows/registry/key.h"

enum { MAX_INDEX_DEPTH = 4 /* Windows makes two levels: a root index of leaves */ };

static const char why_limit[] = "more entries than the limit allows";

void cell_list_deinit(struct cell_list *list)
{
	free(list->cells);
	memset(list, 0, sizeof(*list));
}

struct collector {
	const struct hive *hive;
	struct cell_list *list;
	struct u64_set seen; /* indexes and what they list: no list holds a cell twice */
};

static void add_fault(struct cell_list *list, const struct hive_fault *fault, size_t count)
{
	if (!list->num_faults)
		list->first_fault = *fault;
	list->num_faults += count;
}

static void add_reason(struct cell_list *list, uint32_t cell, const char *why, size_t count)
{
	add_fault(list, &(struct hive_fault){ .cell = cell, .why = why }, count);
}

/* The cell, unless the list has it already. */
static struct error *add_cell(struct collector *c, uint32_t cell)
{
	struct cell_list *list = c->list;
	struct error *err;
	bool added;

	if ((err = u64_set_add(&c->seen, cell, &added)))
		return err;
	if (!added) {
		add_reason(list, cell, "it is listed twice", 1);
		return NULL;
	}
	if (list->count == MAX_CELLS) {
		add_reason(list, cell, why_limit, 1);
		return NULL;
	}
	if ((err = array_reserve(&list->cells, &list->capacity, list->count + 1,
				 sizeof(*list->cells), MAX_CELLS, "cells")))
		return err;
	list->cells[list->count++] = cell;
	return NULL;
}

/* A list in a cell: entries of entry_size bytes that begin with a cell's number. */
struct entries {
	struct hive_cell content;
	uint32_t offset; /* of the first entry in the content */
	uint32_t count, entry_size;
	bool of_lists; /* the entries are lists themselves */
};

static struct error *collect_index(struct collector *c, uint32_t cell, unsigned depth);

/* One absent page costs the entries in it. */
static struct error *collect_entries(struct collector *c, const struct entries *e, unsigned depth)
{
	size_t size = (size_t)e->count * e->entry_size;
	uint8_t *bytes = malloc(size + 1);
	struct error *err = NULL;
	struct hive_fault fault;
	bool whole;

	if (!bytes)
		return &error_no_memory;
	whole = hive_cell_read(c->hive, &e->content, e->offset, bytes, size, &fault);
	for (uint32_t i = 0; i < e->count && !err; i++) {
		uint32_t at = i * e->entry_size;

		if (!whole &&
		    !hive_cell_read(c->hive, &e->content, e->offset + at, bytes + at, 4, &fault))
			add_fault(c->list, &fault, 1);
		else if (e->of_lists)
			err = collect_index(c, load_u32(bytes + at), depth + 1);
		else
			err = add_cell(c, load_u32(bytes + at));
	}
	free(bytes);
	return err;
}

/* As many entries as the cell has room for. */
static void cut_to_cell(struct collector *c, struct entries *e)
{
	uint32_t room = (e->content.size - e->offset) / e->entry_size;

	if (e->count <= room)
		return;
	add_reason(c->list, e->content.cell, "the list is longer than its cell", e->count - room);
	e->count = room;
}

static uint32_t entry_size_of(uint16_t signature)
{
	switch (signature) {
	case INDEX_LEAF:
	case INDEX_ROOT:
		return 4;
	case INDEX_FAST_LEAF:
	case INDEX_HASH_LEAF:
		return 8;
	}
	return 0;
}

static bool read_index(struct collector *c, uint32_t cell, struct entries *ret,
		       struct hive_fault *fault)
{
	struct entries e = { .offset = INDEX_ENTRIES };
	uint8_t head[INDEX_ENTRIES];

	if (!hive_cell(c->hive, cell, &e.content, fault) ||
	    !hive_cell_read(c->hive, &e.content, 0, head, sizeof(head), fault))
		return false;
	e.entry_size = entry_size_of(load_u16(head));
	e.of_lists = load_u16(head) == INDEX_ROOT;
	e.count = load_u16(head + INDEX_COUNT);
	if (!e.entry_size) {
		*fault = (struct hive_fault){ .cell = cell, .why = "no list of subkeys" };
		return false;
	}
	*ret = e;
	return true;
}

static struct error *collect_index(struct collector *c, uint32_t cell, unsigned depth)
{
	struct hive_fault fault;
	struct entries index;
	struct error *err;
	bool added;

	if ((err = u64_set_add(&c->seen, cell, &added)))
		return err;
	if (!added || depth == MAX_INDEX_DEPTH) {
		add_reason(c->list, cell, "the list of subkeys runs in a loop", 1);
		return NULL;
	}
	if (!read_index(c, cell, &index, &fault)) {
		add_fault(c->list, &fault, 1);
		return NULL;
	}
	cut_to_cell(c, &index);
	return collect_entries(c, &index, depth);
}

/* Says that fewer cells were found than the key says it has, where no fault told of it. */
static void check_count(struct cell_list *list, uint32_t cell, size_t found, size_t said)
{
	if (found < said && !list->num_faults)
		add_reason(list, cell, "the list is shorter than its key says", said - found);
}

struct error *registry_key_subkeys(const struct registry_key *key, struct cell_list *ret)
{
	struct cell_list list = { 0 };
	struct collector c = { .hive = key->hive, .list = &list };
	struct error *err = NULL;

	for (unsigned i = 0; i < NUM_STORAGES && !err; i++) {
		size_t before = list.count;

		if (!key->num_subkeys[i])
			continue;
		err = collect_index(&c, key->subkey_lists[i], 0);
		check_count(&list, key->subkey_lists[i], list.count - before, key->num_subkeys[i]);
	}
	u64_set_deinit(&c.seen);
	if (err)
		cell_list_deinit(&list);
	else
		*ret = list;
	return err;
}

struct error *registry_key_values(const struct registry_key *key, struct cell_list *ret)
{
	struct cell_list list = { 0 };
	struct collector c = { .hive = key->hive, .list = &list };
	struct entries values = { .count = key->num_values, .entry_size = 4 };
	struct hive_fault fault;
	struct error *err = NULL;

	if (values.count && hive_cell(key->hive, key->value_list, &values.content, &fault)) {
		cut_to_cell(&c, &values);
		if (values.count > MAX_CELLS) {
			add_reason(&list, key->value_list, why_limit, values.count - MAX_CELLS);
			values.count = MAX_CELLS;
		}
		err = collect_entries(&c, &values, 0);
	} else if (values.count) {
		add_fault(&list, &fault, values.count);
	}
	u64_set_deinit(&c.seen);
	if (err)
		cell_list_deinit(&list);
	else
		*ret = list;
	return err;
}
