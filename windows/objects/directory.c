/* SPDX-License-Identifier: MIT */
#include "windows/objects/object_directory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/u64_set.h"
#include "windows/objects/private.h"

DEFINE_FIELDS(directory, DIRECTORY_FIELDS);

enum {
	BUCKET_SIZE = 8,
	MAX_BUCKETS = 37, /* of every Windows so far */
};

struct directory_reader {
	struct kernel *k;
	struct field fields[directory_num_fields];
	struct u64_set seen; /* entries of this directory */
	struct object_directory *out;
	size_t capacity;
	const char *what;
};

static struct error *add_entry(struct directory_reader *r, uint64_t va, uint64_t object)
{
	struct error *err = array_reserve(&r->out->items, &r->capacity, r->out->count + 1,
					  sizeof(*r->out->items), MAX_DIRECTORY_ENTRIES,
					  "entries of a directory");

	if (!err)
		r->out->items[r->out->count++] = (struct directory_entry){ va, object };
	return err;
}

static void report_entry(const struct directory_reader *r, uint64_t va, const char *why)
{
	diag_partial(r->k->diag, "directory '%s': entry 0x%" PRIx64 ": %s", r->what, va, why);
}

/* One chain, until it ends or breaks. */
static struct error *read_chain(struct directory_reader *r, uint64_t va)
{
	struct object entry;
	struct fault fault;
	struct error *err;
	uint64_t object;
	bool is_new;

	while (va) {
		if (!is_kernel_address(va)) {
			report_entry(r, va, "no address of an entry");
			return NULL;
		}
		if ((err = u64_set_add(&r->seen, va, &is_new)))
			return err;
		if (!is_new) {
			report_entry(r, va, "the directory has it twice");
			return NULL;
		}
		entry = object_at(r->k->space, va, r->fields);
		if (object_u64(&entry, DIRECTORY_ENTRY_OBJECT, &object) &&
		    (err = add_entry(r, va, object)))
			return err;
		fault = entry.fault;
		if (!object_u64(&entry, DIRECTORY_NEXT, &va)) {
			va = 0;
			fault = entry.fault;
		}
		if (fault.va)
			report_entry(r, entry.va, va_state_text(fault.state));
	}
	return NULL;
}

static struct error *read_buckets(struct directory_reader *r, uint64_t va)
{
	const struct field *buckets = &r->fields[DIRECTORY_BUCKETS];
	size_t count = buckets->size / BUCKET_SIZE, absent = 0;
	struct fault fault, first_absent = { 0 };
	struct error *err;
	uint64_t first;

	if (!buckets->present || !r->fields[DIRECTORY_ENTRY_OBJECT].present)
		return error_new(ERROR_UNSUPPORTED,
				 "the symbols in use do not tell the layout of directories");
	if (count > MAX_BUCKETS)
		count = MAX_BUCKETS;
	/* a directory may end on an absent page: the buckets that are there still count */
	for (size_t i = 0; i < count; i++) {
		if (!space_try_u64(r->k->space, va + buckets->offset + i * BUCKET_SIZE, &first,
				   &fault)) {
			if (!absent++)
				first_absent = fault;
			continue;
		}
		if ((err = read_chain(r, first)))
			return err;
	}
	if (absent)
		diag_partial(r->k->diag,
			     "directory '%s': %zu of %zu hash buckets are absent (first at "
			     "0x%" PRIx64 ": %s)",
			     r->what, absent, count, first_absent.va,
			     va_state_text(first_absent.state));
	return NULL;
}

struct error *object_directory_read(struct kernel *k, uint64_t va, const char *what,
				    struct object_directory *ret)
{
	struct directory_reader r = { .k = k, .out = ret, .what = what };
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	err = profile_bind(k->profile, directory_field_rows, directory_num_fields, r.fields);
	if (!err)
		err = read_buckets(&r, va);
	u64_set_deinit(&r.seen);
	if (err)
		object_directory_deinit(ret);
	return err;
}

void object_directory_deinit(struct object_directory *d)
{
	free(d->items);
	memset(d, 0, sizeof(*d));
}

struct error *object_root_directory(const struct kernel *k, uint64_t *ret)
{
	uint64_t variable;
	struct fault fault;

	if (!kernel_symbol(k, "ObpRootDirectoryObject", &variable)) {
		if (!k->has_kdbg || !k->kdbg.has[KDBG_OBP_ROOT_DIRECTORY_OBJECT])
			return error_new(ERROR_NOT_FOUND,
					 "no symbol tells where the root directory is");
		variable = k->kdbg.value[KDBG_OBP_ROOT_DIRECTORY_OBJECT];
	}
	if (!space_try_u64(k->space, variable, ret, &fault))
		return error_fault(fault.va, "ObpRootDirectoryObject: 0x%" PRIx64 ": %s", fault.va,
				   va_state_text(fault.state));
	return NULL;
}

/* The entry with this name; 0: none. */
static uint64_t find_child(struct object_manager *om, const struct object_directory *d,
			   const char *name)
{
	struct object_info info;
	struct arena arena;
	uint64_t ret = 0;

	arena_init(&arena, 0);
	for (size_t i = 0; i < d->count && !ret; i++) {
		if (object_read(om, d->items[i].object, &arena, &info) == OBJECT_READ &&
		    text_equal_nocase(info.name, name))
			ret = info.va;
	}
	arena_deinit(&arena);
	return ret;
}

static struct error *find_in_root(struct object_manager *om, uint64_t root, const char *name,
				  uint64_t *ret)
{
	struct error *err;

	if (om->root_va != root) {
		if ((err = object_directory_read(om->k, root, "\\", &om->root)))
			return err;
		om->root_va = root;
	}
	*ret = find_child(om, &om->root, name);
	return NULL;
}

static struct error *find_below(struct object_manager *om, uint64_t directory, const char *path,
				const char *name, uint64_t *ret)
{
	struct object_directory d;
	struct error *err = object_directory_read(om->k, directory, path, &d);

	if (err)
		return err;
	*ret = find_child(om, &d, name);
	object_directory_deinit(&d);
	return NULL;
}

/* The object that the path's component at s, of len bytes, names in the directory *at. */
static struct error *enter_component(struct object_manager *om, const char *path, const char *s,
				     size_t len, uint64_t *at)
{
	struct error *err;
	struct arena arena;
	char *name, *above;
	bool is_root = s == path + 1;

	arena_init(&arena, 0);
	name = arena_strndup(&arena, s, len);
	above = arena_strndup(&arena, path, (size_t)(s - path) - 1);
	if (!name || !above)
		err = &error_no_memory;
	else if (!(err = is_root ? find_in_root(om, *at, name, at)
				 : find_below(om, *at, above, name, at)) &&
		 !*at)
		err = error_new(ERROR_NOT_FOUND, "no object '%s' on the way to '%s'", name, path);
	arena_deinit(&arena);
	return err;
}

struct error *object_lookup(struct object_manager *om, const char *path, uint64_t *ret)
{
	struct error *err;
	uint64_t at;

	if (*path != '\\')
		return error_new(ERROR_USAGE, "'%s' is no path: it must begin with a backslash",
				 path);
	if ((err = object_root_directory(om->k, &at)))
		return err;
	for (const char *s = path + 1; *s && !err;) {
		size_t len = strcspn(s, "\\");

		err = enter_component(om, path, s, len, &at);
		s += len;
		s += *s == '\\';
	}
	if (!err)
		*ret = at;
	return err;
}
