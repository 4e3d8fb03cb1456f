/* SPDX-License-Identifier: MIT */
/* What the built-in table knows of types: fields by path, without the types of these. */
#include "windows/symbols/builtin.h"

#include <string.h>

#include "windows/symbols/type_info.h"

static bool has_type(const struct profile_source *src, size_t type)
{
	const char *name = builtin_type_name(type);
	struct field field;
	uint32_t size;

	if (src->ops->type_size(src, name, &size))
		return true;
	for (size_t i = 0; i < builtin_num_paths(type); i++)
		if (src->ops->field(src, name, builtin_path(type, i), &field))
			return true;
	return false;
}

static void each_type(const struct profile_source *src, name_visit_fn *visit, void *arg)
{
	for (size_t i = 0; i < builtin_num_types(); i++)
		if (has_type(src, i) && !visit(arg, builtin_type_name(i)))
			return;
}

static void each_symbol(const struct profile_source *src, symbol_visit_fn *visit, void *arg)
{
	uint64_t rva;

	for (size_t i = 0; i < profile_num_globals; i++)
		if (src->ops->symbol(src, profile_globals[i], &rva) &&
		    !visit(arg, profile_globals[i], rva))
			return;
}

static struct error *describe_type(const struct profile_source *src, size_t type, struct arena *a,
				   struct type_info *ret)
{
	const char *name = builtin_type_name(type);
	struct type_info info = { .kind = TYPE_STRUCT };
	struct field f;
	uint32_t size;

	info.members = arena_calloc(a, builtin_num_paths(type), sizeof(*info.members));
	if (!info.members)
		return &error_no_memory;
	if (src->ops->type_size(src, name, &size))
		info.size = size;
	for (size_t i = 0; i < builtin_num_paths(type); i++) {
		if (!src->ops->field(src, name, builtin_path(type, i), &f))
			continue;
		info.members[info.num_members++] = (struct type_member){
			.name = builtin_path(type, i),
			.offset = f.offset,
			.size = f.size,
			.bit_pos = f.bit_pos,
			.bit_size = f.bit_size,
		};
	}
	type_sort_members(info.members, info.num_members);
	*ret = info;
	return NULL;
}

static struct error *describe(const struct profile_source *src, const char *name, struct arena *a,
			      struct type_info *ret)
{
	for (size_t i = 0; i < builtin_num_types(); i++)
		if (strcmp(builtin_type_name(i), name) == 0 && has_type(src, i))
			return describe_type(src, i, a, ret);
	return error_new(ERROR_NOT_FOUND, "no type '%s' in the built-in table", name);
}

const struct type_info_ops builtin_info = {
	.each_type = each_type,
	.each_symbol = each_symbol,
	.describe = describe,
};
