/* SPDX-License-Identifier: MIT */
/* Paths and sizes over any source's types. */
#include "windows/symbols/type_info.h"

#include <string.h>

enum {
	MAX_TYPE_DEPTH = 16,	  /* arrays of arrays, and the type inside a bit field */
	MAX_UNNAMED_PLACES = 128, /* unnamed members searched for one name */
	MAX_MEMBERS_VISITED = 1 << 16,
	MAX_STORAGE = 8, /* bytes of a number that holds a bit field */
};

static const struct type_graph_ops *graph(const struct profile_source *src)
{
	return src->ops->info->graph;
}

static bool is_tag(enum type_kind kind)
{
	return kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ENUM;
}

bool type_bytes(const struct profile_source *src, struct type_ref type, uint64_t *ret)
{
	uint64_t factor = 1;
	struct type_node node;

	for (unsigned depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
		if (!graph(src)->node(src, type, &node))
			return false;
		switch (node.kind) {
		case TYPE_NONE:
		case TYPE_FUNCTION:
			return false;
		case TYPE_BIT_FIELD:
			break;
		case TYPE_ARRAY:
			if (node.size)
				return !__builtin_mul_overflow(factor, node.size, ret);
			if (__builtin_mul_overflow(factor, node.count, &factor))
				return false;
			break;
		default:
			if (is_tag(node.kind) && !node.definition.id)
				return false;
			return !__builtin_mul_overflow(factor, node.size, ret);
		}
		type = node.target;
	}
	return false;
}

bool type_structure(const struct profile_source *src, struct type_ref type, struct type_node *ret)
{
	struct type_node node;

	for (unsigned depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
		if (!graph(src)->node(src, type, &node))
			return false;
		if (node.kind == TYPE_STRUCT || node.kind == TYPE_UNION) {
			*ret = node;
			return true;
		}
		if (node.kind != TYPE_ARRAY)
			return false;
		type = node.target;
	}
	return false;
}

/* Names that compilers and tools give to types that have none in C. C++ puts the enclosing type
 * before them: "_MMVAD_SHORT::<unnamed-type-u>". */
bool type_is_unnamed(const char *name)
{
	static const char *const prefixes[] = { "__anonymous", "__unnamed", "_unnamed", "<unnamed",
						"<anonymous" };
	const char *scope = NULL;

	for (const char *next = name; (next = strstr(next, "::")); next += 2)
		scope = next;
	if (scope)
		name = scope + 2;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* Paths. */

/* Members at an offset from the start of the outermost structure. */
struct place {
	struct type_ref definition;
	uint64_t offset;
};

/* The search for one name, level by level. */
struct search {
	const struct profile_source *src;
	const char *name;
	const struct place *place; /* whose members are being visited */
	struct member_ref best;	   /* at the lowest offset; name NULL: none yet */
	struct place queue[MAX_UNNAMED_PLACES];
	size_t count;
	unsigned budget; /* members that may still be visited */
};

static bool match_member(void *arg, const struct member_ref *member)
{
	struct search *s = arg;
	struct member_ref found = *member;

	if (strcmp(member->name, s->name) == 0 &&
	    !__builtin_add_overflow(found.offset, s->place->offset, &found.offset) &&
	    (!s->best.name || found.offset < s->best.offset))
		s->best = found;
	return --s->budget > 0;
}

static bool add_unnamed(void *arg, const struct member_ref *member)
{
	struct search *s = arg;
	struct type_node node;
	uint64_t offset;

	if (s->count < MAX_UNNAMED_PLACES && type_structure(s->src, member->type, &node) &&
	    node.definition.id && type_is_unnamed(node.name) &&
	    !__builtin_add_overflow(s->place->offset, member->offset, &offset))
		s->queue[s->count++] = (struct place){ node.definition, offset };
	return --s->budget > 0;
}

static void visit_places(struct search *s, size_t begin, size_t end, member_visit_fn *visit)
{
	for (size_t i = begin; i < end && s->budget; i++) {
		s->place = &s->queue[i];
		graph(s->src)->each_member(s->src, s->place->definition, visit, s);
	}
}

/* A name among the direct members, else in the nearest level of unnamed ones; of several in one
 * level the one at the lowest offset. */
static bool find_member(const struct profile_source *src, struct place place, const char *name,
			struct member_ref *ret)
{
	struct search s = { .src = src,
			    .name = name,
			    .queue = { place },
			    .count = 1,
			    .budget = MAX_MEMBERS_VISITED };

	for (size_t begin = 0, end = 1; begin < end && !s.best.name; begin = end, end = s.count) {
		visit_places(&s, begin, end, match_member);
		if (!s.best.name)
			visit_places(&s, begin, end, add_unnamed);
	}
	*ret = s.best;
	return s.best.name;
}

static bool follow_path(const struct profile_source *src, const char *type, const char *path,
			struct member_ref *ret)
{
	struct type_node node;
	struct place place;
	char name[TYPE_MAX_NAME];

	if (!graph(src)->find(src, type, &node) || node.kind == TYPE_ENUM)
		return false;
	place = (struct place){ node.definition, 0 };
	while (place.definition.id) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(name))
			return false;
		memcpy(name, path, len);
		name[len] = '\0';
		if (!find_member(src, place, name, ret))
			return false;
		if (path[len] == '\0')
			return true;
		if (!type_structure(src, ret->type, &node))
			return false;
		place = (struct place){ node.definition, ret->offset };
		path += len + 1;
	}
	return false;
}

bool type_graph_field(const struct profile_source *src, const char *type, const char *path,
		      struct field *ret)
{
	struct field field = { .present = true };
	struct member_ref member;
	struct type_node node;
	uint64_t size;

	if (!follow_path(src, type, path, &member) || member.offset > UINT32_MAX ||
	    !type_bytes(src, member.type, &size) || size > UINT32_MAX ||
	    !graph(src)->node(src, member.type, &node))
		return false;
	field.offset = (uint32_t)member.offset;
	field.size = (uint32_t)size;
	if (node.kind == TYPE_BIT_FIELD) {
		if (size > MAX_STORAGE || node.bit_size == 0 || node.bit_size > 8 * size ||
		    node.bit_pos > 8 * size - node.bit_size)
			return false;
		field.bit_pos = node.bit_pos;
		field.bit_size = node.bit_size;
	}
	*ret = field;
	return true;
}

bool type_graph_size(const struct profile_source *src, const char *type, uint32_t *ret)
{
	struct type_node node;

	if (!graph(src)->find(src, type, &node) || node.kind == TYPE_ENUM || node.size > UINT32_MAX)
		return false;
	*ret = (uint32_t)node.size;
	return true;
}
