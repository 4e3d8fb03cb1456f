/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "pdb_structures.h"
#include "windows/symbols/pdb/pdb.h"
#include "windows/symbols/type_info.h"

/* A PDB that clang and lld made of pdb_structures.c. */
static struct profile_source *src;

static void setup(void)
{
	struct error *err = pdb_open(PDB_STRUCTURES, &src);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

static void teardown(void)
{
	src->ops->destroy(src);
}

TestSuite(pdb_lld, .init = setup, .fini = teardown);

struct expectation {
	const char *type, *path;
	size_t offset, size;
};
#define MEMBER(type, member)                                   \
	{                                                      \
#type, #member, offsetof(struct type, member), \
			sizeof(((struct type *)NULL)->member)  \
	}

Test(pdb_lld, offsets_and_sizes)
{
	static const struct expectation members[] = {
		MEMBER(sample_object, type),
		MEMBER(sample_object, links),
		MEMBER(sample_object, links.previous),
		MEMBER(sample_object, word),
		MEMBER(sample_object, word.whole),
		MEMBER(sample_object, word.high),
		MEMBER(sample_object, word.bits.head),
		MEMBER(sample_object, anonymous_number),
		MEMBER(sample_object, inner_low),
		MEMBER(sample_object, inner_bytes),
		MEMBER(sample_object, u),
		MEMBER(sample_object, u.number),
		MEMBER(sample_object, u.point.y),
		MEMBER(sample_object, state),
		MEMBER(sample_object, text),
		MEMBER(sample_object, routine),
		MEMBER(sample_object, opaque),
		MEMBER(sample_object, table),
		MEMBER(sample_object, name),
		MEMBER(sample_object, real),
		MEMBER(sample_object, nested),
		MEMBER(sample_object, nested.bits),
		MEMBER(sample_bits, head),
		MEMBER(sample_link, next),
		MEMBER(sample_long, a_member_with_a_long_name_1000),
		MEMBER(sample_long, a_member_with_a_long_name_1999),
		MEMBER(sample_long, a_member_with_a_long_name_2999),
	};
	struct field f;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		cr_assert(src->ops->field(src, members[i].type, members[i].path, &f), "%s.%s",
			  members[i].type, members[i].path);
		cr_expect(f.offset == members[i].offset && f.size == members[i].size && !f.bit_size,
			  "%s.%s: +%u, %u bytes", members[i].type, members[i].path, f.offset,
			  f.size);
	}
	cr_expect_not(src->ops->field(src, "sample_object", "opaque.anything", &f));
	cr_expect_not(src->ops->field(src, "sample_opaque", "anything", &f));
	cr_expect_not(src->ops->field(src, "sample_object", "text.anything", &f));
}

Test(pdb_lld, bit_fields)
{
	static const struct {
		const char *path;
		uint8_t pos, size;
		uint32_t storage;
	} fields[] = {
		{ "low", 0, 3, 4 },   { "middle", 3, 20, 4 }, { "high", 23, 9, 4 },
		{ "wide", 4, 40, 8 }, { "flag", 0, 1, 1 },
	};
	struct field f;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		cr_assert(src->ops->field(src, "sample_bits", fields[i].path, &f), "%s",
			  fields[i].path);
		cr_expect(f.bit_pos == fields[i].pos && f.bit_size == fields[i].size &&
				  f.size == fields[i].storage,
			  "%s: %u:%u of %u bytes", fields[i].path, f.bit_pos, f.bit_size, f.size);
	}
	cr_assert(src->ops->field(src, "sample_object", "nested.bits.middle", &f));
	cr_expect_eq(f.offset, offsetof(struct sample_object, nested) + 4);
}

Test(pdb_lld, type_sizes)
{
	static const struct {
		const char *name;
		size_t size;
	} types[] = {
		{ "sample_object", sizeof(struct sample_object) },
		{ "sample_bits", sizeof(struct sample_bits) },
		{ "sample_word", sizeof(union sample_word) },
		{ "sample_link", sizeof(struct sample_link) },
		{ "sample_long", sizeof(struct sample_long) },
	};
	uint32_t size;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		cr_assert(src->ops->type_size(src, types[i].name, &size), "%s", types[i].name);
		cr_expect_eq(size, types[i].size, "%s: %u", types[i].name, size);
	}
	cr_expect_not(src->ops->type_size(src, "sample_opaque", &size));
}

Test(pdb_lld, descriptions)
{
	struct type_info info;
	struct arena arena;
	struct error *err;

	arena_init(&arena, 0);
	cr_assert_null(type_describe(src, "sample_long", &arena, &info));
	cr_expect_eq(info.num_members, 2000);
	cr_assert_null(type_describe(src, "sample_state", &arena, &info));
	cr_assert_eq(info.num_constants, 3);
	cr_expect_str_eq(info.constants[2].name, "SAMPLE_LAST");
	cr_expect_eq(info.constants[2].value, 0x12345);
	cr_assert_null(type_describe(src, "sample_object", &arena, &info));
	cr_expect_str_eq(info.members[0].type, "unsigned short");
	err = type_describe(src, "sample_opaque", &arena, &info);
	cr_assert(err && error_code(err) == ERROR_NOT_FOUND);
	error_destroy(err);
	arena_deinit(&arena);
}

Test(pdb_lld, symbols)
{
	const struct symbol *nearest;
	struct symbol_index *index;
	uint64_t head, entry, hidden;

	cr_assert(src->ops->symbol(src, "sample_head", &head));
	cr_assert(src->ops->symbol(src, "sample_entry", &entry));
	cr_assert(src->ops->symbol(src, "sample_hidden", &hidden), "static");
	cr_expect_eq(entry, 0x1000, "the first section's only function");
	cr_assert_null(symbol_index_create(src, &index));
	nearest = symbol_index_nearest(index, head + 1);
	cr_assert_not_null(nearest);
	cr_expect_str_eq(nearest->name, "sample_head");
	symbol_index_destroy(index);
}
