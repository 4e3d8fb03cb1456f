/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/u64_set.h"
#include "windows/objects/object_directory.h"
#include "windows/objects/private.h"

enum { MAX_NAMESPACE_DEPTH = 64 };

/* A walk of the namespace: the directories on the way to where it is. */
struct namespace_walk {
	struct object_manager *om;
	namespace_fn *fn;
	void *arg;
	struct u64_set directories; /* that were entered */
	struct level {
		struct object_directory directory;
		size_t next;
		struct arena arena; /* of the object that next - 1 is */
		const char *path;   /* of the directory */
	} levels[MAX_NAMESPACE_DEPTH];
	unsigned depth; /* levels in use */
};

/* What is below a directory whose own name is absent has no path either. */
static struct error *set_path(struct namespace_object *o, const struct level *level,
			      struct arena *a)
{
	const char *above = level->path;

	if (!above || !o->info.name)
		return NULL;
	o->path = arena_printf(a, "%s\\%s", strcmp(above, "\\") == 0 ? "" : above, o->info.name);
	return o->path ? NULL : &error_no_memory;
}

static const char *path_or_unknown(const char *path)
{
	return path ? path : "?";
}

/* Where types have no names, what the walk starts from is taken for one. */
static bool is_directory(const struct namespace_object *object)
{
	const char *type = object->info.type;

	return type ? strcmp(type, "Directory") == 0 : !object->entry;
}

/* Opens the directory that `object` is as the next level; its strings must outlive the level. */
static struct error *enter(struct namespace_walk *w, const struct namespace_object *object)
{
	struct diag *diag = w->om->k->diag;
	struct level *level = &w->levels[w->depth];
	struct error *err;
	bool is_new;

	if (!is_directory(object))
		return NULL;
	if ((err = u64_set_add(&w->directories, object->info.va, &is_new)))
		return err;
	if (!is_new || w->depth == MAX_NAMESPACE_DEPTH) {
		diag_partial(diag, "directory '%s' (0x%" PRIx64 "): %s",
			     path_or_unknown(object->path), object->info.va,
			     is_new ? "too many directories above it" : "it is there twice");
		return NULL;
	}
	err = object_directory_read(w->om->k, object->info.va, path_or_unknown(object->path),
				    &level->directory);
	if (err)
		return err;
	level->next = 0;
	level->path = object->path;
	arena_init(&level->arena, 0);
	w->depth++;
	return NULL;
}

static void leave(struct namespace_walk *w)
{
	struct level *level = &w->levels[--w->depth];

	object_directory_deinit(&level->directory);
	arena_deinit(&level->arena);
}

/* The next object of the deepest directory. */
static struct error *step(struct namespace_walk *w)
{
	struct level *level = &w->levels[w->depth - 1];
	const struct directory_entry *entry = &level->directory.items[level->next++];
	struct namespace_object object = { .entry = entry->va, .depth = w->depth };
	enum object_state state;
	struct error *err;

	arena_reset(&level->arena);
	state = object_read(w->om, entry->object, &level->arena, &object.info);
	if (state == OBJECT_INVALID) {
		diag_partial(w->om->k->diag,
			     "directory '%s': entry 0x%" PRIx64 " leads to no object (0x%" PRIx64
			     ")",
			     path_or_unknown(level->path), entry->va, entry->object);
		return NULL;
	}
	if (object.info.fault.va)
		diag_partial(w->om->k->diag,
			     "directory '%s': object 0x%" PRIx64 ": 0x%" PRIx64 ": %s",
			     path_or_unknown(level->path), entry->object, object.info.fault.va,
			     va_state_text(object.info.fault.state));
	if ((err = set_path(&object, level, &level->arena)) || (err = w->fn(w->arg, &object)))
		return err;
	return enter(w, &object);
}

static struct error *walk_levels(struct namespace_walk *w, const struct namespace_object *start)
{
	struct error *err = w->fn(w->arg, start);

	if (!err)
		err = enter(w, start);
	while (!err && w->depth) {
		const struct level *level = &w->levels[w->depth - 1];

		if (level->next < level->directory.count)
			err = step(w);
		else
			leave(w);
	}
	while (w->depth)
		leave(w);
	return err;
}

struct error *namespace_walk(struct object_manager *om, uint64_t start, const char *path,
			     namespace_fn *fn, void *arg)
{
	struct namespace_object first = { .path = path };
	struct namespace_walk *w = calloc(1, sizeof(*w));
	struct arena arena;
	struct error *err;

	if (!w)
		return &error_no_memory;
	*w = (struct namespace_walk){ .om = om, .fn = fn, .arg = arg };
	arena_init(&arena, 0);
	if (object_read(om, start, &arena, &first.info) == OBJECT_READ)
		err = walk_levels(w, &first);
	else
		err = error_new(ERROR_NOT_FOUND, "'%s': no object is at 0x%" PRIx64, path, start);
	arena_deinit(&arena);
	u64_set_deinit(&w->directories);
	free(w);
	return err;
}
