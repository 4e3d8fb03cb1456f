/* SPDX-License-Identifier: MIT */
#include "windows/registry/walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/u64_set.h"

enum { MAX_PATH_SIZE = (MAX_KEY_DEPTH + 2) * 2048 /* bytes of UTF-8 */ };

/* A key whose children are being visited. */
struct level {
	uint32_t cell;
	struct cell_list children;
	size_t next;
	size_t path_length;
};

struct state {
	struct registry_walk *walk;
	const struct hive *hive;
	struct level levels[MAX_KEY_DEPTH + 1];
	unsigned depth; /* levels in use */
	char *path;	/* of the key being visited */
	size_t path_size;
	struct u64_set seen;
	struct arena arena; /* emptied for each key */
};

static struct error *set_path(struct state *s, size_t parent_length, const char *name)
{
	size_t need = parent_length + strlen(name) + 2;
	struct error *err;

	err = array_reserve(&s->path, &s->path_size, need, 1, MAX_PATH_SIZE, "key path");
	if (err)
		return err;
	if (s->depth)
		s->path[parent_length++] = '\\';
	strcpy(s->path + parent_length, name);
	return NULL;
}

static void report(struct state *s, const char *path, size_t count, const char *what,
		   const struct hive_fault *fault)
{
	const char *text = hive_fault_text(&s->arena, fault);

	diag_partial(s->walk->diag, "%s: %zu of its %s cannot be read: %s", path, count, what,
		     text ? text : fault->why);
}

/* The children of the key on the path. */
static struct error *enter(struct state *s, const struct registry_key *key)
{
	struct level *level = &s->levels[s->depth];
	struct error *err;

	if (s->depth == MAX_KEY_DEPTH &&
	    (key->num_subkeys[STORAGE_STABLE] || key->num_subkeys[STORAGE_VOLATILE])) {
		diag_partial(s->walk->diag, "%s: more levels of keys than the limit allows",
			     s->path);
		return NULL;
	}
	if (s->depth >= s->walk->max_depth)
		return NULL;
	*level = (struct level){ .cell = key->cell, .path_length = strlen(s->path) };
	if ((err = registry_key_subkeys(key, &level->children)))
		return err;
	s->depth++;
	return NULL;
}

/* The key at a cell, which the one above, of which path is, has for a child. */
static struct error *visit(struct state *s, uint32_t cell, size_t parent_length,
			   struct cell_list *siblings)
{
	struct hive_fault fault = { .cell = cell, .why = "it is also the subkey of another key" };
	struct registry_key key;
	struct error *err;
	bool is_new;

	arena_reset(&s->arena);
	if ((err = u64_set_add(&s->seen, cell, &is_new)))
		return err;
	if (!is_new || !registry_key_read(s->hive, cell, &s->arena, &key, &fault)) {
		if (!siblings->num_faults++)
			siblings->first_fault = fault;
		return NULL;
	}
	if (s->depth && key.parent != s->levels[s->depth - 1].cell)
		diag_note(s->walk->diag,
			  "%.*s: of its subkey '%s' the parent is another key, cell 0x%" PRIx32,
			  (int)parent_length, s->path, key.name, key.parent);
	if ((s->depth && (err = set_path(s, parent_length, key.name))) ||
	    (err = s->walk->fn(s->walk, &key, s->path, s->depth)))
		return err;
	return s->walk->stop ? NULL : enter(s, &key);
}

/* All children of the last level are visited. */
static void leave(struct state *s)
{
	struct level *level = &s->levels[--s->depth];

	s->path[level->path_length] = '\0';
	if (level->children.num_faults)
		report(s, s->path, level->children.num_faults, "subkeys",
		       &level->children.first_fault);
	cell_list_deinit(&level->children);
}

static struct error *run(struct state *s, uint32_t cell, const char *path)
{
	struct cell_list first = { 0 };
	struct error *err;

	if ((err = set_path(s, 0, path)) || (err = visit(s, cell, 0, &first)))
		return err;
	if (first.num_faults)
		diag_partial(s->walk->diag, "%s: %s", path,
			     hive_fault_text(&s->arena, &first.first_fault) ?: "out of memory");
	while (s->depth && !err && !s->walk->stop) {
		struct level *level = &s->levels[s->depth - 1];

		if (level->next == level->children.count)
			leave(s);
		else
			err = visit(s, level->children.cells[level->next++], level->path_length,
				    &level->children);
	}
	return err;
}

struct error *registry_walk_run(struct registry_walk *w, const struct hive *h, uint32_t cell,
				const char *path)
{
	struct state *s = calloc(1, sizeof(*s));
	struct error *err;

	if (!s)
		return &error_no_memory;
	s->walk = w;
	s->hive = h;
	arena_init(&s->arena, 0);
	err = run(s, cell, path);
	while (s->depth)
		cell_list_deinit(&s->levels[--s->depth].children);
	u64_set_deinit(&s->seen);
	arena_deinit(&s->arena);
	free(s->path);
	free(s);
	return err;
}
