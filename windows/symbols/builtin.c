/* SPDX-License-Identifier: MIT */
#include "windows/symbols/builtin.h"

#include <stdlib.h>
#include <string.h>

/* The fields of a type are table_paths[first .. next type's first); the first path is "" and
 * stands for the type's size. */
struct table_type {
	const char *name;
	size_t first;
};

/* One field in one layout. */
struct table_field {
	uint32_t offset; /* ABSENT: this layout has no such field */
	uint32_t size;
	uint8_t bit_pos, bit_size;
};
#define ABSENT UINT32_MAX

/*
 * Generated: table_types[] (sorted, and one more as an end), table_paths[] (sorted in each type),
 * table_fields[] (each distinct answer once), table_runs[] (for a type in some layouts, a number
 * per path into table_fields[]), table_layouts[][] (for each type where its run begins),
 * table_globals[] (sorted), table_kernels[] (NUM_EXACT with a GUID, sorted by it, then those known
 * by their build), table_rvas[][] (a row per exact kernel, a column per global), table_newest[] and
 * table_newest_la57[] (the newest kernel of each build, sorted by build; into table_kernels).
 */
#include "windows/symbols/builtin_table.inc"

struct builtin {
	struct profile_source source;
	const struct builtin_kernel *kernel;
};

static const struct builtin *as_builtin(const struct profile_source *src)
{
	return (const struct builtin *)src;
}

static int compare_types(const void *a, const void *b)
{
	const struct table_type *x = a, *y = b;

	return strcmp(x->name, y->name);
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

static const struct table_type *find_type(const char *type)
{
	const struct table_type key = { .name = type };

	return bsearch(&key, table_types, ARRAY_SIZE(table_types) - 1, sizeof(key), compare_types);
}

static const char *const *find_path(const struct table_type *type, const char *path)
{
	return bsearch(&path, &table_paths[type->first], type[1].first - type->first, sizeof(path),
		       compare_strings);
}

static const char *const *find_global(const char *name)
{
	return bsearch(&name, table_globals, ARRAY_SIZE(table_globals), sizeof(name),
		       compare_strings);
}

/* The answer for a path of a type, given by its place among the type's paths. */
static const struct table_field *answer(const struct builtin_kernel *kernel,
					const struct table_type *type, size_t path)
{
	size_t run = table_layouts[kernel->layout][type - table_types];
	const struct table_field *field = &table_fields[table_runs[run + path]];

	return field->offset == ABSENT ? NULL : field;
}

static const struct table_field *find_field(const struct profile_source *src, const char *type_name,
					    const char *path_name)
{
	const struct table_type *type = find_type(type_name);
	const char *const *path = type ? find_path(type, path_name) : NULL;

	if (!path)
		return NULL;
	return answer(as_builtin(src)->kernel, type, (size_t)(path - &table_paths[type->first]));
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
	size_t kernel = (size_t)(as_builtin(src)->kernel - table_kernels);
	const char *const *global = find_global(name);
	uint32_t rva;

	if (!global || kernel >= NUM_EXACT)
		return false;
	rva = table_rvas[kernel][global - table_globals];
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
	.info = &builtin_info,
	.destroy = builtin_destroy,
};

const struct builtin_kernel *builtin_find(const uint8_t guid[16], uint32_t age)
{
	struct builtin_kernel key = { .age = age };

	memcpy(key.guid, guid, sizeof(key.guid));
	return bsearch(&key, table_kernels, NUM_EXACT, sizeof(key), compare_kernels);
}

static const struct builtin_kernel *nearest(const uint16_t *newest, size_t n, uint32_t build)
{
	const struct builtin_kernel *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct builtin_kernel *kernel = &table_kernels[newest[i]];

		if (best && kernel->build > build)
			break;
		best = kernel;
	}
	return best;
}

const struct builtin_kernel *builtin_nearest(uint32_t build)
{
	return nearest(table_newest, ARRAY_SIZE(table_newest), build);
}

const struct builtin_kernel *builtin_nearest_la57(uint32_t build)
{
	return nearest(table_newest_la57, ARRAY_SIZE(table_newest_la57), build);
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
	return NUM_EXACT;
}

const struct builtin_kernel *builtin_kernel_at(size_t index)
{
	return &table_kernels[index];
}

size_t builtin_num_builds(void)
{
	return ARRAY_SIZE(table_newest);
}

const struct builtin_kernel *builtin_build_at(size_t index)
{
	return &table_kernels[table_newest[index]];
}

size_t builtin_num_fields(const struct builtin_kernel *kernel)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < ARRAY_SIZE(table_types); i++) {
		const struct table_type *type = &table_types[i];

		for (size_t path = 1; path < type[1].first - type->first; path++)
			n += answer(kernel, type, path) != NULL;
	}
	return n;
}

size_t builtin_num_types(void)
{
	return ARRAY_SIZE(table_types) - 1;
}

const char *builtin_type_name(size_t type)
{
	return table_types[type].name;
}

size_t builtin_num_paths(size_t type)
{
	return table_types[type + 1].first - table_types[type].first - 1;
}

const char *builtin_path(size_t type, size_t index)
{
	return table_paths[table_types[type].first + 1 + index];
}

bool builtin_has_field(const char *type_name, const char *path)
{
	const struct table_type *type = find_type(type_name);

	return type && find_path(type, path);
}

bool builtin_has_global(const char *name)
{
	return find_global(name);
}
