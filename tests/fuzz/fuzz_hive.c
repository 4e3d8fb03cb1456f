/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../hive_builder.h"
#include "fuzz.h"
#include "windows/registry/hive_file.h"
#include "windows/registry/private.h"
#include "windows/registry/walk.h"

/*
 * The bytes are a hive in memory as tests/hive_builder.h makes them, damaged anywhere: its own
 * structure, its maps, its cells. Everything in it is listed, the first keys are found again by
 * their paths, and the file is written.
 */
enum { MAX_INPUT = 128 << 10, MAX_FOUND = 48, MAX_FILE = 1 << 20 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

struct round {
	struct registry registry;
	struct registry_hive listed, *hives[1];
	struct diag diag;
	unsigned found;
	uint64_t written; /* end of the file so far */
};

static void read_values(const struct registry_key *key, struct arena *a)
{
	struct registry_value value;
	struct hive_fault fault;
	struct cell_list list;
	const uint8_t *data;

	check(!registry_key_values(key, &list));
	for (size_t i = 0; i < list.count; i++) {
		if (!registry_value_read(key->hive, list.cells[i], a, &value, &fault))
			continue;
		check(value.name && registry_type_name(a, value.type));
		if (registry_value_data(&value, a, &data, &fault))
			check(registry_data_text(a, value.type, data, value.size, 64));
	}
	cell_list_deinit(&list);
}

static void find_again(struct round *r, const char *path, struct arena *a)
{
	struct registry_key key;
	const char *found;
	struct error *err = registry_find(&r->registry, path, a, &key, &found);

	check(err || (key.name && found));
	error_destroy(err);
}

static struct error *visit(struct registry_walk *w, const struct registry_key *key,
			   const char *path, unsigned depth)
{
	struct round *r = w->arg;
	struct hive_fault fault;
	struct arena arena;
	const char *class;

	check(key->name && depth <= MAX_KEY_DEPTH + 1);
	arena_init(&arena, 0);
	read_values(key, &arena);
	if (registry_key_class(key, &arena, &class, &fault))
		check(class);
	if (r->found++ < MAX_FOUND)
		find_again(r, path, &arena);
	arena_deinit(&arena);
	return NULL;
}

/* The file is written from its beginning to its end, without gaps. */
static struct error *advance(struct round *r, uint64_t file_offset, size_t len)
{
	check(file_offset == r->written && len);
	r->written += len;
	return NULL;
}

static struct error *copy(void *arg, uint64_t file_offset, uint32_t offset, size_t len)
{
	check(file_offset == REGF_SIZE + (uint64_t)offset);
	return advance(arg, file_offset, len);
}

static struct error *copy_base(void *arg, uint64_t file_offset, uint64_t va, size_t len)
{
	(void)va;
	return advance(arg, file_offset, len);
}

static struct error *put_made(void *arg, uint64_t file_offset, const uint8_t *bytes, size_t len)
{
	check(bytes);
	return advance(arg, file_offset, len);
}

static void write_file(struct round *r)
{
	const struct hive_file_writer writer = { copy, copy_base, put_made, r };
	const struct hive *h = &r->listed.hive;
	uint32_t length =
		h->storage[STORAGE_STABLE].present ? h->storage[STORAGE_STABLE].length : 0;

	if (length > MAX_FILE)
		return;
	check(!hive_file_write(h, &writer));
	check(r->written == REGF_SIZE + (uint64_t)(length & ~(uint32_t)(HIVE_BLOCK - 1)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct round r = { .registry = { .num_hives = 1 } };
	struct registry_walk w = { .max_depth = MAX_KEY_DEPTH, .fn = visit, .arg = &r };
	struct built_hive built;

	if (size > MAX_INPUT)
		return 0;
	diag_init(&r.diag, NULL, NULL);
	w.diag = &r.diag;
	if (built_hive_open(&built, data, size, NULL, 0)) {
		r.listed = (struct registry_hive){ built.hive, built.hive.root_path, "list" };
		r.hives[0] = &r.listed;
		r.registry.hives = r.hives;
		check(!registry_walk_run(&w, &built.hive, hive_root_cell(&built.hive),
					 built.hive.root_path ? built.hive.root_path : "0x0"));
		write_file(&r);
	}
	built_hive_close(&built);
	return 0;
}
