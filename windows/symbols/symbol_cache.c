/* SPDX-License-Identifier: MIT */
#include "windows/symbols/symbol_cache.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/file.h"

const uint8_t symbol_cache_record_size[NUM_CACHE_SECTIONS] = {
	[SECTION_ITEMS] = 16,	   [SECTION_SYMBOLS] = 16, [SECTION_NODES] = 32,
	[SECTION_DEFINITIONS] = 8, [SECTION_TYPES] = 4,	   [SECTION_STRINGS] = 1,
};

struct section {
	const uint8_t *bytes;
	uint32_t count;
};

struct cache {
	struct profile_source source;
	struct profile_source_ops ops; /* of this one source: kind is the caller's */
	struct file file;	       /* zeroed if the bytes are the caller's */
	struct section sections[NUM_CACHE_SECTIONS];
	struct symbol_identity identity;
	struct symbol_origin origin;
};

static const struct cache *as_cache(const struct profile_source *src)
{
	return (const struct cache *)src;
}

uint64_t symbol_checksum(const uint8_t *bytes, size_t len)
{
	return lzma_crc64(bytes, len, 0);
}

void symbol_cache_seal(uint8_t *bytes, size_t len)
{
	store_u64(bytes + HEADER_CHECKSUM,
		  symbol_checksum(bytes + SYMBOL_CACHE_CHECKED, len - SYMBOL_CACHE_CHECKED));
}

/* Records. */

/* NULL if there is none of this number. */
static const uint8_t *record(const struct cache *cache, enum symbol_cache_section section,
			     uint32_t index)
{
	const struct section *s = &cache->sections[section];

	if (index >= s->count)
		return NULL;
	return s->bytes + (size_t)index * symbol_cache_record_size[section];
}

/* The strings end in NUL, so whatever begins in them ends in them. */
static const char *name_at(const struct cache *cache, uint32_t offset)
{
	const uint8_t *name = record(cache, SECTION_STRINGS, offset);

	return name ? (const char *)name : "";
}

static bool has_name(enum type_kind kind)
{
	return kind == TYPE_BASE || kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ENUM;
}

/* Types: a type_ref is what a record says, 1 + a number. */

static struct type_ref ref_at(const uint8_t *field)
{
	return (struct type_ref){ load_u32(field) };
}

static bool cache_node(const struct profile_source *src, struct type_ref type,
		       struct type_node *ret)
{
	const struct cache *cache = as_cache(src);
	const uint8_t *node;

	if (type.id == 0 || type.id > UINT32_MAX)
		return false;
	node = record(cache, SECTION_NODES, (uint32_t)type.id - 1);
	if (!node || node[NODE_KIND] == TYPE_NONE || node[NODE_KIND] > TYPE_FUNCTION)
		return false;
	*ret = (struct type_node){
		.kind = (enum type_kind)node[NODE_KIND],
		.size = load_u64(node + NODE_SIZE),
		.count = load_u64(node + NODE_COUNT),
		.bit_pos = node[NODE_BIT_POS],
		.bit_size = node[NODE_BIT_SIZE],
		.target = ref_at(node + NODE_TARGET),
		.definition = ref_at(node + NODE_DEFINITION),
	};
	if (has_name(ret->kind))
		ret->name = name_at(cache, load_u32(node + NODE_NAME));
	return true;
}

/* The node of the type at a place in the order of names. */
static bool type_at(const struct cache *cache, uint32_t index, struct type_node *ret)
{
	const uint8_t *number = record(cache, SECTION_TYPES, index);
	struct type_ref type = { 1 };

	if (!number)
		return false;
	type.id += load_u32(number);
	return cache_node(&cache->source, type, ret) && ret->name;
}

static bool cache_find(const struct profile_source *src, const char *name, struct type_node *ret)
{
	const struct cache *cache = as_cache(src);
	uint32_t low = 0, high = cache->sections[SECTION_TYPES].count;
	struct type_node node;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order;

		if (!type_at(cache, middle, &node))
			return false;
		order = strcmp(name, node.name);
		if (order == 0) {
			*ret = node;
			return node.definition.id;
		}
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static const uint8_t *item_at(const struct section *items, uint32_t index)
{
	return items->bytes + (size_t)index * symbol_cache_record_size[SECTION_ITEMS];
}

/* The items of a definition; false if there is no such. */
static bool items_of(const struct cache *cache, struct type_ref definition, struct section *ret)
{
	const struct section *items = &cache->sections[SECTION_ITEMS];
	const uint8_t *bytes;
	uint32_t first, count;

	if (definition.id == 0 || definition.id > UINT32_MAX)
		return false;
	bytes = record(cache, SECTION_DEFINITIONS, (uint32_t)definition.id - 1);
	if (!bytes)
		return false;
	first = load_u32(bytes + DEFINITION_FIRST);
	count = load_u32(bytes + DEFINITION_COUNT);
	if (first > items->count || count > items->count - first)
		return false;
	ret->bytes = item_at(items, first);
	ret->count = count;
	return true;
}

static void cache_each_member(const struct profile_source *src, struct type_ref definition,
			      member_visit_fn *visit, void *arg)
{
	const struct cache *cache = as_cache(src);
	struct section items;

	if (!items_of(cache, definition, &items))
		return;
	for (uint32_t i = 0; i < items.count; i++) {
		const uint8_t *item = item_at(&items, i);
		const struct member_ref member = {
			.name = name_at(cache, load_u32(item + ITEM_NAME)),
			.offset = load_u64(item + ITEM_VALUE),
			.type = ref_at(item + ITEM_TYPE),
		};

		if (!visit(arg, &member))
			return;
	}
}

static void cache_each_constant(const struct profile_source *src, struct type_ref definition,
				constant_visit_fn *visit, void *arg)
{
	const struct cache *cache = as_cache(src);
	struct section items;

	if (!items_of(cache, definition, &items))
		return;
	for (uint32_t i = 0; i < items.count; i++) {
		const uint8_t *item = item_at(&items, i);

		if (!visit(arg, name_at(cache, load_u32(item + ITEM_NAME)),
			   (int64_t)load_u64(item + ITEM_VALUE)))
			return;
	}
}

static void cache_each_type(const struct profile_source *src, name_visit_fn *visit, void *arg)
{
	const struct cache *cache = as_cache(src);
	struct type_node node;

	for (uint32_t i = 0; type_at(cache, i, &node); i++)
		if (!type_is_unnamed(node.name) && !visit(arg, node.name))
			return;
}

/* Symbols. */

/* The first that is not before the name. */
static uint32_t symbol_bound(const struct cache *cache, const char *name)
{
	uint32_t low = 0, high = cache->sections[SECTION_SYMBOLS].count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const uint8_t *symbol = record(cache, SECTION_SYMBOLS, middle);

		if (strcmp(name_at(cache, load_u32(symbol + SYMBOL_NAME)), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool cache_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	const struct cache *cache = as_cache(src);
	const uint8_t *symbol;

	for (uint32_t i = symbol_bound(cache, name);
	     (symbol = record(cache, SECTION_SYMBOLS, i)) &&
	     strcmp(name_at(cache, load_u32(symbol + SYMBOL_NAME)), name) == 0;
	     i++) {
		if (load_u32(symbol + SYMBOL_ANSWERS) == 0)
			continue;
		*rva_ret = load_u64(symbol + SYMBOL_RVA);
		return true;
	}
	return false;
}

static void cache_each_symbol(const struct profile_source *src, symbol_visit_fn *visit, void *arg)
{
	const struct cache *cache = as_cache(src);
	const uint8_t *symbol;

	for (uint32_t i = 0; (symbol = record(cache, SECTION_SYMBOLS, i)); i++)
		if (!visit(arg, name_at(cache, load_u32(symbol + SYMBOL_NAME)),
			   load_u64(symbol + SYMBOL_RVA)))
			return;
}

/* The source. */

static const struct symbol_identity *cache_identity(const struct profile_source *src)
{
	return &as_cache(src)->identity;
}

static void cache_destroy(struct profile_source *src)
{
	struct cache *cache = (struct cache *)src;

	file_close(&cache->file);
	free(cache);
}

static const struct type_graph_ops cache_graph = {
	.find = cache_find,
	.node = cache_node,
	.each_member = cache_each_member,
	.each_constant = cache_each_constant,
};

static const struct type_info_ops cache_info = {
	.each_type = cache_each_type,
	.each_symbol = cache_each_symbol,
	.graph = &cache_graph,
};

static const struct profile_source_ops cache_ops = {
	.type_size = type_graph_size,
	.field = type_graph_field,
	.symbol = cache_symbol,
	.identity = cache_identity,
	.info = &cache_info,
	.destroy = cache_destroy,
};

struct symbol_origin symbol_cache_origin(const struct profile_source *src)
{
	return as_cache(src)->origin;
}

/* Opening. */

static struct error *check_start(struct cursor *c, uint32_t *pdb_name_ret)
{
	const uint8_t *magic;
	uint64_t checksum, file_size, actual;
	uint32_t version;

	if (!cur_take(c, SYMBOL_CACHE_MAGIC_SIZE, &magic) || !cur_u32(c, &version) ||
	    !cur_u32(c, pdb_name_ret) || !cur_u64(c, &checksum) || !cur_u64(c, &file_size))
		return cur_error(c, "symbol cache header");
	if (memcmp(magic, SYMBOL_CACHE_MAGIC, SYMBOL_CACHE_MAGIC_SIZE) != 0)
		return error_new(ERROR_CORRUPT, "not a symbol cache: no magic at offset 0");
	if (version != SYMBOL_CACHE_VERSION)
		return error_new(ERROR_UNSUPPORTED, "symbol cache version %u; expected %d", version,
				 SYMBOL_CACHE_VERSION);
	if (file_size != c->len)
		return error_new(ERROR_CORRUPT, "symbol cache of %zu bytes; its header says %llu",
				 c->len, (unsigned long long)file_size);
	actual = symbol_checksum(c->base + SYMBOL_CACHE_CHECKED, c->len - SYMBOL_CACHE_CHECKED);
	if (checksum != actual)
		return error_new(ERROR_CORRUPT, "symbol cache: checksum 0x%llx; expected 0x%llx",
				 (unsigned long long)actual, (unsigned long long)checksum);
	return NULL;
}

static struct error *read_sections(struct cache *cache, struct cursor *c)
{
	static const char *const names[NUM_CACHE_SECTIONS] = {
		"items", "symbols", "nodes", "definitions", "types", "strings"
	};
	struct section *strings = &cache->sections[SECTION_STRINGS];
	uint32_t zero;

	for (size_t i = 0; i < NUM_CACHE_SECTIONS; i++)
		if (!cur_u32(c, &cache->sections[i].count))
			return cur_error(c, "symbol cache header");
	if (!cur_u32(c, &zero))
		return cur_error(c, "symbol cache header");
	for (size_t i = 0; i < NUM_CACHE_SECTIONS; i++) {
		struct section *s = &cache->sections[i];

		if (!cur_take(c, (size_t)s->count * symbol_cache_record_size[i], &s->bytes))
			return cur_error(c, names[i]);
	}
	if (cur_left(c))
		return error_new(ERROR_CORRUPT,
				 "symbol cache: %zu bytes after its strings; expected none",
				 cur_left(c));
	if (!strings->count || strings->bytes[strings->count - 1] != '\0')
		return error_new(ERROR_CORRUPT, "symbol cache: no NUL at the end of its strings");
	return NULL;
}

static struct error *read_header(struct cache *cache, struct cursor *c)
{
	struct symbol_identity *id = &cache->identity;
	uint32_t pdb_name;
	struct error *err;

	if ((err = check_start(c, &pdb_name)))
		return err;
	if (!cur_u64(c, &cache->origin.size) || !cur_u64(c, &cache->origin.checksum) ||
	    !cur_copy(c, id->guid, sizeof(id->guid)) || !cur_u32(c, &id->age))
		return cur_error(c, "symbol cache header");
	if ((err = read_sections(cache, c)))
		return err;
	id->pdb_name = name_at(cache, pdb_name);
	return NULL;
}

struct error *symbol_cache_parse(const uint8_t *bytes, size_t len, const char *kind,
				 struct profile_source **ret)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	struct cursor c;
	struct error *err;

	if (!cache)
		return &error_no_memory;
	cache->ops = cache_ops;
	cache->ops.kind = kind;
	cache->source.ops = &cache->ops;
	cur_init(&c, bytes, len, 0);
	if ((err = read_header(cache, &c))) {
		cache_destroy(&cache->source);
		return err;
	}
	*ret = &cache->source;
	return NULL;
}

struct error *symbol_cache_open(const char *path, const char *kind, struct profile_source **ret)
{
	struct file file;
	struct error *err = file_open(&file, path);

	if (err)
		return err;
	if ((err = symbol_cache_parse(file.bytes, file.size, kind, ret))) {
		file_close(&file);
		return error_wrap(err, "%s", path);
	}
	((struct cache *)*ret)->file = file;
	return NULL;
}
