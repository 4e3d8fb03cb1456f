/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "windows/registry/name.h"
#include "windows/registry/private.h"

enum {
	MAX_LINKS = 16,		   /* symbolic links on the way of one path */
	MAX_LINK_TARGET = 1 << 16, /* bytes of a link's path */
};

static const char control_set[] = "CurrentControlSet";

#define CURRENT_CONFIG "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Hardware Profiles\\Current"

/* How people begin a path, and what they mean. */
static const struct {
	const char *word, *path;
} roots[] = {
	{ "HKEY_LOCAL_MACHINE", "\\REGISTRY\\MACHINE" },
	{ "HKLM", "\\REGISTRY\\MACHINE" },
	{ "HKEY_USERS", "\\REGISTRY\\USER" },
	{ "HKU", "\\REGISTRY\\USER" },
	{ "HKEY_CLASSES_ROOT", "\\REGISTRY\\MACHINE\\SOFTWARE\\Classes" },
	{ "HKCR", "\\REGISTRY\\MACHINE\\SOFTWARE\\Classes" },
	{ "HKEY_CURRENT_CONFIG", CURRENT_CONFIG },
	{ "HKCC", CURRENT_CONFIG },
	{ "REGISTRY", "\\REGISTRY" },
};

/* Bytes of the first component. */
static size_t component(const char *path)
{
	return strcspn(path, "\\");
}

static const char *skip_separators(const char *path)
{
	return path + strspn(path, "\\");
}

/* path from its root on; as it is where it begins otherwise. */
static const char *expand_root(struct arena *a, const char *path)
{
	size_t len = component(path);

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		if (registry_name_equal(roots[i].word, path, len))
			return arena_printf(a, "%s%s", roots[i].path, path + len);
	}
	return path;
}

/* Does the path begin with all of the prefix? Then *rest_ret is what follows. */
static bool has_prefix(const char *path, const char *prefix, const char **rest_ret)
{
	size_t len = strlen(prefix);

	if (strlen(path) < len || !registry_name_equal(prefix, path, len) ||
	    (path[len] && path[len] != '\\'))
		return false;
	*rest_ret = skip_separators(path + len);
	return true;
}

/* Does the path begin with the hive's own path, or with its address? */
static bool is_in_hive(const struct registry_hive *h, const char *path, const char **rest_ret)
{
	char address[2 + 16 + 1];

	if (h->path && has_prefix(path, h->path, rest_ret))
		return true;
	snprintf(address, sizeof(address), "0x%" PRIx64, h->hive.va);
	return has_prefix(path, address, rest_ret);
}

static struct error *no_memory_or(const void *p)
{
	return p ? NULL : &error_no_memory;
}

/* "subkey 'Run' may be absent: cell 0x20: ..." */
static struct error *fault_error(const struct hive_fault *f, const char *what, const char *name,
				 size_t len)
{
	if (f->va)
		return error_fault(
			f->va, "%s '%.*s' may be absent: cell 0x%" PRIx32 " at 0x%" PRIx64 ": %s",
			what, (int)len, name, f->cell, f->va, f->why);
	return error_new(ERROR_FAULT, "%s '%.*s' may be absent: cell 0x%" PRIx32 ": %s", what,
			 (int)len, name, f->cell, f->why);
}

static struct error *not_found(const char *what, const char *name, size_t len)
{
	return error_new(ERROR_NOT_FOUND, "no %s '%.*s'", what, (int)len, name);
}

/* Remembers the first fault that hides an entry of a list. */
static void keep_fault(struct cell_list *list, const struct hive_fault *fault)
{
	if (!list->num_faults++)
		list->first_fault = *fault;
}

struct error *registry_subkey(const struct registry_key *key, const char *name, size_t name_len,
			      struct arena *a, struct registry_key *ret)
{
	struct cell_list list CLEANUP(cell_list_deinit) = { 0 };
	struct arena scratch CLEANUP(arena_deinit);
	struct registry_key child;
	struct hive_fault fault;
	struct error *err;

	arena_init(&scratch, 0);
	if ((err = registry_key_subkeys(key, &list)))
		return err;
	for (size_t i = 0; i < list.count; i++) {
		arena_reset(&scratch);
		if (!registry_key_read(key->hive, list.cells[i], &scratch, &child, &fault))
			keep_fault(&list, &fault);
		else if (registry_name_equal(child.name, name, name_len))
			return registry_key_read(key->hive, list.cells[i], a, ret, &fault)
				       ? NULL
				       : &error_no_memory;
	}
	if (list.num_faults)
		return fault_error(&list.first_fault, "subkey", name, name_len);
	return not_found("subkey", name, name_len);
}

struct error *registry_get(const struct registry_key *key, const char *name, struct arena *a,
			   struct registry_value *ret)
{
	struct cell_list list CLEANUP(cell_list_deinit) = { 0 };
	struct arena scratch CLEANUP(arena_deinit);
	struct registry_value value;
	struct hive_fault fault;
	struct error *err;

	arena_init(&scratch, 0);
	if ((err = registry_key_values(key, &list)))
		return err;
	for (size_t i = 0; i < list.count; i++) {
		arena_reset(&scratch);
		if (!registry_value_read(key->hive, list.cells[i], &scratch, &value, &fault))
			keep_fault(&list, &fault);
		else if (registry_name_equal(value.name, name, strlen(name)))
			return registry_value_read(key->hive, list.cells[i], a, ret, &fault)
				       ? NULL
				       : &error_no_memory;
	}
	if (list.num_faults)
		return fault_error(&list.first_fault, "value", name, strlen(name));
	return not_found("value", name, strlen(name));
}

struct error *registry_get_text(const struct registry_key *key, const char *name, struct arena *a,
				const char **ret)
{
	struct registry_value value;
	struct hive_fault fault;
	const uint8_t *data;
	struct error *err;

	if ((err = registry_get(key, name, a, &value)))
		return err;
	if (!registry_value_data(&value, a, &data, &fault))
		return fault_error(&fault, "data of", name, strlen(name));
	*ret = registry_data_text(a, value.type, data, value.size, SIZE_MAX);
	return no_memory_or(*ret);
}

/* A path that is being followed. */
struct search {
	struct registry *r;
	struct arena *arena;
	const char *rest;   /* what is still to find */
	const char *target; /* after a symbolic link: where to go on from the beginning */
	struct registry_key key;
	const char *path; /* of key */
};

static struct error *follow_link(struct search *s)
{
	const char *target;
	struct error *err;

	if ((err = registry_get_text(&s->key, "SymbolicLinkValue", s->arena, &target)))
		return err;
	if (strlen(target) > MAX_LINK_TARGET)
		return error_new(ERROR_LIMIT, "symbolic link '%s' is too long", s->path);
	s->target = arena_printf(s->arena, "%s\\%s", target, s->rest);
	return no_memory_or(s->target);
}

/* Without a link of that name: by the number in Select\Current. */
static struct error *current_control_set(struct search *s, struct registry_key *ret)
{
	const char *number = NULL, *name;
	struct registry_key select;
	struct error *err;

	if ((err = registry_subkey(&s->key, "Select", strlen("Select"), s->arena, &select)) ||
	    (err = registry_get_text(&select, "Current", s->arena, &number)))
		return err;
	name = arena_printf(s->arena, "ControlSet%03lu", strtoul(number, NULL, 10));
	return name ? registry_subkey(&s->key, name, strlen(name), s->arena, ret)
		    : &error_no_memory;
}

/* From a key that another hive is mounted as into that hive, if it is known. */
static void enter_mounted(struct search *s)
{
	const struct registry_hive *h;
	struct hive_fault fault;
	struct registry_key root;

	if (!(s->key.flags & KEY_HIVE_EXIT) ||
	    !(h = registry_hive_by_address(s->r, s->key.exit_hive)))
		return;
	if (registry_key_read(&h->hive, s->key.exit_cell, s->arena, &root, &fault))
		s->key = root;
}

/* The next component of the rest. */
static struct error *step(struct search *s)
{
	size_t len = component(s->rest);
	struct registry_key child;
	struct error *err;

	err = registry_subkey(&s->key, s->rest, len, s->arena, &child);
	/* the link is volatile, and its cell may be absent where the control sets are not */
	if (err && (error_code(err) == ERROR_NOT_FOUND || error_code(err) == ERROR_FAULT) &&
	    registry_name_equal(control_set, s->rest, len) &&
	    s->key.cell == hive_root_cell(s->key.hive)) {
		struct error *other = current_control_set(s, &child);

		error_destroy(other ? other : err);
		err = other ? err : NULL;
	}
	if (err)
		return err;
	s->path = arena_printf(s->arena, "%s\\%s", s->path, child.name);
	s->key = child;
	enter_mounted(s);
	s->rest = skip_separators(s->rest + len);
	return no_memory_or(s->path);
}

/* Down from the root key of a hive. */
static struct error *descend(struct search *s, const struct registry_hive *h)
{
	struct hive_fault fault;
	struct error *err = NULL;

	s->target = NULL;
	if (!(s->path = registry_hive_prefix(h, s->arena)))
		return &error_no_memory;
	if (!registry_key_read(&h->hive, hive_root_cell(&h->hive), s->arena, &s->key, &fault))
		return fault_error(&fault, "root key", s->path, strlen(s->path));
	while (!err && !s->target) {
		if (s->key.flags & KEY_SYM_LINK)
			err = follow_link(s);
		else if (*s->rest)
			err = step(s);
		else
			break;
	}
	return err;
}

/* Whose own hive it is no path says. */
static struct error *refuse_current_user(const char *path)
{
	size_t len = component(path);

	if (registry_name_equal("HKCU", path, len) ||
	    registry_name_equal("HKEY_CURRENT_USER", path, len))
		return error_new(ERROR_USAGE, "'%s': of which user? (HKU\\SID, see registry hives)",
				 path);
	return NULL;
}

/* Of the hives whose own path begins the path, the one with the longest. */
static const struct registry_hive *choose_hive(const struct registry *r, const char *path,
					       const char **rest_ret)
{
	const struct registry_hive *best = NULL;
	const char *rest;

	for (size_t i = 0; i < r->num_hives; i++) {
		if (!is_in_hive(r->hives[i], path, &rest) || (best && rest <= *rest_ret))
			continue;
		best = r->hives[i];
		*rest_ret = rest;
	}
	return best;
}

struct error *registry_find(struct registry *r, const char *path, struct arena *a,
			    struct registry_key *ret, const char **path_ret)
{
	struct search s = { .r = r, .arena = a, .target = expand_root(a, path) };
	struct error *err;

	if ((err = refuse_current_user(path)))
		return err;
	for (unsigned links = 0; links <= MAX_LINKS; links++) {
		const char *current = s.target;
		const struct registry_hive *h;

		if (!current)
			return &error_no_memory;
		if (!(h = choose_hive(r, current, &s.rest)))
			return error_new(ERROR_NOT_FOUND, "'%s': in no hive of the snapshot", path);
		if ((err = descend(&s, h)))
			return error_wrap(err, "'%s'", path);
		if (s.target)
			continue;
		*ret = s.key;
		if (path_ret)
			*path_ret = s.path;
		return NULL;
	}
	return error_new(ERROR_LIMIT, "'%s': more than %d symbolic links on the way", path,
			 MAX_LINKS);
}

static bool last_part_is(const char *path, const char *word)
{
	const char *last = path ? strrchr(path, '\\') : NULL;

	return path && registry_name_equal(last ? last + 1 : path, word, strlen(word));
}

static bool is_named(const struct registry_hive *h, const char *word)
{
	return last_part_is(h->path, word) || last_part_is(h->hive.file_path, word) ||
	       last_part_is(h->hive.user_name, word);
}

struct error *registry_find_hive(const struct registry *r, const char *word,
				 const struct registry_hive **ret)
{
	const struct registry_hive *found = NULL;
	struct arena arena CLEANUP(arena_deinit);
	const char *path, *rest = "";
	size_t count = 0;

	arena_init(&arena, 0);
	if (!(path = expand_root(&arena, word)))
		return &error_no_memory;
	found = choose_hive(r, path, &rest);
	if (found && !*rest) {
		*ret = found;
		return NULL;
	}
	for (size_t i = 0; i < r->num_hives; i++) {
		if (is_named(r->hives[i], word) && !count++)
			found = r->hives[i];
	}
	if (count != 1)
		return error_new(ERROR_NOT_FOUND,
				 "'%s': %zu of %zu hives have that name (registry hives)", word,
				 count, r->num_hives);
	*ret = found;
	return NULL;
}
