/* SPDX-License-Identifier: MIT */
#include "windows/modules/module_names.h"

#include <stdlib.h>
#include <string.h>

#include "windows/modules/place.h"
#include "windows/objects/object_manager.h"
#include "windows/process/user_process.h"
#include "windows/regions/vad.h"

enum {
	NUM_SLOTS = 64 /* processes whose modules are kept; another one with the same slot ousts */
};

struct process_modules {
	uint64_t eprocess; /* 0: free */
	struct user_module_list list;
};

struct module_names {
	struct kernel *k;
	struct place_book kernel_modules; /* without the unloaded ones */
	struct field process_fields[process_num_fields];
	struct user_reader user;
	struct vad_reader vads;
	struct object_manager *objects; /* NULL: not needed yet */
	struct arena arena;		/* what the last answer borrows */
	struct process_modules slots[NUM_SLOTS];
};

struct error *module_names_open(struct kernel *k, struct module_names **ret)
{
	struct module_names *names = calloc(1, sizeof(*names));
	struct error *err;

	if (!names)
		return &error_no_memory;
	names->k = k;
	arena_init(&names->arena, 0);
	if ((err = place_book_read_loaded(k, &names->kernel_modules)) ||
	    (err = profile_bind(k->profile, process_field_rows, process_num_fields,
				names->process_fields)) ||
	    (err = user_reader_init(k, &names->user)) || (err = vad_reader_init(k, &names->vads))) {
		module_names_close(names);
		return err;
	}
	*ret = names;
	return NULL;
}

void module_names_close(struct module_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < NUM_SLOTS; i++)
		user_modules_deinit(&names->slots[i].list);
	object_manager_close(names->objects);
	place_book_deinit(&names->kernel_modules);
	arena_deinit(&names->arena);
	free(names);
}

static struct error *read_modules(struct module_names *names, const struct process *p,
				  struct user_module_list *ret)
{
	struct user_process user;
	struct space *space;
	struct error *err;

	if (!p->dtb.present || !names->k->snap->mem)
		return NULL;
	if ((err = process_open_space(names->k, p, &space)))
		return err;
	user_process_init(&user, &names->user, p, space);
	err = user_modules_read(&user, ret);
	space_destroy(space);
	return err;
}

/* An object that a thread names may be gone; then nobody misses its modules. */
static bool is_captured(struct module_names *names, uint64_t eprocess)
{
	struct object o = object_at(names->k->space, eprocess, names->process_fields);
	uint64_t value;

	return object_u64(&o, PROCESS_PID, &value) && object_u64(&o, PROCESS_DTB, &value);
}

/* The loader lists of a process; empty ones where it has none or is no process. */
static struct error *modules_of(struct module_names *names, uint64_t eprocess,
				const struct user_module_list **ret)
{
	struct process_modules *slot =
		&names->slots[(eprocess >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 58];
	struct process_list process;
	struct error *err;

	*ret = &slot->list;
	if (slot->eprocess == eprocess)
		return NULL;
	user_modules_deinit(&slot->list);
	slot->eprocess = eprocess;
	if (!is_captured(names, eprocess))
		return NULL;
	if ((err = process_list_at(names->k, eprocess, PROCESS_BRIEF, &process))) {
		error_catch(&err, ERROR_NOT_FOUND);
		return err;
	}
	err = read_modules(names, &process.items[0], &slot->list);
	process_list_deinit(&process);
	return err;
}

/* The base name of the file that is mapped there. */
static struct error *mapped_file(struct module_names *names, uint64_t eprocess, uint64_t va,
				 const char **ret)
{
	const char *path, *name;
	struct fault fault;
	struct error *err;
	struct vad vad;

	if (!vad_reader_find(&names->vads, eprocess, va, &vad))
		return NULL;
	vad_read_mapping(&names->vads, &vad);
	if (!vad.file_object.present)
		return NULL;
	if (!names->objects && (err = object_manager_open(names->k, &names->objects)))
		return err;
	path = object_file_path(names->objects, vad.file_object.value, &names->arena, &fault);
	name = path ? strrchr(path, '\\') : NULL;
	*ret = name ? name + 1 : path;
	return NULL;
}

struct error *module_names_find(struct module_names *names, uint64_t eprocess, uint64_t va,
				const char **ret)
{
	const struct user_module_list *list;
	const struct user_module *module;
	struct place place;
	struct error *err;
	bool found;

	*ret = NULL;
	arena_reset(&names->arena);
	if (va >> 63) {
		err = place_find_code(&names->kernel_modules, va, &found, &place);
		if (!err && found)
			*ret = place.name;
		return err;
	}
	if (!eprocess)
		return NULL;
	if ((err = modules_of(names, eprocess, &list)))
		return err;
	module = user_module_at(list, va);
	if (!module || !module->name)
		return mapped_file(names, eprocess, va, ret);
	*ret = module->name;
	return NULL;
}
