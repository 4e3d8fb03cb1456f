/* SPDX-License-Identifier: MIT */
/* What discovery knows of types and symbols: its own rows. */
#include <string.h>

#include "windows/discover/probe.h"
#include "windows/symbols/type_info.h"

static void each_type(const struct profile_source *src, name_visit_fn *visit, void *arg)
{
	struct discover_row row;

	for (size_t i = 0; discover_evidence(src, i, &row); i++)
		if ((row.kind == DISCOVER_FIELD || row.kind == DISCOVER_TYPE) &&
		    !visit(arg, row.type))
			return;
}

static void each_symbol(const struct profile_source *src, symbol_visit_fn *visit, void *arg)
{
	struct discover_row row;

	for (size_t i = 0; discover_evidence(src, i, &row); i++)
		if (row.kind == DISCOVER_GLOBAL && !visit(arg, row.path, row.value))
			return;
}

/* Of fields that are not among the members a row says why; the size of others may be 0. */
static struct error *describe(const struct profile_source *src, const char *name, struct arena *a,
			      struct type_info *ret)
{
	struct type_info info = { .kind = TYPE_STRUCT };
	struct discover_row row;
	uint32_t size = 0;
	size_t count = 0;

	while (discover_evidence(src, count, &row))
		count++;
	info.members = arena_calloc(a, count + 1, sizeof(*info.members));
	if (!info.members)
		return &error_no_memory;
	for (size_t i = 0; discover_evidence(src, i, &row); i++) {
		if (row.kind != DISCOVER_FIELD || strcmp(row.type, name) != 0)
			continue;
		info.members[info.num_members++] = (struct type_member){
			.name = row.path,
			.offset = (uint32_t)row.value,
			.size = row.size,
			.bit_pos = row.bit_pos,
			.bit_size = row.bit_size,
		};
	}
	if (!src->ops->type_size(src, name, &size) && !info.num_members)
		return error_new(ERROR_NOT_FOUND, "no type '%s' was discovered", name);
	info.size = size;
	type_sort_members(info.members, info.num_members);
	*ret = info;
	return NULL;
}

const struct type_info_ops discovery_info = {
	.each_type = each_type,
	.each_symbol = each_symbol,
	.describe = describe,
};
