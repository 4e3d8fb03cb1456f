/* SPDX-License-Identifier: MIT */
#include "windows/registry/registry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/list.h"
#include "windows/registry/private.h"

static const char list_head[] = "CmpHiveListHead";

/* The path of the key that the hive is mounted as. */
static const char *mount_path(struct registry *r, const struct hive *h)
{
	struct object o = object_at(r->memory.kernel, h->va, r->memory.fields);
	struct fault fault;
	uint64_t kcb;
	char *path;

	if (h->root_path)
		return h->root_path;
	if (!object_u64(&o, HIVE_ROOT_KCB, &kcb) || !kcb ||
	    !registry_kcb_path(&r->kcbs, &r->arena, kcb, &path, &fault))
		return NULL;
	return path;
}

struct error *registry_add_hive(struct registry *r, const struct hive *h, const char *source)
{
	struct registry_hive *listed = arena_alloc(&r->arena, sizeof(*listed));
	struct error *err;

	if (!listed)
		return &error_no_memory;
	if ((err = array_reserve(&r->hives, &r->capacity, r->num_hives + 1, sizeof(*r->hives),
				 MAX_HIVES, "hives")))
		return err;
	if (h->path_fault.va)
		diag_partial(r->k->diag,
			     "hive at 0x%" PRIx64 ": one of its paths cannot be read: 0x%" PRIx64
			     ": %s",
			     h->va, h->path_fault.va, va_state_text(h->path_fault.state));
	*listed = (struct registry_hive){ *h, mount_path(r, h), source };
	r->hives[r->num_hives++] = listed;
	return NULL;
}

static struct error *add_listed(struct registry *r, const struct list *links)
{
	struct hive_fault fault;
	struct error *err = NULL;
	struct hive h;

	for (size_t i = 0; i < links->count && r->num_hives < MAX_HIVES && !err; i++) {
		uint64_t va = links->entries[i] - r->memory.fields[HIVE_LINKS].offset;

		if (hive_read(&r->memory, va, &r->arena, &h, &fault))
			err = registry_add_hive(r, &h, "list");
		else
			diag_partial(r->k->diag, "hive at 0x%" PRIx64 ": %s", va, fault.why);
	}
	return err;
}

/* *complete_ret: no hive is missing. */
static struct error *read_list(struct registry *r, bool *complete_ret)
{
	struct list links;
	struct error *err;
	uint64_t head;

	*complete_ret = false;
	if (!registry_list_head(r, &head)) {
		diag_note(r->k->diag, "hives: %s is not known for this kernel", list_head);
		return NULL;
	}
	if ((err = list_read(r->memory.kernel, head, MAX_HIVES, &links)))
		return err;
	list_report(&links, r->k->diag, list_head);
	*complete_ret = links.complete;
	err = add_listed(r, &links);
	list_deinit(&links);
	return err;
}

static struct error *read_hives(struct registry *r)
{
	struct error *err;
	bool complete;

	if (!r->memory.fields[HIVE_LINKS].present)
		return error_new(ERROR_NOT_FOUND,
				 "hives: their layout is not known for this build");
	if ((err = read_list(r, &complete)))
		return err;
	if (!complete && (err = registry_scan(r)))
		return err;
	if (!r->num_hives)
		return error_new(ERROR_NOT_FOUND, "no hive is in the snapshot");
	return registry_find_process(r);
}

struct error *registry_open(struct kernel *k, struct registry **ret)
{
	struct registry *r = calloc(1, sizeof(*r));
	struct error *err;

	if (!r)
		return &error_no_memory;
	r->k = k;
	arena_init(&r->arena, 0);
	if ((err = hive_memory_init(k->profile, k->space, &r->memory)) ||
	    (err = kcb_reader_init(k, &r->kcbs)) || (err = read_hives(r)))
		registry_close(r);
	else
		*ret = r;
	return err;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	space_destroy(r->memory.process);
	free(r->hives);
	arena_deinit(&r->arena);
	free(r);
}

size_t registry_num_hives(const struct registry *r)
{
	return r->num_hives;
}

const struct registry_hive *registry_hive_at(const struct registry *r, size_t index)
{
	return r->hives[index];
}

const struct registry_hive *registry_hive_by_address(const struct registry *r, uint64_t va)
{
	for (size_t i = 0; i < r->num_hives; i++) {
		if (r->hives[i]->hive.va == va)
			return r->hives[i];
	}
	return NULL;
}

const char *registry_hive_prefix(const struct registry_hive *h, struct arena *a)
{
	return h->path ? h->path : arena_printf(a, "0x%" PRIx64, h->hive.va);
}
