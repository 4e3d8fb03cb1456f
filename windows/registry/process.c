/* SPDX-License-Identifier: MIT */
#include "windows/process/process.h"

#include <string.h>

#include "windows/registry/private.h"

enum { SYSTEM_PID = 4 };

/* The space of an EPROCESS; unchanged when there is none. */
static struct error *open_process(struct registry *r, uint64_t eprocess)
{
	struct process_list list;
	struct error *err = process_list_at(r->k, eprocess, PROCESS_BRIEF, &list);

	if (!err) {
		err = process_open_space(r->k, &list.items[0], &r->memory.process);
		process_list_deinit(&list);
	}
	error_catch(&err, ERROR_NOT_FOUND);
	return err;
}

/* By the kernel's own variable. */
static struct error *by_global(struct registry *r)
{
	uint64_t va, eprocess;

	if (!kernel_symbol(r->k, "CmpRegistryProcess", &va) ||
	    !space_try_u64(r->memory.kernel, va, &eprocess, NULL) || !eprocess)
		return NULL;
	return open_process(r, eprocess);
}

/* By the reference that a hive with such bins holds. */
static struct error *by_hive(struct registry *r, const struct hive *h)
{
	struct object o = object_at(r->memory.kernel, h->hhive, r->memory.fields);
	uint64_t tuple, eprocess;

	if (!object_u64(&o, HIVE_PROCESS_TUPLE, &tuple) || !tuple)
		return NULL;
	o = object_at(r->memory.kernel, tuple, r->memory.fields);
	if (!object_u64(&o, HIVE_PROCESS, &eprocess) || !eprocess)
		return NULL;
	return open_process(r, eprocess);
}

/* By its name: a child of System. */
static struct error *by_name(struct registry *r)
{
	struct process_list list;
	struct error *err = process_list_read(r->k, PROCESS_BRIEF, &list);

	if (err)
		return err;
	for (size_t i = 0; i < list.count && !err && !r->memory.process; i++) {
		const struct process *p = &list.items[i];

		if (p->name && strcmp(p->name, "Registry") == 0 && p->ppid.present &&
		    p->ppid.value == SYSTEM_PID && p->dtb.present)
			err = process_open_space(r->k, p, &r->memory.process);
	}
	process_list_deinit(&list);
	error_catch(&err, ERROR_NOT_FOUND);
	return err;
}

struct error *registry_find_process(struct registry *r)
{
	struct error *err;

	/* a small dump has no other space */
	if (r->memory.process || !r->k->snap->mem)
		return NULL;
	err = by_global(r);
	for (size_t i = 0; i < r->num_hives && !err && !r->memory.process; i++)
		err = by_hive(r, &r->hives[i]->hive);
	if (!err && !r->memory.process)
		err = by_name(r);
	return err;
}
