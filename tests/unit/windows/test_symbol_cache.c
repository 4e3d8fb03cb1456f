/* SPDX-License-Identifier: MIT */
#include "windows/symbols/symbol_cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/file.h"
#include "isf_fixture.h"

enum { MAX_NESTING = 4 };

static const struct symbol_origin fixture_origin = { 77, 0x123456789abcdef0 };

static struct profile_source *open_fixture(void)
{
	struct profile_source *src = NULL;
	struct error *err = fixture_parse(FIXTURE_JSON, &src);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return src;
}

/* Owned. */
static uint8_t *write_cache(const struct profile_source *src, size_t *len_ret)
{
	uint8_t *bytes = NULL;
	struct error *err = symbol_cache_write(src, &fixture_origin, &bytes, len_ret);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return bytes;
}

static struct profile_source *must_parse(const uint8_t *bytes, size_t len)
{
	struct profile_source *src = NULL;
	struct error *err = symbol_cache_parse(bytes, len, "test", &src);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return src;
}

static void expect_error(const uint8_t *bytes, size_t len, enum error_code code, const char *part)
{
	struct profile_source *src = NULL;
	struct error *err = symbol_cache_parse(bytes, len, "test", &src);

	cr_assert_not_null(err, "%s", part);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect(strstr(error_message(err), part), "%s", error_message(err));
	cr_expect_null(src);
	error_destroy(err);
}

/* Two sources, question by question. */
struct comparison {
	const struct profile_source *got, *want;
	size_t types, members, constants, symbols, differences;
};

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_field(const struct field *a, const struct field *b)
{
	return a->offset == b->offset && a->size == b->size && a->bit_pos == b->bit_pos &&
	       a->bit_size == b->bit_size && a->present == b->present;
}

static void compare_nodes(struct comparison *c, const struct type_node *got,
			  const struct type_node *want, unsigned depth);

static void compare_member(struct comparison *c, const struct type_member *got,
			   const struct type_member *want, unsigned depth)
{
	c->members++;
	if (strcmp(got->name, want->name) != 0 || got->offset != want->offset ||
	    got->size != want->size || got->bit_pos != want->bit_pos ||
	    got->bit_size != want->bit_size || got->count != want->count ||
	    !same_text(got->type, want->type) || got->structure.kind != want->structure.kind)
		c->differences++;
	else if (want->structure.kind != TYPE_NONE)
		compare_nodes(c, &got->structure, &want->structure, depth + 1);
}

static void compare_infos(struct comparison *c, const struct type_info *got,
			  const struct type_info *want, unsigned depth)
{
	if (got->kind != want->kind || got->size != want->size ||
	    got->num_members != want->num_members || got->num_constants != want->num_constants) {
		c->differences++;
		return;
	}
	for (size_t i = 0; i < want->num_members; i++)
		compare_member(c, &got->members[i], &want->members[i], depth);
	for (size_t i = 0; i < want->num_constants; i++) {
		c->constants++;
		c->differences += got->constants[i].value != want->constants[i].value ||
				  strcmp(got->constants[i].name, want->constants[i].name) != 0;
	}
}

/* Named types are compared by themselves. */
static void compare_nodes(struct comparison *c, const struct type_node *got,
			  const struct type_node *want, unsigned depth)
{
	struct type_info got_info, want_info;
	struct error *got_err, *want_err;
	struct arena arena;

	c->differences += !same_text(got->name, want->name);
	if (depth > MAX_NESTING || !type_is_unnamed(want->name))
		return;
	arena_init(&arena, 0);
	got_err = type_describe_node(c->got, got, &arena, &got_info);
	want_err = type_describe_node(c->want, want, &arena, &want_info);
	if (!got_err && !want_err)
		compare_infos(c, &got_info, &want_info, depth);
	else
		c->differences += !got_err || !want_err;
	error_destroy(got_err);
	error_destroy(want_err);
	arena_deinit(&arena);
}

static bool compare_type(void *arg, const char *name)
{
	struct comparison *c = arg;
	struct type_info got, want;
	struct error *got_err, *want_err;
	struct field got_field, want_field;
	uint32_t got_size = 0, want_size = 0;
	struct arena arena;

	arena_init(&arena, 0);
	c->types++;
	got_err = type_describe(c->got, name, &arena, &got);
	want_err = type_describe(c->want, name, &arena, &want);
	c->differences += (got_err != NULL) != (want_err != NULL);
	if (!got_err && !want_err)
		compare_infos(c, &got, &want, 0);
	c->differences += c->got->ops->type_size(c->got, name, &got_size) !=
				  c->want->ops->type_size(c->want, name, &want_size) ||
			  got_size != want_size;
	for (size_t i = 0; !want_err && i < want.num_members; i++) {
		const char *path = want.members[i].name;
		bool has = c->want->ops->field(c->want, name, path, &want_field);

		c->differences += has != c->got->ops->field(c->got, name, path, &got_field) ||
				  (has && !same_field(&got_field, &want_field));
	}
	error_destroy(got_err);
	error_destroy(want_err);
	arena_deinit(&arena);
	return true;
}

static bool compare_symbol(void *arg, const char *name, uint64_t rva)
{
	struct comparison *c = arg;
	uint64_t got = 0, want = 0;
	bool has_got = c->got->ops->symbol(c->got, name, &got);
	bool has_want = c->want->ops->symbol(c->want, name, &want);

	(void)rva;
	c->symbols++;
	c->differences += has_got != has_want || got != want;
	return true;
}

static struct comparison compare(const struct profile_source *got,
				 const struct profile_source *want)
{
	struct comparison c = { .got = got, .want = want };

	type_each(want, compare_type, &c);
	want->ops->info->each_symbol(want, compare_symbol, &c);
	return c;
}

/* Each has all that the other has. */
static void expect_same(const struct profile_source *a, const struct profile_source *b)
{
	const struct comparison ab = compare(a, b), ba = compare(b, a);

	cr_expect_eq(ab.differences, 0, "%zu differences", ab.differences);
	cr_expect_eq(ba.differences, 0, "%zu differences", ba.differences);
	cr_expect_eq(ab.types, ba.types);
	cr_expect_eq(ab.members, ba.members);
	cr_expect_eq(ab.constants, ba.constants);
	cr_expect_eq(ab.symbols, ba.symbols);
}

static bool add_one(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return true;
}

/* Asks for everything; what is damaged is left out or answers something. */
static void ask_all(const struct profile_source *src)
{
	size_t count = 0;

	expect_same(src, src);
	type_each(src, add_one, &count);
}

Test(symbol_cache, answers_as_its_origin)
{
	struct profile_source *isf = open_fixture(), *cache;
	uint8_t *bytes;
	uint64_t rva;
	size_t len;

	bytes = write_cache(isf, &len);
	cache = must_parse(bytes, len);
	expect_same(cache, isf);
	cr_expect(cache->ops->symbol(cache, "Head", &rva) && rva == 4096);
	cr_expect_not(cache->ops->symbol(cache, "Far", &rva));
	cr_expect_not(cache->ops->symbol(cache, "", &rva));
	cr_expect_not(cache->ops->symbol(cache, "Zzz", &rva));
	cache->ops->destroy(cache);
	isf->ops->destroy(isf);
	free(bytes);
}

Test(symbol_cache, identity_and_origin)
{
	struct profile_source *isf = open_fixture(), *cache;
	const struct symbol_identity *id;
	uint8_t *bytes;
	size_t len;

	bytes = write_cache(isf, &len);
	cache = must_parse(bytes, len);
	id = cache->ops->identity(cache);
	cr_expect_arr_eq(id->guid, isf_identity(isf)->guid, sizeof(id->guid));
	cr_expect_eq(id->age, 2);
	cr_expect_str_eq(id->pdb_name, "ntkrnlmp.pdb");
	cr_expect_eq(symbol_cache_origin(cache).size, fixture_origin.size);
	cr_expect_eq(symbol_cache_origin(cache).checksum, fixture_origin.checksum);
	cr_expect_str_eq(cache->ops->kind, "test");
	cache->ops->destroy(cache);
	isf->ops->destroy(isf);
	free(bytes);
}

/* A cache of a cache is the same file. */
Test(symbol_cache, is_deterministic)
{
	struct profile_source *isf = open_fixture(), *cache, *second;
	uint8_t *bytes, *again;
	size_t len, again_len;

	bytes = write_cache(isf, &len);
	again = write_cache(isf, &again_len);
	cr_assert_eq(len, again_len);
	cr_expect_arr_eq(bytes, again, len);
	free(again);
	cache = must_parse(bytes, len);
	again = write_cache(cache, &again_len);
	second = must_parse(again, again_len);
	expect_same(second, isf);
	second->ops->destroy(second);
	cache->ops->destroy(cache);
	isf->ops->destroy(isf);
	free(again);
	free(bytes);
}

/* Real kernels' symbols. */
static void expect_kernel(const char *guid)
{
	struct profile_source *isf = NULL, *cache;
	struct comparison c;
	char path[512];
	uint8_t *bytes;
	size_t len;
	struct error *err;

	snprintf(path, sizeof(path), SHARED_DIR "/images/windows-like/isf/%s-1.json.xz", guid);
	err = isf_open(path, &isf);
	if (error_catch(&err, ERROR_OS)) {
		cr_log_warn("left out: %s is not here", path);
		return;
	}
	cr_assert_null(err);
	bytes = write_cache(isf, &len);
	cache = must_parse(bytes, len);
	expect_same(cache, isf);
	c = compare(cache, isf);
	cr_expect(c.types > 500 && c.members > 5000 && c.constants > 1000 && c.symbols > 10000,
		  "%zu types, %zu members, %zu constants, %zu symbols", c.types, c.members,
		  c.constants, c.symbols);
	cache->ops->destroy(cache);
	isf->ops->destroy(isf);
	free(bytes);
}

Test(symbol_cache, windows_7)
{
	expect_kernel("339E74133576439CBCDF7E0229DA3773");
}

Test(symbol_cache, windows_8_1)
{
	expect_kernel("9765E6AF44044E6CAF8EC0E370E6DAC5");
}

Test(symbol_cache, windows_10)
{
	expect_kernel("9C00B19DBDE003DBFE4AB4216993C843");
}

Test(symbol_cache, windows_11)
{
	expect_kernel("0CE4A95C0CD782A7596B034D8648E585");
}

/* Sources that an ISF cannot be: a pointer to itself, names that come twice. */
static bool loop_find(const struct profile_source *src, const char *name, struct type_node *ret)
{
	(void)src;
	if (strcmp(name, "_LOOP") != 0)
		return false;
	*ret = (struct type_node){
		.kind = TYPE_STRUCT, .name = "_LOOP", .size = 8, .definition = { 1 }
	};
	return true;
}

static bool loop_node(const struct profile_source *src, struct type_ref type, struct type_node *ret)
{
	if (type.id == 1)
		return loop_find(src, "_LOOP", ret);
	*ret = (struct type_node){ .kind = TYPE_ARRAY, .count = 1, .target = type };
	return true;
}

static void loop_each_member(const struct profile_source *src, struct type_ref definition,
			     member_visit_fn *visit, void *arg)
{
	const struct member_ref self = { "Self", 0, { 1 } }, loop = { "Loop", 8, { 2 } };

	(void)src;
	(void)definition;
	if (visit(arg, &self))
		visit(arg, &loop);
}

static void loop_each_type(const struct profile_source *src, name_visit_fn *visit, void *arg)
{
	(void)src;
	if (visit(arg, "_LOOP") && visit(arg, "_MISSING"))
		visit(arg, "_LOOP");
}

static void loop_each_symbol(const struct profile_source *src, symbol_visit_fn *visit, void *arg)
{
	(void)src;
	if (visit(arg, "both", 7) && visit(arg, "chosen", 9) && visit(arg, "chosen", 8))
		visit(arg, "both", 5);
}

static bool loop_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	(void)src;
	if (strcmp(name, "chosen") == 0)
		*rva_ret = 9;
	return strcmp(name, "chosen") == 0;
}

static const struct symbol_identity *loop_identity(const struct profile_source *src)
{
	static const struct symbol_identity identity = { .age = 1, .pdb_name = "loop.pdb" };

	(void)src;
	return &identity;
}

static const struct type_graph_ops loop_graph = { .find = loop_find,
						  .node = loop_node,
						  .each_member = loop_each_member };
static const struct type_info_ops loop_info = { .each_type = loop_each_type,
						.each_symbol = loop_each_symbol,
						.graph = &loop_graph };
static const struct profile_source_ops loop_ops = { .kind = "loop",
						    .type_size = type_graph_size,
						    .field = type_graph_field,
						    .symbol = loop_symbol,
						    .identity = loop_identity,
						    .info = &loop_info };

static bool note_symbol(void *arg, const char *name, uint64_t rva)
{
	char *text = arg;

	snprintf(text + strlen(text), 64 - strlen(text), "%s %u,", name, (unsigned)rva);
	return true;
}

Test(symbol_cache, loops_and_repeated_names)
{
	const struct profile_source loop = { &loop_ops };
	struct profile_source *cache;
	char symbols[64] = "";
	size_t types = 0, len;
	uint8_t *bytes;
	uint64_t rva;

	bytes = write_cache(&loop, &len);
	cache = must_parse(bytes, len);
	type_each(cache, add_one, &types);
	cr_expect_eq(types, 1);
	cache->ops->info->each_symbol(cache, note_symbol, symbols);
	cr_expect_str_eq(symbols, "both 5,both 7,chosen 8,chosen 9,");
	cr_expect_not(cache->ops->symbol(cache, "both", &rva));
	cr_expect(cache->ops->symbol(cache, "chosen", &rva) && rva == 9);
	ask_all(cache);
	cache->ops->destroy(cache);
	free(bytes);
}

/* Damage. */

Test(symbol_cache, cut_at_every_length)
{
	struct profile_source *isf = open_fixture(), *src = NULL;
	uint8_t *bytes, *copy;
	struct error *err;
	size_t len;

	bytes = write_cache(isf, &len);
	for (size_t cut = 0; cut < len; cut++) {
		copy = malloc(cut ? cut : 1);
		memcpy(copy, bytes, cut);
		err = symbol_cache_parse(copy, cut, "test", &src);
		cr_assert_not_null(err, "%zu of %zu bytes", cut, len);
		cr_expect_eq(error_code(err), ERROR_CORRUPT, "%s", error_message(err));
		error_destroy(err);
		if (cut >= SYMBOL_CACHE_HEADER_SIZE) { /* the header agrees with the length */
			store_u64(copy + HEADER_FILE_SIZE, cut);
			symbol_cache_seal(copy, cut);
			expect_error(copy, cut, ERROR_CORRUPT, "truncated");
		}
		free(copy);
	}
	isf->ops->destroy(isf);
	free(bytes);
}

Test(symbol_cache, header_is_checked)
{
	struct profile_source *isf = open_fixture();
	size_t len;
	uint8_t *bytes = write_cache(isf, &len);

	bytes[len - 2] ^= 1;
	expect_error(bytes, len, ERROR_CORRUPT, "checksum");
	bytes[len - 2] ^= 1;
	bytes[0] ^= 1;
	expect_error(bytes, len, ERROR_CORRUPT, "not a symbol cache");
	bytes[0] ^= 1;
	store_u32(bytes + HEADER_VERSION, SYMBOL_CACHE_VERSION + 1);
	expect_error(bytes, len, ERROR_UNSUPPORTED, "version 2; expected 1");
	store_u32(bytes + HEADER_VERSION, SYMBOL_CACHE_VERSION);
	bytes[len - 1] = 'x';
	symbol_cache_seal(bytes, len);
	expect_error(bytes, len, ERROR_CORRUPT, "no NUL");
	bytes[len - 1] = '\0';
	for (size_t i = 0; i < NUM_CACHE_SECTIONS; i++) {
		uint8_t *count = bytes + HEADER_COUNTS + 4 * i;
		uint32_t was = load_u32(count);

		store_u32(count, UINT32_MAX);
		symbol_cache_seal(bytes, len);
		expect_error(bytes, len, ERROR_CORRUPT, "truncated");
		store_u32(count, was - 1);
		symbol_cache_seal(bytes, len);
		expect_error(bytes, len, ERROR_CORRUPT, "after its strings");
		store_u32(count, was);
	}
	isf->ops->destroy(isf);
	free(bytes);
}

/* What the checksum cannot tell: each byte after the header takes other values. */
Test(symbol_cache, any_byte_may_be_wrong)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct profile_source *isf = open_fixture(), *src;
	size_t len;
	uint8_t *bytes = write_cache(isf, &len);

	for (size_t at = SYMBOL_CACHE_HEADER_SIZE; at + 1 < len; at++) {
		uint8_t was = bytes[at];

		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			bytes[at] = values[i];
			symbol_cache_seal(bytes, len);
			src = must_parse(bytes, len);
			ask_all(src);
			src->ops->destroy(src);
		}
		bytes[at] = was;
	}
	isf->ops->destroy(isf);
	free(bytes);
}

Test(symbol_cache, nodes_may_point_at_themselves)
{
	struct profile_source *isf = open_fixture(), *src;
	size_t len, at = SYMBOL_CACHE_HEADER_SIZE;
	uint8_t *bytes = write_cache(isf, &len);

	for (size_t i = 0; i < SECTION_NODES; i++)
		at += (size_t)load_u32(bytes + HEADER_COUNTS + 4 * i) * symbol_cache_record_size[i];
	for (uint32_t i = 0; i < load_u32(bytes + HEADER_COUNTS + 4 * SECTION_NODES); i++) {
		uint8_t *node = bytes + at + (size_t)i * symbol_cache_record_size[SECTION_NODES];

		for (uint8_t kind = TYPE_NONE; kind <= TYPE_FUNCTION + 1; kind++) {
			node[NODE_KIND] = kind;
			store_u32(node + NODE_TARGET, i + 1);
			symbol_cache_seal(bytes, len);
			src = must_parse(bytes, len);
			ask_all(src);
			src->ops->destroy(src);
		}
	}
	isf->ops->destroy(isf);
	free(bytes);
}
