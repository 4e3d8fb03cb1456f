/* SPDX-License-Identifier: MIT */
/*
 * Listing a hive of COUNT keys, two values each, that lies in memory without page tables: its
 * keys, its keys and values with their data, and keys found by their paths. The baseline adds up
 * the bytes of all bins, which are the pages that a listing touches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../hive_builder.h"
#include "bench.h"
#include "windows/registry/private.h"
#include "windows/registry/walk.h"

enum {
	KEYS_PER_GROUP = 100,
	MAX_LEAF = 512, /* subkeys of one list, as Windows has it */
	BYTES_PER_KEY = 400,
	ROUNDS = 3,
	FINDS = 2000,
};

struct totals {
	uint64_t keys, values, bytes;
	bool with_values;
};

static void add_values(struct hive_builder *b, uint32_t key, uint32_t number)
{
	const uint32_t cells[] = {
		hive_builder_value(b, STORAGE_STABLE, "Start", REG_DWORD, &number, 4),
		hive_builder_value(b, STORAGE_STABLE, "ImagePath", REG_SZ, "s\0y\0s\0t\0e\0m\0\0",
				   14),
	};

	hive_builder_set_values(b, key, cells, ARRAY_SIZE(cells));
}

/* Leaves of MAX_LEAF cells, and over more than one of them a root index. */
static void set_subkeys(struct hive_builder *b, uint32_t key, const uint32_t *cells, size_t count)
{
	uint32_t *leaves = calloc(count / MAX_LEAF + 1, sizeof(*leaves));
	size_t num_leaves = 0;

	if (!leaves)
		bench_check(&error_no_memory);
	for (size_t at = 0; at < count; at += MAX_LEAF)
		leaves[num_leaves++] =
			hive_builder_index(b, STORAGE_STABLE, INDEX_HASH_LEAF, cells + at,
					   count - at < MAX_LEAF ? count - at : MAX_LEAF);
	if (num_leaves > 1)
		leaves[0] = hive_builder_index(b, STORAGE_STABLE, INDEX_ROOT, leaves, num_leaves);
	hive_builder_set_subkeys(b, key, STORAGE_STABLE, leaves[0], count);
	free(leaves);
}

static uint32_t add_group(struct hive_builder *b, uint32_t root, uint32_t number, size_t count)
{
	uint32_t cells[KEYS_PER_GROUP], group;
	char name[32];

	snprintf(name, sizeof(name), "Group%06u", number);
	group = hive_builder_key(b, STORAGE_STABLE, name, root);
	for (uint32_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "Key%03u", i);
		cells[i] = hive_builder_key(b, STORAGE_STABLE, name, group);
		add_values(b, cells[i], i);
	}
	set_subkeys(b, group, cells, count);
	return group;
}

static void build(struct hive_builder *b, size_t keys)
{
	size_t groups = (keys + KEYS_PER_GROUP - 1) / KEYS_PER_GROUP;
	uint32_t *cells = calloc(groups, sizeof(*cells)), root;

	if (!cells)
		bench_check(&error_no_memory);
	hive_builder_init(b, (uint32_t)(keys * BYTES_PER_KEY / HIVE_BLOCK) + 16, 0);
	root = hive_builder_key(b, STORAGE_STABLE, "ROOT", CELL_NONE);
	for (size_t i = 0; i < groups; i++, keys -= KEYS_PER_GROUP)
		cells[i] = add_group(b, root, (uint32_t)i,
				     keys < KEYS_PER_GROUP ? keys : KEYS_PER_GROUP);
	set_subkeys(b, root, cells, groups);
	hive_builder_finish(b);
	free(cells);
}

static struct error *visit(struct registry_walk *w, const struct registry_key *key,
			   const char *path, unsigned depth)
{
	struct totals *t = w->arg;
	struct cell_list list;
	struct hive_fault fault;
	struct registry_value value;
	struct arena arena;
	const uint8_t *data;

	(void)path, (void)depth;
	t->keys++;
	if (!t->with_values)
		return NULL;
	arena_init(&arena, 0);
	bench_check(registry_key_values(key, &list));
	for (size_t i = 0; i < list.count; i++) {
		if (registry_value_read(key->hive, list.cells[i], &arena, &value, &fault) &&
		    registry_value_data(&value, &arena, &data, &fault)) {
			t->values++;
			t->bytes += value.size;
		}
	}
	cell_list_deinit(&list);
	arena_deinit(&arena);
	return NULL;
}

static double time_walk(const struct hive *h, struct totals *t)
{
	struct registry_walk w = { .max_depth = MAX_KEY_DEPTH, .fn = visit, .arg = t };
	double start = bench_now();
	struct diag diag;

	diag_init(&diag, NULL, NULL);
	w.diag = &diag;
	bench_check(registry_walk_run(&w, h, hive_root_cell(h), "R"));
	if (diag.partial) {
		fprintf(stderr, "bench_registry: the hive is damaged\n");
		exit(1);
	}
	return bench_now() - start;
}

static double time_finds(const struct hive *h, size_t groups)
{
	struct registry_hive listed = { *h, h->root_path, "list" }, *hives[] = { &listed };
	struct registry r = { .hives = hives, .num_hives = 1 };
	double start = bench_now();
	struct registry_key key;
	struct arena arena;
	char path[64];

	arena_init(&arena, 0);
	for (size_t i = 0; i < FINDS; i++) {
		arena_reset(&arena);
		snprintf(path, sizeof(path), "HKLM\\Sample\\group%06zu\\KEY000", i % groups);
		bench_check(registry_find(&r, path, &arena, &key, NULL));
	}
	arena_deinit(&arena);
	return bench_now() - start;
}

static double time_plain(const struct hive_builder *b)
{
	double start = bench_now();
	uint64_t sum = bench_sum(b->bytes + b->bins[STORAGE_STABLE], b->used[STORAGE_STABLE]);

	__asm__ volatile("" : : "r"(sum));
	return bench_now() - start;
}

static void row(const char *what, double count, const char *unit, double *seconds, double plain)
{
	double median = bench_median(seconds, ROUNDS);

	printf("%-28s %12.0f %s/s %20.1f x\n", what, count / median, unit, median / plain);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 100000 };
	double plain[ROUNDS], keys[ROUNDS], values[ROUNDS], finds[ROUNDS];
	struct totals all = { .with_values = true };
	struct hive_builder b;
	struct built_hive built;
	size_t groups;

	bench_parse(&options, argc, argv, 0, "   (COUNT: keys)");
	build(&b, options.count);
	groups = (options.count + KEYS_PER_GROUP - 1) / KEYS_PER_GROUP;
	if (!built_hive_open(&built, b.bytes, b.size, NULL, 0))
		exit(1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct totals names = { .with_values = false };

		all = (struct totals){ .with_values = true };
		plain[i] = time_plain(&b);
		keys[i] = time_walk(&built.hive, &names);
		values[i] = time_walk(&built.hive, &all);
		finds[i] = time_finds(&built.hive, groups);
	}
	double baseline = bench_median(plain, ROUNDS);

	printf("a hive of %llu keys and %llu values in %u pages (x: one plain pass over them)\n",
	       (unsigned long long)all.keys, (unsigned long long)all.values,
	       b.used[STORAGE_STABLE] / HIVE_BLOCK);
	row("keys", (double)all.keys, "keys", keys, baseline);
	row("keys, values and data", (double)all.values, "values", values, baseline);
	row("keys by path", FINDS, "keys", finds, baseline);
	built_hive_close(&built);
	hive_builder_deinit(&b);
	return 0;
}
