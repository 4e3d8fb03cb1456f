/* SPDX-License-Identifier: MIT */
#include "cli/commands/cmd_registry.h"

#include <inttypes.h>
#include <string.h>

struct key_listing {
	struct command_run *run;
	struct registry *registry;
	registry_key_fn *fn;
	struct arena arena;
	unsigned base_depth; /* of the walk's first key */
};

static struct error *visit_key(struct registry_walk *w, const struct registry_key *key,
			       const char *path, unsigned depth)
{
	struct key_listing *l = w->arg;
	struct registry_key_visit visit = {
		.key = key,
		.path = path,
		.depth = l->base_depth + depth,
		.arena = &l->arena,
	};
	struct error *err;

	/* the root of a hive that is listed is seen there */
	if (key->flags & KEY_HIVE_EXIT && registry_hive_by_address(l->registry, key->exit_hive))
		return NULL;
	err = l->fn(l->run, &visit);
	arena_reset(&l->arena);
	w->stop = sink_full(l->run->sink);
	return err;
}

static struct error *walk(struct key_listing *l, const struct hive *h, uint32_t cell,
			  const char *path, unsigned max_depth)
{
	struct registry_walk w = {
		.diag = l->run->diag,
		.max_depth = max_depth,
		.fn = visit_key,
		.arg = l,
	};

	return registry_walk_run(&w, h, cell, path);
}

static struct error *walk_hive(struct key_listing *l, const struct registry_hive *h,
			       unsigned max_depth)
{
	const char *prefix = registry_hive_prefix(h, l->run->arena);

	if (!prefix)
		return &error_no_memory;
	return walk(l, &h->hive, hive_root_cell(&h->hive), prefix, max_depth);
}

static struct error *list_all(struct key_listing *l, unsigned max_depth)
{
	struct error *err = NULL;

	for (size_t i = 0; i < registry_num_hives(l->registry) && !err; i++) {
		if (!sink_full(l->run->sink))
			err = walk_hive(l, registry_hive_at(l->registry, i), max_depth);
	}
	return err;
}

static unsigned count_separators(const char *path)
{
	unsigned count = 0;

	for (; *path; path++)
		count += *path == '\\';
	return count;
}

/* Hives whose root is below the path: no list of subkeys leads from one hive's bins to another's.
 */
static struct error *list_mounted(struct key_listing *l, const char *path, unsigned max_depth)
{
	size_t len = strlen(path);
	struct error *err = NULL;

	for (size_t i = 0; i < registry_num_hives(l->registry) && !err; i++) {
		const struct registry_hive *h = registry_hive_at(l->registry, i);
		unsigned depth;

		if (sink_full(l->run->sink))
			break;
		if (!h->path || strlen(h->path) <= len || strncasecmp(h->path, path, len) != 0 ||
		    h->path[len] != '\\')
			continue;
		depth = count_separators(h->path + len);
		if (depth > max_depth)
			continue;
		l->base_depth = depth;
		err = walk_hive(l, h, max_depth - depth);
	}
	return err;
}

static struct error *list_path(struct key_listing *l, const char *wanted, unsigned max_depth)
{
	struct registry_key key;
	const char *path;
	struct error *err;

	if ((err = registry_find(l->registry, wanted, l->run->arena, &key, &path)) ||
	    (err = walk(l, key.hive, key.cell, path, max_depth)))
		return err;
	return list_mounted(l, path, max_depth);
}

struct error *each_registry_key(struct command_run *run, unsigned max_depth, registry_key_fn *fn)
{
	struct key_listing l = { .run = run, .fn = fn };
	struct error *err;

	if ((err = registry_open(run->kernel, &l.registry)))
		return err;
	arena_init(&l.arena, 0);
	err = run->num_args ? list_path(&l, run->args[0], max_depth) : list_all(&l, max_depth);
	arena_deinit(&l.arena);
	registry_close(l.registry);
	return err;
}
