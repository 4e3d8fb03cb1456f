/* SPDX-License-Identifier: MIT */
#include "windows/symbols/pdb/pdb.h"

#include <criterion/criterion.h>

#include "pdb_builder.h"
#include "source_checks.h"
#include "tests/memfile.h"
#include "windows/symbols/type_info.h"

/* Type indices of the fixture. */
enum {
	T_INNER_LIST = 0x1000,
	T_INNER,
	T_BITS,
	T_UNNAMED_LIST,
	T_UNNAMED,
	T_FORWARD,
	T_POINTER,
	T_INNERS,
	T_TABLE,
	T_CONST,
	T_REST_LIST,
	T_LIST,
	T_ITEM,
	T_STATE_LIST,
	T_STATE,
	T_FUNCTION,
	T_FUNCTION_POINTER,
	T_MISSING,
	T_END,
};
enum { U8 = 0x20, U32 = 0x22, U64 = 0x23, VOID_POINTER = 0x603 };

static struct bytes streams[BUILDER_STREAMS], file;

static void put_enumerator(struct bytes *b, const char *name, int value)
{
	put_u16(b, 0x1502);
	put_u16(b, 3);
	if (value < 0) {
		put_u16(b, 0x8003);
		put_u32(b, (uint32_t)value);
	} else {
		put_u16(b, (unsigned)value);
	}
	put_string(b, name);
	while (b->len % 4)
		put_u8(b, 0xf0 + (4 - b->len % 4));
}

static void put_structures(struct bytes *b)
{
	uint32_t at = record_begin(b, 0x1203);

	put_member(b, U8, 2, "Low");
	put_member(b, T_BITS, 4, "Bits");
	record_end(b, at);
	put_tag(b, 0x1505, 0, T_INNER_LIST, 8, "_IN");
	put_reference(b, 0x1205, U32, 5, 3);
	at = record_begin(b, 0x1203);
	put_member(b, T_INNER, 4, "Flags");
	put_member(b, U32, 0, "Deepest");
	put_member(b, T_UNNAMED, 0, "Self");
	record_end(b, at);
	put_tag(b, 0x1506, 0, T_UNNAMED_LIST, 8, "_ITEM::<unnamed-tag>");
	put_tag(b, 0x1505, BUILDER_FORWARD, 0, 0, "_ITEM");
	put_reference(b, 0x1002, T_FORWARD, 8 << 13 | 12, 0);
	put_reference(b, 0x1503, T_INNER, U64, 16);
	put_reference(b, 0x1503, T_INNERS, U64, 48);
	put_reference(b, 0x1001, T_TABLE, 1, 0);
	at = record_begin(b, 0x1203); /* continues the next */
	put_member(b, T_CONST, 80, "Table");
	put_member(b, T_STATE, 72, "State");
	put_member(b, T_FUNCTION_POINTER, 128, "Routine");
	put_member(b, T_FUNCTION, 136, "NoSize");
	put_member(b, T_MISSING, 136, "Missing");
	record_end(b, at);
	at = record_begin(b, 0x1203);
	put_member(b, U32, 4, "Id");
	put_member(b, T_POINTER, 8, "Next");
	put_member(b, VOID_POINTER, 16, "Raw");
	put_member(b, T_INNERS, 40, "Inners");
	put_member(b, T_UNNAMED, 56, "u1");
	put_index(b, T_REST_LIST);
	record_end(b, at);
	put_tag(b, 0x1505, 0, T_LIST, 136, "_ITEM");
}

static void put_types(struct bytes *b)
{
	uint32_t at;

	types_begin(b);
	put_structures(b);
	at = record_begin(b, 0x1203);
	put_enumerator(b, "StateOne", 1);
	put_enumerator(b, "StateNone", -1);
	record_end(b, at);
	at = record_begin(b, 0x1507);
	put_u16(b, 2);
	put_u16(b, BUILDER_UNIQUE);
	put_u32(b, 0x74);
	put_u32(b, T_STATE_LIST);
	put_string(b, "_STATE");
	put_string(b, ".?AW4_STATE@@");
	record_end(b, at);
	put_reference(b, 0x1008, 3, 0, 0);
	put_reference(b, 0x1002, T_FUNCTION, 8 << 13 | 12, 0);
	put_tag(b, 0x1505, BUILDER_FORWARD, 0, 0, "_MISSING");
	types_end(b, T_END - 0x1000);
}

static void build_streams(bool has_types, bool has_omap, unsigned machine)
{
	memset(streams, 0, sizeof(streams));
	put_info(&streams[AT_INFO]);
	if (has_types)
		put_types(&streams[AT_TYPES]);
	put_dbi(&streams[AT_DBI], machine, has_omap);
	put_symbol(&streams[AT_SYMBOLS], 0x110e, 1, 0x10, "Start");
	put_symbol(&streams[AT_SYMBOLS], 0x110e, 2, 0x20, "Head");
	put_symbol(&streams[AT_SYMBOLS], 0x110d, 2, 0x20, "Head");
	put_symbol(&streams[AT_SYMBOLS], 0x110c, 2, 0x30, "Twice");
	put_symbol(&streams[AT_SYMBOLS], 0x110c, 2, 0x38, "Twice");
	put_symbol(&streams[AT_SYMBOLS], 0x110c, 2, 0x40, "Once");
	put_symbol(&streams[AT_SYMBOLS], 0x110e, 3, 0, "NoSection");
	put_symbol(&streams[AT_SYMBOLS], 0x110e, 0, 0, "SectionZero");
	for (unsigned i = 0; i < 100; i++)
		put_symbol(&streams[AT_SYMBOLS], 0x1125, 1, i, "Skipped");
	put_symbol(&streams[AT_SYMBOLS], 0x110e, 1, 0x400, "Last");
	put_section(&streams[AT_SECTIONS], has_omap ? 0x9000 : 0x1000);
	put_section(&streams[AT_SECTIONS], has_omap ? 0xa000 : 0x3000);
}

static void rebuild(void)
{
	build_msf(&file, streams, BUILDER_STREAMS);
}

static struct profile_source *open_built(void)
{
	struct profile_source *src = NULL;
	struct error *err;

	rebuild();
	err = pdb_parse(file.at, file.len, "test.pdb", &src);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return src;
}

static struct profile_source *open_fixture(void)
{
	build_streams(true, false, 0x8664);
	return open_built();
}

static void expect_error(enum error_code code, const char *part)
{
	struct profile_source *src = NULL;
	struct error *err = pdb_parse(file.at, file.len, "test.pdb", &src);

	cr_assert_not_null(err, "%s", part);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect(strstr(error_message(err), part), "%s", error_message(err));
	cr_expect_null(src);
	error_destroy(err);
}

static void expect_symbol(const struct profile_source *src, const char *name, uint64_t expected)
{
	uint64_t rva = 0;

	cr_expect(src->ops->symbol(src, name, &rva), "%s", name);
	cr_expect_eq(rva, expected, "%s at 0x%lx", name, (unsigned long)rva);
}

static void expect_no_symbol(const struct profile_source *src, const char *name)
{
	uint64_t rva;

	cr_expect_not(src->ops->symbol(src, name, &rva), "%s", name);
}

Test(pdb, identity_has_the_age_of_the_debug_stream)
{
	struct profile_source *src = open_fixture();

	cr_expect_arr_eq(pdb_identity(src)->guid, builder_guid, 16);
	cr_expect_eq(pdb_identity(src)->age, 2);
	cr_expect_str_eq(pdb_identity(src)->pdb_name, "test.pdb");
	src->ops->destroy(src);
	memset(&streams[AT_DBI], 0, sizeof(streams[AT_DBI]));
	src = open_built();
	cr_expect_eq(pdb_identity(src)->age, 9);
	src->ops->destroy(src);
}

Test(pdb, fields_of_every_kind)
{
	struct profile_source *src = open_fixture();
	struct field f = { 0 };
	uint32_t size;

	expect_field(src, "Id", 4, 4);
	expect_field(src, "Next", 8, 8);
	expect_field(src, "Raw", 16, 8);
	expect_field(src, "Inners", 40, 16);
	expect_field(src, "Inners.Low", 42, 1);
	expect_field(src, "State", 72, 4);
	expect_field(src, "Table", 80, 48);
	expect_field(src, "Table.Low", 82, 1);
	expect_field(src, "Routine", 128, 8);
	expect_field(src, "u1.Flags.Low", 62, 1);
	expect_field(src, "Flags.Low", 62, 1);
	expect_field(src, "Deepest", 56, 4);
	expect_no_field(src, "_ITEM", "NoSize");
	expect_no_field(src, "_ITEM", "Missing");
	expect_no_field(src, "_ITEM", "Missing.Id");
	expect_no_field(src, "_ITEM", "Next.Id");
	expect_no_field(src, "_ITEM", "Low");
	expect_no_field(src, "_ITEM", "");
	expect_no_field(src, "_ITEM", "Inners.");
	expect_no_field(src, "_STATE", "StateOne");
	expect_no_field(src, "_MISSING", "Id");
	cr_assert(src->ops->field(src, "_IN", "Bits", &f));
	cr_expect(f.offset == 4 && f.size == 4 && f.bit_pos == 3 && f.bit_size == 5);
	cr_expect(src->ops->type_size(src, "_ITEM", &size) && size == 136);
	cr_expect_not(src->ops->type_size(src, "_STATE", &size));
	cr_expect_not(src->ops->type_size(src, "_ITEM::<unnamed-tag>", &size));
	src->ops->destroy(src);
}

static const struct type_member *member_named(const struct type_info *info, const char *name)
{
	for (size_t i = 0; i < info->num_members; i++)
		if (strcmp(info->members[i].name, name) == 0)
			return &info->members[i];
	cr_assert_fail("no member %s", name);
	return NULL;
}

Test(pdb, descriptions)
{
	static const struct {
		const char *name, *type;
		uint64_t size, count;
	} members[] = {
		{ "Id", "unsigned long", 4, 0 },
		{ "Next", "pointer to _ITEM", 8, 0 },
		{ "Raw", "pointer to void", 8, 0 },
		{ "Inners", "[2] _IN", 16, 2 },
		{ "Table", "[3] [2] _IN", 48, 6 },
		{ "State", "_STATE", 4, 0 },
		{ "Routine", "pointer to function", 8, 0 },
		{ "NoSize", "function", 0, 0 },
		{ "Missing", "_MISSING", 0, 0 },
	};
	struct profile_source *src = open_fixture();
	const struct type_member *m;
	struct type_info info, inner;
	struct arena arena;
	struct error *err;

	arena_init(&arena, 0);
	cr_assert_null(type_describe(src, "_ITEM", &arena, &info));
	cr_expect(info.kind == TYPE_STRUCT && info.size == 136 && info.num_members == 10);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		m = member_named(&info, members[i].name);
		cr_expect_str_eq(m->type, members[i].type);
		cr_expect(m->size == members[i].size && m->count == members[i].count, "%s",
			  m->name);
	}
	m = member_named(&info, "u1");
	cr_expect(m->structure.kind == TYPE_UNION && m->structure.size == 8);
	cr_assert_null(type_describe_node(src, &m->structure, &arena, &inner));
	cr_expect_eq(inner.num_members, 3);
	m = member_named(&inner, "Flags");
	cr_assert_null(type_describe_node(src, &m->structure, &arena, &inner));
	m = member_named(&inner, "Bits");
	cr_expect(m->bit_pos == 3 && m->bit_size == 5 && m->size == 4);
	cr_expect_str_eq(m->type, "unsigned long");
	m = member_named(&info, "Missing");
	err = type_describe_node(src, &m->structure, &arena, &inner);
	cr_assert(err && error_code(err) == ERROR_NOT_FOUND);
	error_destroy(err);
	cr_assert_null(type_describe(src, "_STATE", &arena, &info));
	cr_expect(info.kind == TYPE_ENUM && info.size == 4 && info.num_constants == 2);
	cr_expect_str_eq(info.constants[0].name, "StateNone");
	cr_expect_eq(info.constants[0].value, -1);
	arena_deinit(&arena);
	src->ops->destroy(src);
}

Test(pdb, symbols_by_section)
{
	struct profile_source *src = open_fixture();

	expect_symbol(src, "Start", 0x1010);
	expect_symbol(src, "Head", 0x3020);
	expect_symbol(src, "Once", 0x3040);
	expect_symbol(src, "Last", 0x1400);
	expect_no_symbol(src, "Twice"); /* which? */
	expect_no_symbol(src, "NoSection");
	expect_no_symbol(src, "SectionZero");
	expect_no_symbol(src, "Skipped");
	expect_no_symbol(src, "");
	src->ops->destroy(src);
}

Test(pdb, rearranged_code)
{
	static const uint32_t omap[][2] = { { 0x1000, 0x5000 }, { 0x1100, 0 }, { 0x3000, 0x7000 } };
	struct profile_source *src;

	build_streams(true, true, 0x8664);
	put_section(&streams[AT_ORIGINAL], 0x1000);
	put_section(&streams[AT_ORIGINAL], 0x3000);
	for (size_t i = 0; i < ARRAY_SIZE(omap); i++) {
		put_u32(&streams[AT_OMAP], omap[i][0]);
		put_u32(&streams[AT_OMAP], omap[i][1]);
	}
	src = open_built();
	expect_symbol(src, "Start", 0x5010);
	expect_symbol(src, "Head", 0x7020);
	expect_no_symbol(src, "Last"); /* removed */
	src->ops->destroy(src);
	store_u32(streams[AT_OMAP].at + 8, 0);
	rebuild();
	expect_error(ERROR_CORRUPT, "OMAP: entry 1");
}

Test(pdb, symbols_without_types)
{
	struct profile_source *src;

	build_streams(false, false, 0x8664);
	src = open_built();
	cr_expect_not(type_known(src));
	expect_no_field(src, "_ITEM", "Id");
	expect_symbol(src, "Head", 0x3020);
	src->ops->destroy(src);
	types_begin(&streams[AT_TYPES]); /* or with a stream of none */
	types_end(&streams[AT_TYPES], 0);
	src = open_built();
	cr_expect_not(type_known(src));
	src->ops->destroy(src);
}

Test(pdb, other_machines_and_versions)
{
	build_streams(true, false, 0x14c);
	rebuild();
	expect_error(ERROR_UNSUPPORTED, "machine 0x14c");
	build_streams(true, false, 0x8664);
	store_u32(streams[AT_INFO].at, 19970604);
	rebuild();
	expect_error(ERROR_UNSUPPORTED, "version 19970604");
	build_streams(true, false, 0x8664);
	store_u32(streams[AT_DBI].at + 4, 1);
	rebuild();
	expect_error(ERROR_UNSUPPORTED, "DBI stream: version 1");
	build_streams(true, false, 0x8664);
	store_u32(streams[AT_TYPES].at, 1);
	rebuild();
	expect_error(ERROR_UNSUPPORTED, "type stream: version 1");
	file.at[0] = 'm';
	expect_error(ERROR_UNSUPPORTED, "not a PDB");
}

/* Everything that can be asked, of a PDB that may be malformed. */
static bool describe_it(void *arg, const char *name)
{
	const struct profile_source *src = arg;
	struct type_info info;
	struct arena arena;

	arena_init(&arena, 1 << 24);
	error_destroy(type_describe(src, name, &arena, &info));
	arena_deinit(&arena);
	return true;
}

static void ask_everything(struct profile_source *src)
{
	static const char *const paths[] = { "Id",   "Flags.Low", "Table.Low", "Self.Self.Self",
					     "Bits", "Nothing",	  "u1.Deepest" };
	struct symbol_index *index;
	struct field f;
	uint64_t rva;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		src->ops->field(src, "_ITEM", paths[i], &f);
	src->ops->symbol(src, "Head", &rva);
	type_each(src, describe_it, src);
	cr_assert_null(symbol_index_create(src, &index));
	symbol_index_destroy(index);
}

static void ask_if_it_opens(size_t len)
{
	uint8_t *copy = malloc(len ? len : 1); /* of exactly this size, for a sanitizer */
	struct profile_source *src = NULL;
	struct error *err;

	cr_assert_not_null(copy);
	memcpy(copy, file.at, len);
	err = pdb_parse(copy, len, "test.pdb", &src);
	cr_assert(!err != !src);
	if (err) {
		error_destroy(err);
	} else {
		ask_everything(src);
		src->ops->destroy(src);
	}
	free(copy);
}

Test(pdb, cut_at_every_length)
{
	struct profile_source *src = open_fixture();

	src->ops->destroy(src);
	for (uint32_t len = 0; len < file.len; len++) {
		struct error *err = pdb_parse(file.at, len, "test.pdb", &src);

		cr_assert_not_null(err, "cut at %u", len);
		error_destroy(err);
	}
}

Test(pdb, streams_cut_at_every_length)
{
	static const int cut[] = { AT_INFO, AT_TYPES, AT_DBI, AT_SYMBOLS, AT_SECTIONS };

	for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
		build_streams(true, false, 0x8664);
		while (streams[cut[i]].len--) {
			rebuild();
			ask_if_it_opens(file.len);
		}
	}
}

/* Each 32-bit word of the file, and each of its bytes, at values that break things. */
Test(pdb, every_word_mutated)
{
	static const uint32_t values[] = { 0, 1, 0x1000, T_LIST, 0x7fffffff, UINT32_MAX };
	struct profile_source *src = open_fixture();

	src->ops->destroy(src);
	for (uint32_t at = 0; at < file.len; at += 2) {
		uint32_t old = load_u32(file.at + at);

		if (at + 4 > file.len)
			break;
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			store_u32(file.at + at, values[i]);
			ask_if_it_opens(file.len);
		}
		store_u32(file.at + at, old);
	}
}

Test(pdb, superblock_lies)
{
	static const struct {
		uint32_t at, value;
		const char *part;
	} lies[] = {
		{ 32, 0, "block size 0" },
		{ 32, 513, "block size 513" },
		{ 32, 1U << 31, "block size" },
		{ 40, UINT32_MAX, "4294967295 blocks" },
		{ 40, 1, "block map: block 0" },
		{ 40, 0, "no blocks" },
		{ 44, UINT32_MAX, "directory of 4294967295" },
		{ 44, 0, "MSF directory: truncated" },
		{ 52, UINT32_MAX, "block map: block 0 is number 4294967295" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		build_streams(true, false, 0x8664);
		rebuild();
		store_u32(file.at + lies[i].at, lies[i].value);
		expect_error(ERROR_CORRUPT, lies[i].part);
	}
}

static uint8_t *directory(void)
{
	uint32_t map = load_u32(file.at + 52);

	return file.at + BUILDER_BLOCK * load_u32(file.at + BUILDER_BLOCK * map);
}

Test(pdb, directory_lies)
{
	build_streams(true, false, 0x8664);
	rebuild();
	store_u32(directory(), UINT32_MAX);
	expect_error(ERROR_CORRUPT, "4294967295 streams");
	rebuild();
	store_u32(directory() + 4 * (1 + AT_TYPES), 1U << 30);
	expect_error(ERROR_CORRUPT, "stream 2 of 1073741824 bytes");
	rebuild();
	store_u32(directory() + 4 * (1 + BUILDER_STREAMS), UINT32_MAX);
	expect_error(ERROR_CORRUPT, "PDB information: block 0 is number 4294967295");
}

/* All blocks of a stream are one and the same. */
Test(pdb, overlapping_blocks)
{
	uint8_t *list;

	build_streams(true, false, 0x8664);
	rebuild();
	list = directory() + 4 * (1 + BUILDER_STREAMS);
	for (unsigned i = 1; i < 8; i++)
		memcpy(list + 4 * i, list, 4);
	ask_if_it_opens(file.len);
}

/* Types that lead back to themselves, in every way that a record can. */
Test(pdb, type_loops_end)
{
	struct bytes *types = &streams[AT_TYPES];
	struct profile_source *src;
	uint32_t at;

	build_streams(false, false, 0x8664);
	types_begin(types);
	put_reference(types, 0x1001, 0x1000, 1, 0);	  /* const of itself */
	put_reference(types, 0x1503, 0x1001, U64, 0);	  /* array of itself, size unknown */
	put_reference(types, 0x1002, 0x1002, 8 << 13, 0); /* pointer to itself */
	put_reference(types, 0x1205, 0x1003, 1, 0);	  /* bit field of itself */
	at = record_begin(types, 0x1203);
	put_member(types, 0x1000, 0, "Const");
	put_member(types, 0x1001, 0, "Array");
	put_member(types, 0x1002, 0, "Pointer");
	put_member(types, 0x1003, 0, "Bits");
	put_member(types, 0x1005, 0, "Self");
	put_member(types, 0x1006, 1, "Unnamed");
	put_index(types, 0x1004);
	record_end(types, at);
	put_tag(types, 0x1505, 0, 0x1004, 8, "_ITEM");
	put_tag(types, 0x1506, 0, 0x1004, 8, "<unnamed-tag>");
	types_end(types, 7);
	src = open_built();
	expect_no_field(src, "_ITEM", "Const");
	expect_no_field(src, "_ITEM", "Bits");
	expect_no_field(src, "_ITEM", "Array.Id");
	expect_field(src, "Pointer", 0, 8);
	expect_field(src, "Self.Self.Self", 0, 8);
	expect_no_field(src, "_ITEM", "NotThere");
	ask_everything(src);
	src->ops->destroy(src);
}

Test(pdb, names_without_end)
{
	struct profile_source *src;
	struct bytes *types = &streams[AT_TYPES];
	uint32_t at;

	build_streams(false, false, 0x8664);
	types_begin(types);
	at = record_begin(types, 0x1505);
	put_raw(types, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0_NOEND", 24);
	store_u16(types->at + at, (uint16_t)(types->len - at - 2));
	types_end(types, 1);
	at = record_begin(&streams[AT_SYMBOLS], 0x110e);
	put_raw(&streams[AT_SYMBOLS], "\0\0\0\0\0\0\0\0\1\0NoEnd", 15);
	store_u16(streams[AT_SYMBOLS].at + at, (uint16_t)(streams[AT_SYMBOLS].len - at - 2));
	src = open_built();
	cr_expect_not(type_known(src));
	expect_no_symbol(src, "NoEnd");
	src->ops->destroy(src);
}

Test(pdb, type_count_is_checked)
{
	build_streams(true, false, 0x8664);
	types_end(&streams[AT_TYPES], 3);
	rebuild();
	expect_error(ERROR_CORRUPT, "3 types expected, 18 found");
	store_u32(streams[AT_TYPES].at + 16, UINT32_MAX);
	rebuild();
	expect_error(ERROR_CORRUPT, "type stream: header of 56 bytes");
}

Test(pdb, opened_as_a_file)
{
	char path[MEMFILE_PATH_SIZE];
	struct profile_source *src = open_fixture();
	struct error *err;
	int fd;

	src->ops->destroy(src);
	fd = memfile_create(file.at, file.len, path);
	err = pdb_open(path, &src);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
	expect_field(src, "Table.Low", 82, 1);
	src->ops->destroy(src);
	cr_assert_eq(ftruncate(fd, 40), 0);
	err = pdb_open(path, &src);
	cr_assert_not_null(err);
	cr_expect(strstr(error_message(err), path), "%s", error_message(err));
	error_destroy(err);
	close(fd);
}
