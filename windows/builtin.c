/* SPDX-License-Identifier: MIT */
#include "windows/builtin.h"

#include <stdlib.h>
#include <string.h>

/* A field, or with path "" the size of a type. */
struct table_name {
	const char *type, *path;
};

/* One field in one layout. */
struct table_field {
	uint32_t offset; /* ABSENT: this layout has no such field */
	uint32_t size;
	uint8_t bit_pos, bit_size;
};
#define ABSENT UINT32_MAX

/*
 * Generated: table_names[] (sorted), table_layouts[][] (a number per name into table_fields[]),
 * table_fields[] (each distinct one once), table_globals[] (sorted), table_kernels[] (sorted by
 * GUID and age), table_rvas[][] (one row per kernel, one column per global), table_newest[] (the
 * newest kernel of each build, sorted by build; indices into table_kernels).
 */
#include "windows/builtin_table.inc"

struct builtin {
	struct profile_source source;
	const struct builtin_kernel *kernel;
};

static const struct builtin *as_builtin(const struct profile_source *src)
{
	return (const struct builtin *)src;
}

static int compare_names(const void *a, const void *b)
{
	const struct table_name *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	return order ? order : strcmp(x->path, y->path);
}

static int compare_kernels(const void *a, const void *b)
{
	const struct builtin_kernel *x = a, *y = b;
	int order = memcmp(x->guid, y->guid, sizeof(x->guid));

	return order ? order : (x->age > y->age) - (x->age < y->age);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const struct table_name *find_name(const char *type, const char *path)
{
	const struct table_name key = { type, path };

	return bsearch(&key, table_names, ARRAY_SIZE(table_names), sizeof(key), compare_names);
}

static const char *const *find_global(const char *name)
{
	return bsearch(&name, table_globals, ARRAY_SIZE(table_globals), sizeof(name),
		       compare_strings);
}

static const struct table_field *find_field(const struct profile_source *src, const char *type,
					    const char *path)
{
	const struct table_name *name = find_name(type, path);
	const struct table_field *field;

	if (!name)
		return NULL;
	field = &table_fields[table_layouts[as_builtin(src)->kernel->layout][name - table_names]];
	return field->offset == ABSENT ? NULL : field;
}

static bool builtin_field(const struct profile_source *src, const char *type, const char *path,
			  struct field *ret)
{
	const struct table_field *field = *path ? find_field(src, type, path) : NULL;

	if (!field)
		return false;
	*ret = (struct field){
		.offset = field->offset,
		.size = field->size,
		.bit_pos = field->bit_pos,
		.bit_size = field->bit_size,
		.present = true,
	};
	return true;
}

static bool builtin_type_size(const struct profile_source *src, const char *type, uint32_t *ret)
{
	const struct table_field *field = find_field(src, type, "");

	if (!field)
		return false;
	*ret = field->size;
	return true;
}

static bool builtin_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	const char *const *global = find_global(name);
	uint32_t rva;

	if (!global)
		return false;
	rva = table_rvas[as_builtin(src)->kernel - table_kernels][global - table_globals];
	if (rva == ABSENT)
		return false;
	*rva_ret = rva;
	return true;
}

static void builtin_destroy(struct profile_source *src)
{
	free(src);
}

static const struct profile_source_ops builtin_ops = {
	.kind = "builtin",
	.type_size = builtin_type_size,
	.field = builtin_field,
	.symbol = builtin_symbol,
	.destroy = builtin_destroy,
};

const struct builtin_kernel *builtin_find(const uint8_t guid[16], uint32_t age)
{
	struct builtin_kernel key = { .age = age };

	memcpy(key.guid, guid, sizeof(key.guid));
	return bsearch(&key, table_kernels, ARRAY_SIZE(table_kernels), sizeof(key),
		       compare_kernels);
}

const struct builtin_kernel *builtin_nearest(uint32_t build)
{
	const struct builtin_kernel *nearest = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(table_newest); i++) {
		const struct builtin_kernel *kernel = &table_kernels[table_newest[i]];

		if (nearest && kernel->build > build)
			break;
		nearest = kernel;
	}
	return nearest;
}

struct error *builtin_open(const struct builtin_kernel *kernel, struct profile_source **ret)
{
	struct builtin *builtin = malloc(sizeof(*builtin));

	if (!builtin)
		return &error_no_memory;
	*builtin = (struct builtin){ .source.ops = &builtin_ops, .kernel = kernel };
	*ret = &builtin->source;
	return NULL;
}

size_t builtin_num_kernels(void)
{
	return ARRAY_SIZE(table_kernels);
}

const struct builtin_kernel *builtin_kernel_at(size_t index)
{
	return &table_kernels[index];
}

bool builtin_has_field(const char *type, const char *path)
{
	return find_name(type, path);
}

bool builtin_has_global(const char *name)
{
	return find_global(name);
}
