/* SPDX-License-Identifier: MIT */
#include "windows/drivers/device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/u64_set.h"
#include "windows/kernel/kernel_address.h"
#include "windows/object.h"

enum { IO_TYPE_DEVICE = 3 /* wdm.h */ };

struct device_walk {
	struct driver_reader *r;
	const struct driver_list *drivers;
	struct device_list *list;
	struct u64_set seen; /* devices of all drivers */
};

static void read_name(struct device_walk *w, struct device *d)
{
	struct object_info info;
	struct fault fault;

	if (object_read(w->r->objects, d->device, &w->list->arena, &info) != OBJECT_READ)
		return;
	d->name = info.name;
	if (d->name)
		d->path = object_path(w->r->objects, d->device, &w->list->arena, &fault);
	else if (info.fault.va)
		diag_partial(w->r->k->diag,
			     "device at 0x%" PRIx64 ": its name at 0x%" PRIx64 ": %s", d->device,
			     info.fault.va, va_state_text(info.fault.state));
}

static struct error *add_device(struct device_walk *w, size_t driver, struct object *o)
{
	struct device_list *list = w->list;
	struct device d = { .device = o->va, .driver = driver };
	struct opt_u64 extension = object_nonzero(o, DRIVER_DEVICE_EXTENSION);
	struct error *err;

	d.owner = object_nonzero(o, DRIVER_DEVICE_DRIVER);
	d.type = object_opt(o, DRIVER_DEVICE_TYPE);
	d.flags = object_opt(o, DRIVER_DEVICE_FLAGS);
	d.characteristics = object_opt(o, DRIVER_DEVICE_CHARACTERISTICS);
	d.attached_device = object_nonzero(o, DRIVER_DEVICE_ATTACHED);
	if (extension.present) {
		struct object e = object_at(w->r->k->space, extension.value, w->r->fields);

		d.attached_to = object_nonzero(&e, DRIVER_ATTACHED_TO);
		d.node = object_nonzero(&e, DRIVER_DEVICE_NODE);
	}
	read_name(w, &d);
	if ((err = array_reserve(&list->items, &list->capacity, list->count + 1,
				 sizeof(*list->items), SIZE_MAX / sizeof(*list->items), "devices")))
		return err;
	list->items[list->count++] = d;
	return NULL;
}

static void report_break(struct device_walk *w, const struct driver *d, uint64_t va,
			 const char *why)
{
	diag_partial(w->r->k->diag, "driver %s: its list of devices breaks at 0x%" PRIx64 ": %s",
		     d->name ? d->name : "(unnamed)", va, why);
}

/* Why the list cannot go on with a device at va; NULL if it can. */
static const char *refuse(const struct device_walk *w, uint64_t va, unsigned count)
{
	if (!kernel_address_is_plausible(va))
		return "no address of a device";
	if (u64_set_has(&w->seen, va))
		return "that device was met before";
	return count == MAX_DRIVER_DEVICES ? "more devices than the limit allows" : NULL;
}

static struct error *walk_driver(struct device_walk *w, size_t index)
{
	const struct driver *d = &w->drivers->items[index];
	uint64_t va = d->first_device.present ? d->first_device.value : 0;
	struct error *err = NULL;
	bool is_new;

	for (unsigned n = 0; va && !err; n++) {
		struct object o = object_at(w->r->k->space, va, w->r->fields);
		const char *why = refuse(w, va, n);
		uint64_t type, next;

		if (!why && (!object_u64(&o, DRIVER_DEVICE_TYPE_CODE, &type) ||
			     !object_u64(&o, DRIVER_DEVICE_NEXT, &next)))
			why = va_state_text(o.fault.state);
		else if (!why && type != IO_TYPE_DEVICE)
			why = "what is there is no device";
		if (why) {
			report_break(w, d, va, why);
			break;
		}
		if (!(err = u64_set_add(&w->seen, va, &is_new)))
			err = add_device(w, index, &o);
		va = next;
	}
	return err;
}

struct error *devices_read(struct driver_reader *r, const struct driver_list *drivers,
			   struct device_list *ret)
{
	struct device_walk w = { .r = r, .drivers = drivers, .list = ret };
	struct error *err = NULL;

	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena, 0);
	for (size_t i = 0; i < drivers->count && !err; i++)
		err = walk_driver(&w, i);
	u64_set_deinit(&w.seen);
	if (err)
		device_list_deinit(ret);
	return err;
}

void device_list_deinit(struct device_list *list)
{
	free(list->items);
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}

const char *device_type_name(uint64_t type)
{
	static const char *const names[] = {
#include "windows/drivers/device_types.inc"
	};

	return type < ARRAY_SIZE(names) ? names[type] : NULL;
}
