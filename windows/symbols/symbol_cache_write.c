/* SPDX-License-Identifier: MIT */
#include "windows/symbols/symbol_cache.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

enum {
	MAX_SECTION_BYTES = 256 << 20,
	/* Of pointers to arrays of ...: one more than anybody follows (windows/type_graph.c). */
	MAX_TYPE_DEPTH = 17,
	NO_NAME = 0, /* where the strings begin: an empty one */
};

struct buffer {
	uint8_t *bytes; /* owned */
	size_t len, capacity;
};

/* Bytes that were added before, and the number they got. */
struct known {
	const uint8_t *bytes;
	size_t len;
	uint32_t number;
};

struct writer {
	const struct profile_source *src;
	struct buffer sections[NUM_CACHE_SECTIONS];
	struct type_node *definitions; /* owned; in the order of their records */
	size_t num_definitions, capacity;
	/* Trees (tsearch), whose balance does not depend on who made the names. */
	void *known_strings, *known_nodes, *known_definitions;
	struct arena arena; /* of what the trees hold */
	struct error *err;  /* of a visit; owned */
};

static void keep(void *known)
{
	(void)known; /* in the arena */
}

static void writer_cleanup(struct writer *w)
{
	for (size_t i = 0; i < NUM_CACHE_SECTIONS; i++)
		free(w->sections[i].bytes);
	free(w->definitions);
	tdestroy(w->known_strings, keep);
	tdestroy(w->known_nodes, keep);
	tdestroy(w->known_definitions, keep);
	arena_deinit(&w->arena);
	error_destroy(w->err);
}

static struct error *append(struct buffer *b, const void *bytes, size_t len)
{
	struct error *err = array_reserve(&b->bytes, &b->capacity, b->len + len, 1,
					  MAX_SECTION_BYTES, "bytes of a symbol cache's section");

	if (err)
		return err;
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
	return NULL;
}

static uint32_t count_of(const struct writer *w, enum symbol_cache_section section)
{
	return (uint32_t)(w->sections[section].len / symbol_cache_record_size[section]);
}

static int compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->bytes, y->bytes, x->len);
}

/* The number that equal bytes have in the tree; if they are new, *number becomes theirs. */
static struct error *number_of(struct writer *w, void **tree, const void *bytes, size_t len,
			       uint32_t *number, bool *is_new_ret)
{
	const struct known key = { .bytes = bytes, .len = len };
	void *found = tfind(&key, tree, compare_known);
	struct known *added;
	uint8_t *copy;

	*is_new_ret = !found;
	if (found) {
		*number = (*(struct known *const *)found)->number;
		return NULL;
	}
	added = arena_alloc(&w->arena, sizeof(*added));
	copy = arena_alloc(&w->arena, len);
	if (!added || !copy)
		return &error_no_memory;
	memcpy(copy, bytes, len);
	*added = (struct known){ .bytes = copy, .len = len, .number = *number };
	return tsearch(added, tree, compare_known) ? NULL : &error_no_memory;
}

static struct error *add_string(struct writer *w, const char *text, uint32_t *ret)
{
	struct buffer *strings = &w->sections[SECTION_STRINGS];
	size_t len = strlen(text) + 1;
	struct error *err;
	bool is_new;

	*ret = (uint32_t)strings->len;
	err = number_of(w, &w->known_strings, text, len, ret, &is_new);
	return err || !is_new ? err : append(strings, text, len);
}

/* Types. */

static const struct type_graph_ops *graph(const struct writer *w)
{
	return w->src->ops->info->graph;
}

/* A new definition: queues it. */
static struct error *add_definition(struct writer *w, const struct type_node *node, uint32_t *ret)
{
	struct error *err;
	bool is_new;

	*ret = (uint32_t)w->num_definitions;
	err = number_of(w, &w->known_definitions, &node->definition.id, sizeof(node->definition.id),
			ret, &is_new);
	if (err || !is_new)
		return err;
	err = array_reserve(&w->definitions, &w->capacity, w->num_definitions + 1, sizeof(*node),
			    MAX_SECTION_BYTES / sizeof(*node), "types");
	if (err)
		return err;
	w->definitions[w->num_definitions++] = *node;
	return NULL;
}

static struct error *add_node(struct writer *w, const struct type_node *node, uint32_t target,
			      uint32_t *number_ret)
{
	uint8_t record[32] = { 0 };
	uint32_t name = NO_NAME, definition = 0;
	struct error *err;
	bool is_new;

	if (node->name && (err = add_string(w, node->name, &name)))
		return err;
	if (node->definition.id) {
		if ((err = add_definition(w, node, &definition)))
			return err;
		definition++;
	}
	record[NODE_KIND] = (uint8_t)node->kind;
	record[NODE_BIT_POS] = node->bit_pos;
	record[NODE_BIT_SIZE] = node->bit_size;
	store_u32(record + NODE_NAME, name);
	store_u32(record + NODE_TARGET, target);
	store_u32(record + NODE_DEFINITION, definition);
	store_u64(record + NODE_SIZE, node->size);
	store_u64(record + NODE_COUNT, node->count);
	*number_ret = count_of(w, SECTION_NODES);
	err = number_of(w, &w->known_nodes, record, sizeof(record), number_ret, &is_new);
	return err || !is_new ? err : append(&w->sections[SECTION_NODES], record, sizeof(record));
}

/* A type and what it points to; *ret is 0 for what the source does not know. */
static struct error *add_type(struct writer *w, struct type_ref type, unsigned depth, uint32_t *ret)
{
	struct type_node node;
	uint32_t target = 0, number;
	struct error *err;

	*ret = 0;
	if (depth == MAX_TYPE_DEPTH || !graph(w)->node(w->src, type, &node))
		return NULL;
	if (node.target.id && (err = add_type(w, node.target, depth + 1, &target)))
		return err;
	err = add_node(w, &node, target, &number);
	*ret = number + 1;
	return err;
}

/* A search for this name finds the type. */
static bool add_named(void *arg, const char *name)
{
	struct writer *w = arg;
	struct type_node node;
	uint8_t record[4];
	uint32_t number;

	if (!graph(w)->find(w->src, name, &node))
		return true;
	if (!node.name)
		node.name = name;
	w->err = add_node(w, &node, 0, &number);
	store_u32(record, number);
	if (!w->err)
		w->err = append(&w->sections[SECTION_TYPES], record, sizeof(record));
	return !w->err;
}

static struct error *add_item(struct writer *w, const char *name, uint32_t type, uint64_t value)
{
	uint8_t record[16];
	uint32_t offset;
	struct error *err = add_string(w, name, &offset);

	if (err)
		return err;
	store_u32(record + ITEM_NAME, offset);
	store_u32(record + ITEM_TYPE, type);
	store_u64(record + ITEM_VALUE, value);
	return append(&w->sections[SECTION_ITEMS], record, sizeof(record));
}

static bool add_member(void *arg, const struct member_ref *member)
{
	struct writer *w = arg;
	uint32_t type;

	w->err = add_type(w, member->type, 0, &type);
	if (!w->err)
		w->err = add_item(w, member->name, type, member->offset);
	return !w->err;
}

static bool add_constant(void *arg, const char *name, int64_t value)
{
	struct writer *w = arg;

	w->err = add_item(w, name, 0, (uint64_t)value);
	return !w->err;
}

static struct error *write_definition(struct writer *w, const struct type_node *node)
{
	uint32_t first = count_of(w, SECTION_ITEMS);
	struct type_node found;
	uint8_t record[8];

	if (node->kind == TYPE_ENUM)
		graph(w)->each_constant(w->src, node->definition, add_constant, w);
	else
		graph(w)->each_member(w->src, node->definition, add_member, w);
	if (w->err)
		return take_ptr(w->err);
	store_u32(record + DEFINITION_FIRST, first);
	store_u32(record + DEFINITION_COUNT, count_of(w, SECTION_ITEMS) - first);
	/* Unnamed types have names as well, which no listing of types tells. */
	if (node->name && type_is_unnamed(node->name) &&
	    graph(w)->find(w->src, node->name, &found) &&
	    found.definition.id == node->definition.id && !add_named(w, node->name))
		return take_ptr(w->err);
	return append(&w->sections[SECTION_DEFINITIONS], record, sizeof(record));
}

/* Symbols. */

static bool add_symbol(void *arg, const char *name, uint64_t rva)
{
	struct writer *w = arg;
	uint8_t record[16];
	uint64_t answer;
	uint32_t offset;

	w->err = add_string(w, name, &offset);
	if (w->err)
		return false;
	store_u32(record + SYMBOL_NAME, offset);
	store_u32(record + SYMBOL_ANSWERS,
		  w->src->ops->symbol(w->src, name, &answer) && answer == rva);
	store_u64(record + SYMBOL_RVA, rva);
	w->err = append(&w->sections[SECTION_SYMBOLS], record, sizeof(record));
	return !w->err;
}

/* Order. */

static const char *string_at(const struct writer *w, const uint8_t *field)
{
	return (const char *)w->sections[SECTION_STRINGS].bytes + load_u32(field);
}

static int compare_symbols(const void *a, const void *b, void *arg)
{
	const struct writer *w = arg;
	const uint8_t *x = a, *y = b;
	int order = strcmp(string_at(w, x + SYMBOL_NAME), string_at(w, y + SYMBOL_NAME));
	uint64_t x_rva = load_u64(x + SYMBOL_RVA), y_rva = load_u64(y + SYMBOL_RVA);

	return order ? order : (x_rva > y_rva) - (x_rva < y_rva);
}

static int compare_types(const void *a, const void *b, void *arg)
{
	const struct writer *w = arg;
	const uint8_t *nodes = w->sections[SECTION_NODES].bytes;
	size_t size = symbol_cache_record_size[SECTION_NODES];

	return strcmp(string_at(w, nodes + load_u32(a) * size + NODE_NAME),
		      string_at(w, nodes + load_u32(b) * size + NODE_NAME));
}

/* Sorts a section; of records that compare equal it keeps the first. */
static void sort_section(struct writer *w, enum symbol_cache_section section,
			 int (*compare)(const void *a, const void *b, void *arg))
{
	struct buffer *b = &w->sections[section];
	size_t size = symbol_cache_record_size[section], kept = 0;

	if (b->len)
		qsort_r(b->bytes, b->len / size, size, compare, w);
	for (size_t at = 0; at < b->len; at += size) {
		if (kept && compare(b->bytes + kept - size, b->bytes + at, w) == 0)
			continue;
		memmove(b->bytes + kept, b->bytes + at, size);
		kept += size;
	}
	b->len = kept;
}

/* All but the header. */
static struct error *collect(struct writer *w)
{
	const struct type_info_ops *info = w->src->ops->info;
	struct error *err;

	info->each_type(w->src, add_named, w);
	for (size_t i = 0; !w->err && i < w->num_definitions; i++) {
		const struct type_node node = w->definitions[i];

		if ((err = write_definition(w, &node)))
			return err;
	}
	if (!w->err)
		info->each_symbol(w->src, add_symbol, w);
	if (w->err)
		return take_ptr(w->err);
	sort_section(w, SECTION_TYPES, compare_types);
	sort_section(w, SECTION_SYMBOLS, compare_symbols);
	return NULL;
}

static struct error *assemble(const struct writer *w, const struct symbol_origin *origin,
			      uint32_t pdb_name, uint8_t **ret, size_t *len_ret)
{
	const struct symbol_identity *id = w->src->ops->identity(w->src);
	size_t len = SYMBOL_CACHE_HEADER_SIZE, at = SYMBOL_CACHE_HEADER_SIZE;
	uint8_t *bytes;

	for (size_t i = 0; i < NUM_CACHE_SECTIONS; i++)
		len += w->sections[i].len;
	bytes = calloc(1, len);
	if (!bytes)
		return &error_no_memory;
	memcpy(bytes, SYMBOL_CACHE_MAGIC, SYMBOL_CACHE_MAGIC_SIZE);
	store_u32(bytes + HEADER_VERSION, SYMBOL_CACHE_VERSION);
	store_u32(bytes + HEADER_PDB_NAME, pdb_name);
	store_u64(bytes + HEADER_FILE_SIZE, len);
	store_u64(bytes + HEADER_ORIGIN_SIZE, origin->size);
	store_u64(bytes + HEADER_ORIGIN_CHECKSUM, origin->checksum);
	memcpy(bytes + HEADER_GUID, id->guid, sizeof(id->guid));
	store_u32(bytes + HEADER_AGE, id->age);
	for (size_t i = 0; i < NUM_CACHE_SECTIONS; i++) {
		const struct buffer *b = &w->sections[i];

		store_u32(bytes + HEADER_COUNTS + 4 * i, count_of(w, (enum symbol_cache_section)i));
		if (b->len)
			memcpy(bytes + at, b->bytes, b->len);
		at += b->len;
	}
	symbol_cache_seal(bytes, len);
	*ret = bytes;
	*len_ret = len;
	return NULL;
}

struct error *symbol_cache_write(const struct profile_source *src,
				 const struct symbol_origin *origin, uint8_t **ret, size_t *len_ret)
{
	CLEANUP(writer_cleanup) struct writer w = { .src = src };
	uint32_t no_name, pdb_name;
	struct error *err;

	arena_init(&w.arena, 0);
	if ((err = add_string(&w, "", &no_name)) ||
	    (err = add_string(&w, src->ops->identity(src)->pdb_name, &pdb_name)) ||
	    (err = collect(&w)))
		return err;
	return assemble(&w, origin, pdb_name, ret, len_ret);
}
