/* SPDX-License-Identifier: MIT */
/* Descriptions of types, from any source's graph. */
#include "windows/symbols/type_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_TEXT_DEPTH = 8, /* of "pointer to pointer to ..." */
	MAX_TEXT = 512,	    /* bytes before the name of the innermost type */
};

struct builder {
	const struct profile_source *src;
	struct arena *arena;
	struct type_member *members; /* owned until they are in the arena; so are the constants */
	struct type_constant *constants;
	size_t count, capacity;
	struct error *err;
};

static void builder_cleanup(struct builder *b)
{
	free(b->members);
	free(b->constants);
	error_destroy(b->err);
}

static const struct type_graph_ops *graph(const struct profile_source *src)
{
	return src->ops->info->graph;
}

static bool stop_at_first(void *arg, const char *name)
{
	bool *seen = arg;

	(void)name;
	*seen = true;
	return false;
}

bool type_known(const struct profile_source *src)
{
	bool seen = false;

	type_each(src, stop_at_first, &seen);
	return seen;
}

void type_each(const struct profile_source *src, name_visit_fn *visit, void *arg)
{
	if (src->ops->info)
		src->ops->info->each_type(src, visit, arg);
}

/* Elements of an array; 0 if it cannot be told. */
static uint64_t element_count(const struct profile_source *src, const struct type_node *array)
{
	uint64_t size;

	if (array->count || !array->size)
		return array->count;
	if (!type_bytes(src, array->target, &size) || size == 0)
		return 0;
	return array->size / size;
}

static void append(char *text, size_t size, const char *words)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s", words);
}

/* "[2] pointer to _EPROCESS". NULL when memory is out. */
static char *type_text(struct builder *b, struct type_ref type)
{
	char text[MAX_TEXT] = "", dimension[32];
	struct type_node node;

	for (unsigned depth = 0; depth < MAX_TEXT_DEPTH; depth++) {
		if (!graph(b->src)->node(b->src, type, &node))
			return arena_printf(b->arena, "%sunknown type", text);
		switch (node.kind) {
		case TYPE_POINTER:
			append(text, sizeof(text), "pointer to ");
			break;
		case TYPE_ARRAY:
			snprintf(dimension, sizeof(dimension), "[%llu] ",
				 (unsigned long long)element_count(b->src, &node));
			append(text, sizeof(text), dimension);
			break;
		case TYPE_BIT_FIELD:
			break;
		case TYPE_FUNCTION:
			return arena_printf(b->arena, "%sfunction", text);
		default:
			return arena_printf(b->arena, "%s%s", text,
					    node.name ? node.name : "unknown type");
		}
		type = node.target;
	}
	return arena_printf(b->arena, "%s...", text);
}

/* All dimensions multiplied; 0 for what is no array. */
static uint64_t total_count(const struct profile_source *src, struct type_ref type)
{
	uint64_t total = 0, count;
	struct type_node node;

	for (unsigned depth = 0; depth < MAX_TEXT_DEPTH; depth++) {
		if (!graph(src)->node(src, type, &node) || node.kind != TYPE_ARRAY)
			break;
		count = element_count(src, &node);
		if (__builtin_mul_overflow(depth ? total : 1, count, &total))
			return 0;
		type = node.target;
	}
	return total;
}

static bool add_member(void *arg, const struct member_ref *member)
{
	struct builder *b = arg;
	struct type_member m = { .name = member->name, .offset = (uint32_t)member->offset };
	struct type_node node;

	if (member->offset > UINT32_MAX)
		return true;
	b->err = array_reserve(&b->members, &b->capacity, b->count + 1, sizeof(m), TYPE_MAX_MEMBERS,
			       "members");
	if (b->err)
		return false;
	if (graph(b->src)->node(b->src, member->type, &node) && node.kind == TYPE_BIT_FIELD) {
		m.bit_pos = node.bit_pos;
		m.bit_size = node.bit_size;
	}
	if (!type_bytes(b->src, member->type, &m.size))
		m.size = 0;
	m.count = total_count(b->src, member->type);
	if (!type_structure(b->src, member->type, &m.structure))
		m.structure = (struct type_node){ .kind = TYPE_NONE };
	m.type = type_text(b, member->type);
	if (!m.type) {
		b->err = &error_no_memory;
		return false;
	}
	b->members[b->count++] = m;
	return true;
}

static bool add_constant(void *arg, const char *name, int64_t value)
{
	struct builder *b = arg;

	b->err = array_reserve(&b->constants, &b->capacity, b->count + 1, sizeof(*b->constants),
			       TYPE_MAX_MEMBERS, "constants");
	if (b->err)
		return false;
	b->constants[b->count++] = (struct type_constant){ name, value };
	return true;
}

static int compare_members(const void *a, const void *b)
{
	const struct type_member *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	/* the whole field before the bits of a union with it */
	if (!x->bit_size != !y->bit_size)
		return x->bit_size ? 1 : -1;
	if (x->bit_pos != y->bit_pos)
		return x->bit_pos < y->bit_pos ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int compare_constants(const void *a, const void *b)
{
	const struct type_constant *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return strcmp(x->name, y->name);
}

void type_sort_members(struct type_member *members, size_t count)
{
	if (count)
		qsort(members, count, sizeof(*members), compare_members);
}

/* What was collected, in the arena. NULL when memory is out. */
static void *to_arena(const struct builder *b, const void *items, size_t size)
{
	void *ret = arena_calloc(b->arena, b->count, size);

	if (ret && b->count)
		memcpy(ret, items, b->count * size);
	return ret;
}

struct error *type_describe_node(const struct profile_source *src, const struct type_node *node,
				 struct arena *a, struct type_info *ret)
{
	CLEANUP(builder_cleanup) struct builder b = { .src = src, .arena = a };
	struct type_info info = { .kind = node->kind, .size = node->size };

	if (!node->definition.id)
		return error_new(ERROR_NOT_FOUND, "type '%s' is declared but not defined",
				 node->name);
	if (node->kind == TYPE_ENUM) {
		graph(src)->each_constant(src, node->definition, add_constant, &b);
		if (b.count)
			qsort(b.constants, b.count, sizeof(*b.constants), compare_constants);
		info.num_constants = b.count;
		info.constants = to_arena(&b, b.constants, sizeof(*b.constants));
	} else {
		graph(src)->each_member(src, node->definition, add_member, &b);
		type_sort_members(b.members, b.count);
		info.num_members = b.count;
		info.members = to_arena(&b, b.members, sizeof(*b.members));
	}
	if (b.err)
		return take_ptr(b.err);
	if (!info.members && !info.constants)
		return &error_no_memory;
	*ret = info;
	return NULL;
}

struct error *type_describe(const struct profile_source *src, const char *name, struct arena *a,
			    struct type_info *ret)
{
	const struct type_info_ops *info = src->ops->info;
	struct type_node node;

	if (info && info->describe)
		return info->describe(src, name, a, ret);
	if (!info || !graph(src)->find(src, name, &node))
		return error_new(ERROR_NOT_FOUND, "no type '%s'", name);
	return type_describe_node(src, &node, a, ret);
}
