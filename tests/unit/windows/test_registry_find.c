/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "../../hive_builder.h"
#include "base/cursor.h"
#include "windows/registry/private.h"

/*
 * The hive \REGISTRY\MACHINE\SAMPLE: Control Sets 001 and 002 with the key Services each, Select,
 * the links Alias (to ControlSet001), Round and About (to each other).
 */
struct sample {
	struct hive_builder b;
	uint32_t root, select, sets[2], services[2], alias, round, about;
	struct built_hive built;
	struct registry_hive hives[2], *listed[2];
	struct registry registry;
	struct arena arena;
};

static uint32_t add_link(struct hive_builder *b, uint32_t parent, const char *name,
			 const char *target)
{
	uint32_t key = hive_builder_key(b, STORAGE_STABLE, name, parent), value;
	uint8_t wide[256];

	for (size_t i = 0; i < strlen(target); i++)
		store_u16(wide + 2 * i, (uint8_t)target[i]);
	value = hive_builder_value(b, STORAGE_STABLE, "SymbolicLinkValue", REG_LINK, wide,
				   (uint32_t)(2 * strlen(target)));
	store_u16(hive_builder_at(b, key) + NK_FLAGS, KEY_SYM_LINK | KEY_COMP_NAME);
	hive_builder_set_values(b, key, &value, 1);
	return key;
}

static void add_set(struct sample *s, unsigned i, const char *name)
{
	s->sets[i] = hive_builder_key(&s->b, STORAGE_STABLE, name, s->root);
	s->services[i] = hive_builder_key(&s->b, STORAGE_STABLE, "Services", s->sets[i]);
	hive_builder_set_subkeys(
		&s->b, s->sets[i], STORAGE_STABLE,
		hive_builder_index(&s->b, STORAGE_STABLE, INDEX_LEAF, &s->services[i], 1), 1);
}

static void sample_init(struct sample *s)
{
	const uint32_t current = 2;
	uint32_t value;

	memset(s, 0, sizeof(*s));
	arena_init(&s->arena, 0);
	hive_builder_init(&s->b, 4, 0);
	s->root = hive_builder_key(&s->b, STORAGE_STABLE, "ROOT", CELL_NONE);
	add_set(s, 0, "ControlSet001");
	add_set(s, 1, "ControlSet002");
	s->select = hive_builder_key(&s->b, STORAGE_STABLE, "Select", s->root);
	value = hive_builder_value(&s->b, STORAGE_STABLE, "Current", REG_DWORD, &current, 4);
	hive_builder_set_values(&s->b, s->select, &value, 1);
	s->alias = add_link(&s->b, s->root, "Alias", "\\Registry\\Machine\\Sample\\ControlSet001");
	s->round = add_link(&s->b, s->root, "Round", "\\REGISTRY\\MACHINE\\SAMPLE\\About");
	s->about = add_link(&s->b, s->root, "About", "\\REGISTRY\\MACHINE\\SAMPLE\\Round");
}

static void sample_open(struct sample *s)
{
	const uint32_t cells[] = {
		s->sets[0], s->sets[1], s->select, s->alias, s->round, s->about
	};

	hive_builder_set_subkeys(
		&s->b, s->root, STORAGE_STABLE,
		hive_builder_index(&s->b, STORAGE_STABLE, INDEX_LEAF, cells, ARRAY_SIZE(cells)),
		ARRAY_SIZE(cells));
	hive_builder_finish(&s->b);
	cr_assert(built_hive_open(&s->built, s->b.bytes, s->b.size, NULL, 0));
	s->hives[0] =
		(struct registry_hive){ s->built.hive, "\\REGISTRY\\MACHINE\\SAMPLE", "list" };
	s->hives[1] = (struct registry_hive){ s->built.hive, "\\REGISTRY\\MACHINE", "list" };
	s->hives[1].hive.va = 0xffff800000000000;
	s->listed[0] = &s->hives[0];
	s->listed[1] = &s->hives[1];
	s->registry.hives = s->listed;
	s->registry.num_hives = 2;
}

static void sample_close(struct sample *s)
{
	built_hive_close(&s->built);
	hive_builder_deinit(&s->b);
	arena_deinit(&s->arena);
}

static void expect_found(struct sample *s, const char *path, uint32_t cell, const char *real)
{
	struct registry_key key;
	const char *found;

	cr_assert_null(registry_find(&s->registry, path, &s->arena, &key, &found), "%s", path);
	cr_expect_eq(key.cell, cell, "%s", path);
	cr_expect_str_eq(found, real);
}

static void expect_error(struct sample *s, const char *path, enum error_code code, const char *text)
{
	struct registry_key key;
	struct error *err = registry_find(&s->registry, path, &s->arena, &key, NULL);

	cr_assert_not_null(err, "%s", path);
	cr_expect_eq(error_code(err), code, "%s", path);
	cr_expect(strstr(error_message(err), text), "'%s'", error_message(err));
	error_destroy(err);
}

#define SAMPLE "\\REGISTRY\\MACHINE\\SAMPLE"

Test(registry_find, paths)
{
	struct sample s;

	sample_init(&s);
	sample_open(&s);
	expect_found(&s, SAMPLE, s.root, SAMPLE);
	expect_found(&s, "hklm\\sample\\", s.root, SAMPLE);
	expect_found(&s, "HKEY_LOCAL_MACHINE\\Sample\\SELECT", s.select, SAMPLE "\\Select");
	expect_found(&s, "Registry\\Machine\\Sample\\\\controlset002\\services", s.services[1],
		     SAMPLE "\\ControlSet002\\Services");
	expect_found(&s, "0xffffb00000000000\\Select", s.select, SAMPLE "\\Select");
	expect_error(&s, "HKLM\\Sample\\Nothing", ERROR_NOT_FOUND, "no subkey 'Nothing'");
	expect_error(&s, "HKLM\\SampleX", ERROR_NOT_FOUND, "no subkey 'SampleX'");
	expect_error(&s, "HKU", ERROR_NOT_FOUND, "in no hive");
	expect_error(&s, "", ERROR_NOT_FOUND, "in no hive");
	expect_error(&s, "HKCU\\Software", ERROR_USAGE, "of which user");
	sample_close(&s);
}

Test(registry_find, links)
{
	struct sample s;

	sample_init(&s);
	sample_open(&s);
	expect_found(&s, "HKLM\\Sample\\Alias", s.sets[0], SAMPLE "\\ControlSet001");
	expect_found(&s, "HKLM\\Sample\\ALIAS\\Services", s.services[0],
		     SAMPLE "\\ControlSet001\\Services");
	expect_error(&s, "HKLM\\Sample\\Round", ERROR_LIMIT, "symbolic links");
	expect_error(&s, "HKLM\\Sample\\About\\x", ERROR_LIMIT, "symbolic links");
	sample_close(&s);
}

Test(registry_find, mounted_hive)
{
	struct sample s;
	uint8_t *node;

	sample_init(&s);
	node = hive_builder_at(&s.b, s.alias);
	store_u16(node, NK_EXIT_SIGNATURE);
	store_u16(node + NK_FLAGS, KEY_COMP_NAME | KEY_HIVE_EXIT);
	store_u32(node + NK_EXIT_CELL, s.root);
	store_u64(node + NK_EXIT_HIVE, HIVE_BASE);
	sample_open(&s);
	expect_found(&s, "HKLM\\Sample\\Alias\\Select", s.select, SAMPLE "\\Alias\\Select");
	sample_close(&s);
}

Test(registry_find, current_control_set)
{
	struct sample s;

	sample_init(&s);
	sample_open(&s);
	expect_found(&s, "HKLM\\Sample\\CurrentControlSet\\Services", s.services[1],
		     SAMPLE "\\ControlSet002\\Services");
	expect_error(&s, "HKLM\\Sample\\ControlSet001\\CurrentControlSet", ERROR_NOT_FOUND,
		     "no subkey 'CurrentControlSet'");
	sample_close(&s);

	sample_init(&s); /* a link of that name says it better than Select */
	s.alias = add_link(&s.b, s.root, "CurrentControlSet", SAMPLE "\\ControlSet001");
	sample_open(&s);
	expect_found(&s, "HKLM\\Sample\\CurrentControlSet\\Services", s.services[0],
		     SAMPLE "\\ControlSet001\\Services");
	sample_close(&s);
}

Test(registry_find, what_may_be_absent_is_a_fault)
{
	struct sample s;

	sample_init(&s);
	store_u16(hive_builder_at(&s.b, s.alias), 0x4141);
	sample_open(&s);
	expect_found(&s, "HKLM\\Sample\\Select", s.select, SAMPLE "\\Select");
	expect_error(&s, "HKLM\\Sample\\Alias", ERROR_FAULT, "may be absent");
	/* the link of that name may be what is absent: Select says the same */
	expect_found(&s, "HKLM\\Sample\\CurrentControlSet\\Services", s.services[1],
		     SAMPLE "\\ControlSet002\\Services");
	sample_close(&s);

	sample_init(&s);
	store_u16(hive_builder_at(&s.b, s.root), 0x4141);
	sample_open(&s);
	expect_error(&s, "HKLM\\Sample\\Alias", ERROR_FAULT, "root key");
	sample_close(&s);
}

Test(registry_find, values)
{
	struct registry_value value;
	struct registry_key key;
	struct sample s;
	const char *text;
	struct error *err;

	sample_init(&s);
	sample_open(&s);
	cr_assert_null(registry_find(&s.registry, "HKLM\\Sample\\Select", &s.arena, &key, NULL));
	cr_assert_null(registry_get(&key, "CURRENT", &s.arena, &value));
	cr_expect_str_eq(value.name, "Current");
	cr_assert_null(registry_get_text(&key, "current", &s.arena, &text));
	cr_expect_str_eq(text, "2");
	err = registry_get(&key, "", &s.arena, &value);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_NOT_FOUND);
	error_destroy(err);
	sample_close(&s);
}

Test(registry_find, hives)
{
	const struct registry_hive *h;
	struct sample s;
	struct error *err;

	sample_init(&s);
	sample_open(&s);
	cr_assert_null(registry_find_hive(&s.registry, "hklm", &h));
	cr_expect_eq(h, &s.hives[1]);
	cr_assert_null(registry_find_hive(&s.registry, "HKLM\\Sample", &h));
	cr_expect_eq(h, &s.hives[0]);
	cr_assert_null(registry_find_hive(&s.registry, "SAMPLE", &h));
	cr_expect_eq(h, &s.hives[0]);
	cr_assert_null(registry_find_hive(&s.registry, "0xffff800000000000", &h));
	cr_expect_eq(h, &s.hives[1]);
	err = registry_find_hive(&s.registry, "sample.dat", &h);
	cr_assert_not_null(err, "both have that file");
	cr_expect(strstr(error_message(err), "2 of 2 hives"));
	error_destroy(err);
	sample_close(&s);
}
