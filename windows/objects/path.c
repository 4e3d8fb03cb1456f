/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "windows/objects/private.h"

enum {
	MAX_DIRECTORY_DEPTH = 64, /* directories above an object */
	MAX_CACHED_NAMES = 1 << 18,
	MIN_CACHE_SIZE = 64, /* a power of two */
};

static size_t slot_of(const struct name_cache *c, uint64_t va)
{
	size_t i = (size_t)((va >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 24) & (c->size - 1);

	while (c->items[i].va && c->items[i].va != va)
		i = (i + 1) & (c->size - 1);
	return i;
}

bool name_cache_find(const struct name_cache *c, uint64_t va, const char **ret)
{
	size_t i;

	if (!c->size)
		return false;
	i = slot_of(c, va);
	if (c->items[i].va)
		*ret = c->items[i].name;
	return c->items[i].va != 0;
}

static bool grow(struct name_cache *c)
{
	struct name_cache bigger = { .size = c->size ? c->size * 2 : MIN_CACHE_SIZE };

	bigger.items = calloc(bigger.size, sizeof(*bigger.items));
	if (!bigger.items)
		return false;
	bigger.count = c->count;
	for (size_t i = 0; i < c->size; i++) {
		if (c->items[i].va)
			bigger.items[slot_of(&bigger, c->items[i].va)] = c->items[i];
	}
	free(c->items);
	*c = bigger;
	return true;
}

void name_cache_add(struct object_manager *om, uint64_t va, const char *name)
{
	struct name_cache *c = &om->paths;
	const char *copy = NULL;
	size_t i;

	if (!va || c->count >= MAX_CACHED_NAMES ||
	    (name && !(copy = arena_strdup(&om->arena, name))))
		return;
	if (c->count * 2 >= c->size && !grow(c))
		return;
	i = slot_of(c, va);
	c->count += !c->items[i].va;
	c->items[i] = (struct cached_name){ va, copy };
}

/* "\" + name, below a directory's own path; the root's path is "\". */
static const char *join(struct arena *a, const char *directory, const char *name)
{
	return arena_printf(a, "%s\\%s", strcmp(directory, "\\") == 0 ? "" : directory, name);
}

/*
 * Directories from the one that has the object up to the root, which has a name and no directory.
 * Fills above[] from the object's own directory outward; the number of them, or -1 where the way
 * does not end at a root.
 */
static int climb(struct object_manager *om, uint64_t directory, struct arena *a,
		 struct object_info above[MAX_DIRECTORY_DEPTH], const char **root_ret)
{
	int depth = 0;

	for (; depth < MAX_DIRECTORY_DEPTH; depth++) {
		struct object_info *info = &above[depth];

		if (name_cache_find(&om->paths, directory, root_ret))
			return *root_ret ? depth : -1;
		if (object_read(om, directory, a, info) != OBJECT_READ || !info->name ||
		    (info->type && strcmp(info->type, "Directory") != 0))
			return -1;
		if (!info->directory) {
			/* without a directory above, just the root is in the namespace */
			*root_ret = "\\";
			return strcmp(info->name, "\\") == 0 ? depth : -1;
		}
		directory = info->directory;
	}
	return -1;
}

/* The path of a directory; NULL: it has none. Kept. */
static const char *directory_path(struct object_manager *om, uint64_t directory, struct arena *a)
{
	struct object_info above[MAX_DIRECTORY_DEPTH];
	const char *path = NULL;
	int depth;

	if (name_cache_find(&om->paths, directory, &path))
		return path;
	depth = climb(om, directory, a, above, &path);
	if (depth < 0)
		path = NULL;
	for (int i = depth - 1; i >= 0 && path; i--) {
		path = join(a, path, above[i].name);
		name_cache_add(om, above[i].va, path);
	}
	name_cache_add(om, directory, path);
	return path;
}

const char *object_info_path(struct object_manager *om, const struct object_info *info,
			     struct arena *a)
{
	const char *directory;

	if (!info->name || !info->directory)
		return info->name;
	directory = directory_path(om, info->directory, a);
	return directory ? join(a, directory, info->name) : info->name;
}

const char *object_path(struct object_manager *om, uint64_t va, struct arena *a,
			struct fault *fault)
{
	struct object_info info;

	*fault = (struct fault){ 0 };
	if (object_read(om, va, a, &info) == OBJECT_INVALID)
		return NULL;
	*fault = info.fault;
	return object_info_path(om, &info, a);
}
