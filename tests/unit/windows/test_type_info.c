/* SPDX-License-Identifier: MIT */
#include "windows/symbols/type_info.h"

#include "isf_fixture.h"
#include "windows/symbols/builtin.h"

static struct profile_source *open_isf(void)
{
	struct profile_source *src = NULL;
	struct error *err = fixture_parse(FIXTURE_JSON, &src);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return src;
}

static struct profile_source *open_table(void)
{
	const struct builtin_kernel *kernel = builtin_nearest(19041);
	struct profile_source *src = NULL;

	cr_assert_not_null(kernel);
	cr_assert_null(builtin_open(kernel, &src));
	return src;
}

static bool count_names(void *arg, const char *name)
{
	cr_expect_not(type_is_unnamed(name), "%s", name);
	++*(size_t *)arg;
	return true;
}

Test(type_info, isf_describes_members_in_order)
{
	static const struct {
		const char *name, *type, *structure;
		uint32_t offset;
		uint64_t size, count;
	} members[] = {
		{ "Id", "unsigned long", NULL, 4, 4, 0 },
		{ "Next", "pointer to _ITEM", NULL, 8, 8, 0 },
		{ "Name", "[15] unsigned char", NULL, 16, 15, 15 },
		{ "State", "_STATE", NULL, 32, 4, 0 },
		{ "Routine", "function", NULL, 36, 0, 0 },
		{ "Inners", "[2] _IN", "_IN", 40, 16, 2 },
		{ "Inner", "_IN", "_IN", 40, 8, 0 },
		{ "u1", "__anonymous_1", "__anonymous_1", 56, 8, 0 },
	};
	struct profile_source *src = open_isf();
	struct type_info info;
	struct arena arena;

	arena_init(&arena, 0);
	cr_assert_null(type_describe(src, "_ITEM", &arena, &info));
	cr_expect(info.kind == TYPE_STRUCT && info.size == 64);
	cr_assert_eq(info.num_members, ARRAY_SIZE(members));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct type_member *m = &info.members[i];

		cr_expect_str_eq(m->name, members[i].name);
		cr_expect_str_eq(m->type, members[i].type);
		cr_expect(m->offset == members[i].offset && m->size == members[i].size &&
				  m->count == members[i].count,
			  "%s", m->name);
		cr_expect_eq(m->structure.kind != TYPE_NONE, members[i].structure != NULL, "%s",
			     m->name);
		if (members[i].structure)
			cr_expect_str_eq(m->structure.name, members[i].structure);
	}
	arena_deinit(&arena);
	src->ops->destroy(src);
}

Test(type_info, isf_describes_nested_types_and_bits)
{
	struct profile_source *src = open_isf();
	struct type_info info, nested;
	struct arena arena;

	arena_init(&arena, 0);
	cr_assert_null(type_describe(src, "_ITEM", &arena, &info));
	cr_assert_null(type_describe_node(src, &info.members[6].structure, &arena, &nested));
	cr_assert_eq(nested.num_members, 3);
	cr_expect_str_eq(nested.members[1].name, "Bits");
	cr_expect(nested.members[1].bit_pos == 3 && nested.members[1].bit_size == 5);
	cr_expect_str_eq(nested.members[1].type, "unsigned long");
	cr_assert_null(type_describe(src, "_STATE", &arena, &info));
	cr_expect(info.kind == TYPE_ENUM && info.size == 4 && info.num_constants == 0);
	arena_deinit(&arena);
	src->ops->destroy(src);
}

#define FIXTURE_BITS(position)                                                  \
	"{'offset': 0, 'type': {'kind': 'bitfield', 'bit_position': " #position \
	", 'bit_length': 1, 'type': " FIXTURE_U32 "}}"
#define FIXTURE_UNION_JSON                                                                    \
	"{" FIXTURE_METADATA ", " FIXTURE_BASE_TYPES ", 'user_types': {"                      \
	"'_U': {'size': 4, 'fields': {'Second': " FIXTURE_BITS(1) ", 'First': " FIXTURE_BITS( \
		0) ", 'Whole': {'offset': 0, 'type': " FIXTURE_U32                            \
		   "}}}}, 'enums': {}, 'symbols': {}}"

Test(type_info, a_whole_field_comes_before_its_bits)
{
	static const char *const names[] = { "Whole", "First", "Second" };
	struct profile_source *src = NULL;
	struct type_info info;
	struct arena arena;

	arena_init(&arena, 0);
	cr_assert_null(fixture_parse(FIXTURE_UNION_JSON, &src));
	cr_assert_null(type_describe(src, "_U", &arena, &info));
	cr_assert_eq(info.num_members, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cr_expect_str_eq(info.members[i].name, names[i]);
	arena_deinit(&arena);
	src->ops->destroy(src);
}

Test(type_info, names_are_listed_without_the_unnamed)
{
	struct profile_source *src = open_isf();
	size_t count = 0;

	type_each(src, count_names, &count);
	cr_expect_eq(count, 3);
	cr_expect(type_known(src));
	src->ops->destroy(src);
	src = open_table();
	count = 0;
	type_each(src, count_names, &count);
	cr_expect_gt(count, 50);
	src->ops->destroy(src);
}

Test(type_info, unnamed_names)
{
	cr_expect(type_is_unnamed("<unnamed-tag>"));
	cr_expect(type_is_unnamed("_EPROCESS::<unnamed-type-u>"));
	cr_expect(type_is_unnamed("_A::_B::<unnamed-tag>"));
	cr_expect(type_is_unnamed("__unnamed"));
	cr_expect_not(type_is_unnamed("_A::<unnamed-tag>::_B"));
	cr_expect_not(type_is_unnamed("_EPROCESS"));
	cr_expect_not(type_is_unnamed(""));
}

static void expect_missing(const struct profile_source *src, const char *name)
{
	struct type_info info;
	struct arena arena;
	struct error *err;

	arena_init(&arena, 0);
	err = type_describe(src, name, &arena, &info);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_NOT_FOUND);
	cr_expect(strstr(error_message(err), name), "%s", error_message(err));
	error_destroy(err);
	arena_deinit(&arena);
}

Test(type_info, missing_types)
{
	struct profile_source *src = open_isf();

	expect_missing(src, "_NOWHERE");
	src->ops->destroy(src);
	src = open_table();
	expect_missing(src, "_NOWHERE");
	src->ops->destroy(src);
}

Test(type_info, table_describes_what_its_rows_know)
{
	struct profile_source *src = open_table();
	struct type_info info;
	struct arena arena;
	struct field f;

	arena_init(&arena, 0);
	cr_assert_null(type_describe(src, "_EPROCESS", &arena, &info));
	cr_expect(info.kind == TYPE_STRUCT && info.size > 0);
	cr_assert_gt(info.num_members, 10);
	for (size_t i = 0; i < info.num_members; i++) {
		const struct type_member *m = &info.members[i];

		cr_assert(src->ops->field(src, "_EPROCESS", m->name, &f), "%s", m->name);
		cr_expect(f.offset == m->offset && f.size == m->size, "%s", m->name);
		cr_expect_null(m->type);
		cr_expect(i == 0 || m[-1].offset <= m->offset);
	}
	arena_deinit(&arena);
	src->ops->destroy(src);
}

Test(type_info, nearest_symbol)
{
	struct profile_source *src = open_table();
	struct symbol_index *index;
	const struct symbol *all, *s;
	uint64_t rva;
	size_t count;

	cr_assert_null(symbol_index_create(src, &index));
	all = symbol_index_all(index, &count);
	cr_assert_gt(count, 10);
	cr_assert(src->ops->symbol(src, "PsActiveProcessHead", &rva));
	s = symbol_index_nearest(index, rva + 3);
	cr_assert_not_null(s);
	cr_expect_str_eq(s->name, "PsActiveProcessHead");
	cr_expect_eq(s->rva, rva);
	cr_expect_null(symbol_index_nearest(index, all[0].rva - 1));
	cr_expect_eq(symbol_index_nearest(index, UINT64_MAX)->rva, all[count - 1].rva);
	symbol_index_destroy(index);
	src->ops->destroy(src);
}

Test(type_info, index_without_symbols)
{
	struct profile_source *src = NULL;
	struct symbol_index *index;
	size_t count = 1;

	cr_assert_null(fixture_parse("{" FIXTURE_METADATA ", " FIXTURE_BASE_TYPES
				     ", 'user_types': {}, 'enums': {}, 'symbols': {}}",
				     &src));
	cr_expect_not(type_known(src));
	cr_assert_null(symbol_index_create(src, &index));
	symbol_index_all(index, &count);
	cr_expect_eq(count, 0);
	cr_expect_null(symbol_index_nearest(index, 1));
	symbol_index_destroy(index);
	src->ops->destroy(src);
}
