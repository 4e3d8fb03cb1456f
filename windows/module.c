/* SPDX-License-Identifier: MIT */
#include "windows/module.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/list.h"

DEFINE_FIELDS(module, MODULE_FIELDS);

struct module_reader {
	struct kernel *k;
	struct kernel_module_list *list;
	size_t capacity;
	struct field fields[module_num_fields];
};

static struct error *append(struct module_reader *r, const struct kernel_module *module)
{
	struct error *err;

	err = array_reserve(&r->list->items, &r->capacity, r->list->count + 1,
			    sizeof(*r->list->items), MAX_KERNEL_MODULES, "kernel modules");
	if (err)
		return err;
	r->list->items[r->list->count++] = *module;
	return NULL;
}

static bool read_u32(struct object *o, unsigned field, uint32_t *ret)
{
	uint64_t value;

	if (!object_u64(o, field, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

static void read_names(struct module_reader *r, struct object *o, struct kernel_module *m)
{
	char *text;

	if (object_unicode(o, MODULE_NAME, o->space, &r->list->arena, &text))
		m->name = text;
	else
		diag_partial(r->k->diag, "module 0x%" PRIx64 ": name at 0x%" PRIx64 ": %s",
			     m->object, o->fault.va, va_state_text(o->fault.state));
	if (object_unicode(o, MODULE_PATH, o->space, &r->list->arena, &text))
		m->path = text;
	else if (!r->list->absent_paths++)
		r->list->first_absent_path = o->fault;
}

static struct error *add_module(struct module_reader *r, uint64_t va)
{
	struct object o = object_at(r->k->space, va, r->fields);
	struct kernel_module m = { .object = va, .source = "list" };

	if (!object_u64(&o, MODULE_BASE, &m.base)) {
		diag_partial(r->k->diag, "module record at 0x%" PRIx64 ": %s", va,
			     va_state_text(o.fault.state));
		return NULL;
	}
	if (m.base & PAGE_MASK || !(m.base >> 63)) {
		diag_partial(r->k->diag,
			     "0x%" PRIx64 " is no module record: its base reads 0x%" PRIx64, va,
			     m.base);
		return NULL;
	}
	m.has_size = object_u64(&o, MODULE_SIZE, &m.size);
	m.has_entry_point = object_u64(&o, MODULE_ENTRY_POINT, &m.entry_point);
	m.has_time_date_stamp = read_u32(&o, MODULE_TIME_DATE_STAMP, &m.time_date_stamp);
	m.has_checksum = read_u32(&o, MODULE_CHECKSUM, &m.checksum);
	read_names(r, &o, &m);
	return append(r, &m);
}

static struct error *read_list(struct module_reader *r)
{
	const struct global_value *head = &r->k->globals[GLOBAL_PS_LOADED_MODULE_LIST];
	uint64_t links = r->fields[MODULE_LINKS].offset;
	struct list ring;
	struct error *err;

	if (!head->present) {
		diag_partial(r->k->diag, "PsLoadedModuleList was not found");
		return NULL;
	}
	if ((err = list_read(r->k->space, head->va, MAX_KERNEL_MODULES, &ring)))
		return err;
	r->list->complete = ring.complete;
	list_report(&ring, r->k->diag, "module list");
	for (size_t i = 0; i < ring.count && !err; i++)
		err = add_module(r, ring.entries[i] - links);
	list_deinit(&ring);
	return err;
}

/* The dump wrote its own list; its strings live as long as the snapshot. */
static struct error *read_triage_list(struct module_reader *r)
{
	const struct dump_triage *triage = r->k->snap->info.triage;
	struct error *err;

	for (size_t i = 0; i < triage->num_modules; i++) {
		const struct dump_module *from = &triage->modules[i];
		struct kernel_module m = {
			.base = from->base,
			.has_size = true,
			.size = from->size,
			.has_entry_point = true,
			.entry_point = from->entry_point,
			.has_time_date_stamp = true,
			.time_date_stamp = from->time_date_stamp,
			.has_checksum = true,
			.checksum = from->checksum,
			.name = from->name,
			.path = from->path,
			.source = "triage",
		};

		if ((err = append(r, &m)))
			return err;
	}
	r->list->complete = true;
	return NULL;
}

struct error *kernel_modules_read(struct kernel *k, struct kernel_module_list *ret)
{
	struct module_reader r = { .k = k, .list = ret };
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena, 0);
	if (!k->snap->mem) {
		err = read_triage_list(&r);
	} else {
		err = profile_bind(k->profile, module_field_rows, module_num_fields, r.fields);
		if (!err)
			err = read_list(&r);
	}
	if (err)
		kernel_modules_deinit(ret);
	return err;
}

void kernel_modules_report_paths(const struct kernel_module_list *list, struct diag *diag)
{
	if (list->absent_paths)
		diag_partial(diag, "paths of %zu modules are absent (first at 0x%" PRIx64 ": %s)",
			     list->absent_paths, list->first_absent_path.va,
			     va_state_text(list->first_absent_path.state));
}

void kernel_modules_deinit(struct kernel_module_list *list)
{
	free(list->items);
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}
