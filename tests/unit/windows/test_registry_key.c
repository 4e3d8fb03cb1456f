/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>

#include "../../hive_builder.h"
#include "base/cursor.h"
#include "windows/registry/walk.h"

/* Keys of one hive: root, with the stable subkeys A (with A1, A2), B and C and the volatile V. */
struct sample {
	struct hive_builder b;
	uint32_t root, a, a1, a2, c[3], index, index_of_a, v;
	struct built_hive built;
	char paths[1024]; /* of a walk, each with ';' behind it */
	struct diag diag;
	char message[512]; /* the last that diag got */
};

static void sample_init(struct sample *s)
{
	uint32_t of_a[2];

	memset(s, 0, sizeof(*s));
	hive_builder_init(&s->b, 16, 1);
	s->root = hive_builder_key(&s->b, STORAGE_STABLE, "root", CELL_NONE);
	s->a = hive_builder_key(&s->b, STORAGE_STABLE, "A", s->root);
	s->c[0] = s->a;
	s->c[1] = hive_builder_key(&s->b, STORAGE_STABLE, "B", s->root);
	s->c[2] = hive_builder_key(&s->b, STORAGE_STABLE, "C", s->root);
	s->a1 = of_a[0] = hive_builder_key(&s->b, STORAGE_STABLE, "A1", s->a);
	s->a2 = of_a[1] = hive_builder_key(&s->b, STORAGE_STABLE, "A2", s->a);
	s->index = hive_builder_index(&s->b, STORAGE_STABLE, INDEX_HASH_LEAF, s->c, 3);
	s->index_of_a = hive_builder_index(&s->b, STORAGE_STABLE, INDEX_LEAF, of_a, 2);
	s->v = hive_builder_key(&s->b, STORAGE_VOLATILE, "V", s->root);
	hive_builder_set_subkeys(&s->b, s->root, STORAGE_STABLE, s->index, 3);
	hive_builder_set_subkeys(&s->b, s->a, STORAGE_STABLE, s->index_of_a, 2);
	hive_builder_set_subkeys(
		&s->b, s->root, STORAGE_VOLATILE,
		hive_builder_index(&s->b, STORAGE_VOLATILE, INDEX_FAST_LEAF, &s->v, 1), 1);
}

static void keep_message(void *arg, enum diag_kind kind, const char *message)
{
	struct sample *s = arg;

	(void)kind;
	snprintf(s->message, sizeof(s->message), "%s", message);
}

static struct error *keep_path(struct registry_walk *w, const struct registry_key *key,
			       const char *path, unsigned depth)
{
	struct sample *s = w->arg;
	size_t len = strlen(s->paths);

	(void)key, (void)depth;
	snprintf(s->paths + len, sizeof(s->paths) - len, "%s;", path);
	return NULL;
}

/* Walks what was built and compares: expected paths without "R" in front of each. */
static void expect_walk(struct sample *s, const char *paths, uint64_t partial, const char *why)
{
	struct registry_walk w = {
		.diag = &s->diag, .max_depth = MAX_KEY_DEPTH, .fn = keep_path, .arg = s
	};

	if (!load_u32(s->b.bytes))
		hive_builder_finish(&s->b);
	diag_init(&s->diag, keep_message, s);
	cr_assert(built_hive_open(&s->built, s->b.bytes, s->b.size, s->b.hidden, s->b.num_hidden));
	cr_assert_null(registry_walk_run(&w, &s->built.hive, hive_root_cell(&s->built.hive), "R"));
	cr_expect_str_eq(s->paths, paths);
	cr_expect_eq(s->diag.partial, partial, "%s", s->message);
	if (why)
		cr_expect(strstr(s->message, why), "'%s' in '%s'", why, s->message);
	built_hive_close(&s->built);
	hive_builder_deinit(&s->b);
}

#define ALL "R;R\\A;R\\A\\A1;R\\A\\A2;R\\B;R\\C;R\\V;"

Test(registry_key, whole_hive)
{
	struct sample s;

	sample_init(&s);
	expect_walk(&s, ALL, 0, NULL);
}

Test(registry_key, fields)
{
	struct registry_key key;
	struct hive_fault fault;
	struct sample s;
	uint8_t *node;

	sample_init(&s);
	node = hive_builder_at(&s.b, s.a);
	store_u16(node + NK_FLAGS, KEY_COMP_NAME | KEY_SYM_LINK);
	node[NK_NAME] = 0xe9; /* Latin-1 */
	node[NK_LAYER] = 0x83;
	node = hive_builder_at(&s.b, s.a1);
	store_u16(node + NK_FLAGS, KEY_COMP_NAME | KEY_PREDEF_HANDLE);
	store_u32(node + NK_VALUE_COUNT, 0x80000002);
	node = hive_builder_at(&s.b, s.a);
	hive_builder_finish(&s.b);
	cr_assert(built_hive_open(&s.built, s.b.bytes, s.b.size, NULL, 0));
	cr_expect_str_eq(s.built.hive.root_path, "\\REGISTRY\\MACHINE\\SAMPLE");
	cr_expect_str_eq(s.built.hive.file_path, "\\??\\C:\\sample.dat");
	cr_expect_null(s.built.hive.user_name);
	cr_assert(registry_key_read(&s.built.hive, s.a, &s.built.arena, &key, &fault));
	cr_expect_str_eq(key.name, "\xc3\xa9");
	cr_expect_eq(key.cell, s.a);
	cr_expect_eq(key.va, HIVE_BASE + (uint64_t)(node - s.b.bytes));
	cr_expect_eq(key.parent, s.root);
	cr_expect_eq(key.last_write_time, UINT64_C(133000000000000000) + s.a);
	cr_expect_eq(key.num_subkeys[STORAGE_STABLE], 2);
	cr_expect_eq(key.num_subkeys[STORAGE_VOLATILE], 0);
	cr_expect(key.flags & KEY_SYM_LINK);
	cr_expect_eq(key.layer, LAYER_SUPERSEDE_TREE);
	cr_assert(registry_key_read(&s.built.hive, s.a1, &s.built.arena, &key, &fault));
	cr_expect_eq(key.num_values, 0);
	cr_expect_eq(key.layer, LAYER_MERGE);
	built_hive_close(&s.built);
	hive_builder_deinit(&s.b);
}

Test(registry_key, wide_name_with_nul)
{
	struct registry_key key;
	struct hive_fault fault;
	struct sample s;
	uint8_t *node;

	sample_init(&s);
	node = hive_builder_at(&s.b, s.a1); /* "A1" is one character in UTF-16 */
	store_u16(node + NK_FLAGS, 0);
	store_u16(node + NK_NAME, 0x416);
	node = hive_builder_at(&s.b, s.a2);
	memcpy(node + NK_NAME, "a", 2);
	hive_builder_finish(&s.b);
	cr_assert(built_hive_open(&s.built, s.b.bytes, s.b.size, NULL, 0));
	cr_assert(registry_key_read(&s.built.hive, s.a1, &s.built.arena, &key, &fault));
	cr_expect_str_eq(key.name, "\xd0\x96");
	cr_assert(registry_key_read(&s.built.hive, s.a2, &s.built.arena, &key, &fault));
	cr_expect_str_eq(key.name, "a\xc0\x80");
	built_hive_close(&s.built);
	hive_builder_deinit(&s.b);
}

Test(registry_key, exit_to_another_hive)
{
	struct sample s;
	struct registry_key key;
	struct hive_fault fault;
	uint8_t *node;

	sample_init(&s);
	node = hive_builder_at(&s.b, s.c[2]);
	store_u16(node, NK_EXIT_SIGNATURE);
	store_u32(node + NK_EXIT_CELL, 0x20);
	store_u64(node + NK_EXIT_HIVE, UINT64_C(0xffff000012345678));
	hive_builder_finish(&s.b);
	cr_assert(built_hive_open(&s.built, s.b.bytes, s.b.size, NULL, 0));
	cr_assert(registry_key_read(&s.built.hive, s.c[2], &s.built.arena, &key, &fault));
	cr_expect(key.flags & KEY_HIVE_EXIT);
	cr_expect_eq(key.exit_hive, UINT64_C(0xffff000012345678));
	cr_expect_eq(key.exit_cell, 0x20);
	cr_expect_eq(key.num_subkeys[STORAGE_STABLE], 0);
	built_hive_close(&s.built);
	hive_builder_deinit(&s.b);
}

Test(registry_key, root_index_of_leaves)
{
	struct sample s;
	uint32_t leaves[2];

	sample_init(&s);
	leaves[0] = hive_builder_index(&s.b, STORAGE_STABLE, INDEX_FAST_LEAF, s.c, 2);
	leaves[1] = hive_builder_index(&s.b, STORAGE_STABLE, INDEX_LEAF, s.c + 2, 1);
	hive_builder_set_subkeys(&s.b, s.root, STORAGE_STABLE,
				 hive_builder_index(&s.b, STORAGE_STABLE, INDEX_ROOT, leaves, 2),
				 3);
	expect_walk(&s, ALL, 0, NULL);
}

Test(registry_key, root_index_that_lists_itself)
{
	struct sample s;
	uint32_t lists[2], cell;

	sample_init(&s);
	lists[0] = lists[1] = s.index;
	cell = hive_builder_index(&s.b, STORAGE_STABLE, INDEX_ROOT, lists, 2);
	store_u32(hive_builder_at(&s.b, cell) + INDEX_ENTRIES, cell);
	hive_builder_set_subkeys(&s.b, s.root, STORAGE_STABLE, cell, 3);
	expect_walk(&s, ALL, 1, "runs in a loop");
}

Test(registry_key, root_indexes_nested_too_deep)
{
	struct sample s;
	uint32_t cell;

	sample_init(&s);
	cell = s.index;
	for (int i = 0; i < 8; i++)
		cell = hive_builder_index(&s.b, STORAGE_STABLE, INDEX_ROOT, &cell, 1);
	hive_builder_set_subkeys(&s.b, s.root, STORAGE_STABLE, cell, 3);
	expect_walk(&s, "R;R\\V;", 1, "runs in a loop");
}

Test(registry_key, subkey_is_its_own_parent)
{
	struct sample s;

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.index_of_a) + INDEX_ENTRIES, s.a);
	expect_walk(&s, "R;R\\A;R\\A\\A2;R\\B;R\\C;R\\V;", 1, "also the subkey of another key");
}

Test(registry_key, subkey_is_the_root)
{
	struct sample s;

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.index_of_a) + INDEX_ENTRIES + 4, s.root);
	expect_walk(&s, "R;R\\A;R\\A\\A1;R\\B;R\\C;R\\V;", 1, "R\\A: 1 of its subkeys");
}

Test(registry_key, listed_twice)
{
	struct sample s;

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.index) + INDEX_ENTRIES + 8, s.a);
	expect_walk(&s, "R;R\\A;R\\A\\A1;R\\A\\A2;R\\C;R\\V;", 1, "listed twice");
}

Test(registry_key, count_larger_than_cell)
{
	struct sample s;

	sample_init(&s);
	store_u16(hive_builder_at(&s.b, s.index) + INDEX_COUNT, 0xffff);
	expect_walk(&s, ALL, 1, "longer than its cell");
}

Test(registry_key, key_claims_more_than_the_list_has)
{
	struct sample s;

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.a) + NK_SUBKEY_COUNTS, UINT32_MAX);
	expect_walk(&s, ALL, 1, "shorter than its key says");
}

Test(registry_key, cell_index_out_of_range)
{
	static const uint32_t bad[] = { 0x7ffffff8, 0x10000, CELL_NONE, 0x21, 0x80001000, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sample s;

		sample_init(&s);
		store_u32(hive_builder_at(&s.b, s.index) + INDEX_ENTRIES + 8, bad[i]);
		expect_walk(&s, "R;R\\A;R\\A\\A1;R\\A\\A2;R\\C;R\\V;", 1, "R: 1 of its subkeys");
	}
}

Test(registry_key, wrong_signatures)
{
	struct sample s;

	sample_init(&s);
	store_u16(hive_builder_at(&s.b, s.c[1]), 0x4141);
	expect_walk(&s, "R;R\\A;R\\A\\A1;R\\A\\A2;R\\C;R\\V;", 1, "not that of a key");
	sample_init(&s);
	store_u16(hive_builder_at(&s.b, s.index), 0x4141);
	expect_walk(&s, "R;R\\V;", 1, "no list of subkeys");
}

Test(registry_key, cells_that_are_none)
{
	static const uint32_t bad[] = { 0, 16, 0xfffffffc, 0x80000000, 0xf0000000 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sample s;

		sample_init(&s);
		store_u32(hive_builder_at(&s.b, s.c[1]) - CELL_HEADER_SIZE, bad[i]);
		expect_walk(&s, "R;R\\A;R\\A\\A1;R\\A\\A2;R\\C;R\\V;", 1, "the cell");
	}
}

Test(registry_key, name_longer_than_cell)
{
	static const uint16_t bad[] = { 40, MAX_KEY_NAME, MAX_KEY_NAME + 1, 0xffff };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sample s;

		sample_init(&s);
		store_u16(hive_builder_at(&s.b, s.c[1]) + NK_NAME_LENGTH, bad[i]);
		expect_walk(&s, "R;R\\A;R\\A\\A1;R\\A\\A2;R\\C;R\\V;", 1, "R: 1 of its subkeys");
	}
}

Test(registry_key, absent_page_costs_what_is_in_it)
{
	struct sample s;
	uint32_t far, cells[4];

	sample_init(&s);
	hive_builder_cell(&s.b, STORAGE_STABLE, 0xe00); /* what follows is in the next bin */
	hive_builder_cell(&s.b, STORAGE_STABLE, 0x800);
	far = hive_builder_key(&s.b, STORAGE_STABLE, "far", s.root);
	cr_assert_geq(far, 0x1000);
	memcpy(cells, s.c, sizeof(s.c));
	cells[3] = far;
	hive_builder_set_subkeys(&s.b, s.root, STORAGE_STABLE,
				 hive_builder_index(&s.b, STORAGE_VOLATILE, INDEX_LEAF, cells, 4),
				 4);
	hive_builder_hide(&s.b, far);
	expect_walk(&s, ALL, 1, "not captured");
}

Test(registry_key, absent_page_in_a_long_list)
{
	enum { COUNT = 1500 };
	static uint32_t cells[COUNT];
	struct sample s;
	struct registry_key key;
	struct hive_fault fault;
	struct cell_list list;
	uint32_t index;

	sample_init(&s);
	for (uint32_t i = 0; i < COUNT; i++)
		cells[i] = 8 * (i + 1);
	index = hive_builder_index(&s.b, STORAGE_STABLE, INDEX_HASH_LEAF, cells, COUNT);
	hive_builder_set_subkeys(&s.b, s.root, STORAGE_STABLE, index, COUNT);
	hive_builder_hide(&s.b, index + 0x1000);
	hive_builder_finish(&s.b);
	cr_assert(built_hive_open(&s.built, s.b.bytes, s.b.size, s.b.hidden, s.b.num_hidden));
	cr_assert(registry_key_read(&s.built.hive, s.root, &s.built.arena, &key, &fault));
	cr_assert_null(registry_key_subkeys(&key, &list));
	cr_expect_eq(list.count + list.num_faults, COUNT + 1, "and the volatile one");
	cr_expect_eq(list.num_faults, 0x1000 / 8);
	cr_expect_eq(list.cells[0], 8);
	cr_expect_eq(list.cells[list.count - 2], 8 * COUNT);
	cr_expect_eq(list.cells[list.count - 1], s.v);
	cell_list_deinit(&list);
	built_hive_close(&s.built);
	hive_builder_deinit(&s.b);
}

Test(registry_key, map_damage)
{
	struct sample s;

	/* no table */
	sample_init(&s);
	hive_builder_finish(&s.b);
	store_u64(s.b.bytes + HIVE_AT_DIRECTORY, 0);
	expect_walk(&s, "", 1, "no entry");
}

static struct error *count_keys(struct registry_walk *w, const struct registry_key *key,
				const char *path, unsigned depth)
{
	size_t *count = w->arg;

	(void)key, (void)path, (void)depth;
	(*count)++;
	return NULL;
}

/* Windows lets nobody make that many: damage, of which what is left out is told. */
Test(registry_key, more_levels_than_the_limit_are_told)
{
	enum { DEPTH = MAX_KEY_DEPTH + 2 };
	struct diag diag;
	size_t count = 0;
	struct registry_walk w = {
		.diag = &diag, .max_depth = MAX_KEY_DEPTH, .fn = count_keys, .arg = &count
	};
	struct hive_builder b;
	struct built_hive built;
	uint32_t key, child;

	hive_builder_init(&b, 32, 0);
	key = hive_builder_key(&b, STORAGE_STABLE, "ROOT", CELL_NONE);
	for (int i = 0; i < DEPTH; i++, key = child) {
		child = hive_builder_key(&b, STORAGE_STABLE, "k", key);
		hive_builder_set_subkeys(
			&b, key, STORAGE_STABLE,
			hive_builder_index(&b, STORAGE_STABLE, INDEX_LEAF, &child, 1), 1);
	}
	hive_builder_finish(&b);
	diag_init(&diag, NULL, NULL);
	cr_assert(built_hive_open(&built, b.bytes, b.size, NULL, 0));
	cr_assert_null(registry_walk_run(&w, &built.hive, hive_root_cell(&built.hive), "R"));
	cr_expect_eq(count, MAX_KEY_DEPTH + 1);
	cr_expect_eq(diag.partial, 1);
	built_hive_close(&built);
	hive_builder_deinit(&b);
}

Test(registry_key, random_damage_always_ends)
{
	uint64_t state = 88172645463325252u;

	for (int round = 0; round < 300; round++) {
		struct registry_walk w = { .max_depth = MAX_KEY_DEPTH, .fn = keep_path };
		struct sample s;

		sample_init(&s);
		hive_builder_finish(&s.b);
		for (int i = 0; i < 6; i++) {
			state ^= state << 13, state ^= state >> 7, state ^= state << 17;
			store_u32(s.b.bytes + s.b.bins[STORAGE_STABLE] + state % 0x300,
				  round % 2 ? (uint32_t)(state >> 32)
					    : (uint32_t)(state >> 40) % 0x300 & ~7u);
		}
		diag_init(&s.diag, NULL, NULL);
		w.diag = &s.diag;
		w.arg = &s;
		cr_assert(built_hive_open(&s.built, s.b.bytes, s.b.size, NULL, 0));
		cr_expect_null(registry_walk_run(&w, &s.built.hive, 0x20, "R"));
		built_hive_close(&s.built);
		hive_builder_deinit(&s.b);
	}
}
