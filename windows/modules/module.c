/* SPDX-License-Identifier: MIT */
#include "windows/modules/module.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/u64_set.h"
#include "windows/list.h"
#include "windows/pool/pool_scan.h"

DEFINE_FIELDS(module, MODULE_FIELDS);

enum { MAX_IMAGE_SIZE = 1 << 30 /* of a driver, in a record that no list vouches for */ };

static const uint32_t module_tags[] = { POOL_TAG('M', 'm', 'L', 'd') };

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

static struct error *add_module(struct module_reader *r, const struct kernel_module *from)
{
	struct object o = object_at(r->k->space, from->object, r->fields);
	struct kernel_module m = *from;
	uint64_t va = m.object;

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
	for (size_t i = 0; i < ring.count && !err; i++) {
		struct kernel_module m = {
			.object = ring.entries[i] - links,
			.source = "list",
			.in_list = true,
		};

		err = add_module(r, &m);
	}
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
			.in_list = true,
		};

		if ((err = append(r, &m)))
			return err;
	}
	r->list->complete = true;
	return NULL;
}

/* A UNICODE_STRING that has characters somewhere in the kernel. */
static bool is_plausible_string(struct object *o, unsigned field)
{
	enum { STRING_BUFFER = 8 };
	uint16_t length, capacity;
	uint64_t va, buffer;

	return object_address(o, field, &va) && space_try_u16(o->space, va, &length, NULL) &&
	       space_try_u16(o->space, va + 2, &capacity, NULL) &&
	       space_try_u64(o->space, va + STRING_BUFFER, &buffer, NULL) && length &&
	       length % 2 == 0 && length <= capacity && buffer >> 63;
}

static bool is_record(struct module_reader *r, uint64_t va)
{
	struct object o = object_at(r->k->space, va, r->fields);
	uint64_t base, size;

	return object_u64(&o, MODULE_BASE, &base) && !(base & PAGE_MASK) && base >> 63 &&
	       object_u64(&o, MODULE_SIZE, &size) && size && !(size & PAGE_MASK) &&
	       size <= MAX_IMAGE_SIZE && is_plausible_string(&o, MODULE_NAME) &&
	       is_plausible_string(&o, MODULE_PATH);
}

/* The record follows the POOL_HEADER. One at no kernel address has no names that could be read:
 * it says nothing. */
static struct error *add_hits(struct module_reader *r, const struct pool_hits *hits,
			      const struct u64_set *listed, struct u64_set *seen)
{
	struct error *err = NULL;
	bool is_new;

	for (size_t i = 0; i < hits->count && !err; i++) {
		struct kernel_module m = {
			.object = hits->items[i].va.value + POOL_UNIT,
			.source = "pool_scan",
			.pool = opt_u64(hits->items[i].pa),
		};

		if (!hits->items[i].va.present || !is_record(r, m.object))
			continue;
		m.in_list = u64_set_has(listed, m.object);
		if (!(err = u64_set_add(seen, m.object, &is_new)) && is_new)
			err = add_module(r, &m);
	}
	return err;
}

/* What the pools have, then what only the list has. */
static struct error *scan_modules(struct module_reader *r, const struct kernel_module_list *listed,
				  const struct pool_hits *hits)
{
	struct u64_set in_list = { 0 }, seen = { 0 };
	struct error *err = NULL;
	bool is_new;

	for (size_t i = 0; i < listed->count && !err; i++)
		err = u64_set_add(&in_list, listed->items[i].object, &is_new);
	if (!err)
		err = add_hits(r, hits, &in_list, &seen);
	for (size_t i = 0; i < listed->count && !err; i++) {
		if (!u64_set_has(&seen, listed->items[i].object))
			err = add_module(r, &listed->items[i]);
	}
	u64_set_deinit(&in_list);
	u64_set_deinit(&seen);
	return err;
}

struct error *kernel_modules_scan(struct kernel *k, struct kernel_module_list *ret)
{
	const struct pool_query query = { .tags = module_tags, .num_tags = 1 };
	struct module_reader r = { .k = k, .list = ret };
	struct kernel_module_list listed;
	struct pool_hits hits = { 0 };
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena, 0);
	if ((err = kernel_modules_read(k, &listed)))
		return err;
	ret->complete = listed.complete;
	if (!(err = pool_scan(k, &query, &hits)) &&
	    !(err = profile_bind(k->profile, module_field_rows, module_num_fields, r.fields)))
		err = scan_modules(&r, &listed, &hits);
	pool_hits_deinit(&hits);
	kernel_modules_deinit(&listed);
	if (err)
		kernel_modules_deinit(ret);
	return err;
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
