/* SPDX-License-Identifier: MIT */
#include "windows/drivers/driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/kernel/kernel_address.h"
#include "windows/object.h"
#include "windows/objects/object_directory.h"

DEFINE_FIELDS(driver, DRIVER_FIELDS);

enum { IO_TYPE_DRIVER = 4 /* wdm.h */ };

static const char *const directories[] = { "\\Driver", "\\FileSystem" };

struct error *driver_reader_init(struct kernel *k, struct driver_reader *ret)
{
	struct error *err;

	*ret = (struct driver_reader){ .k = k };
	err = profile_bind(k->profile, driver_field_rows, driver_num_fields, ret->fields);
	return err ? err : object_manager_open(k, &ret->objects);
}

void driver_reader_deinit(struct driver_reader *r)
{
	object_manager_close(r->objects);
	memset(r, 0, sizeof(*r));
}

static void read_major_functions(struct object *o, struct driver *d)
{
	uint64_t table;

	if (!object_address(o, DRIVER_MAJOR_FUNCTION, &table))
		return;
	for (unsigned i = 0; i < DRIVER_NUM_MAJOR; i++)
		d->major[i].present = space_try_u64(o->space, table + i * sizeof(uint64_t),
						    &d->major[i].value, NULL);
}

static void read_extension(struct driver_reader *r, struct object *o, struct arena *a,
			   struct driver *d)
{
	struct opt_u64 va = object_nonzero(o, DRIVER_EXTENSION);
	struct object extension;
	char *text;

	if (!va.present)
		return;
	/* it lies behind the driver object, in the same block */
	extension = object_at(r->k->space, va.value, r->fields);
	d->add_device = object_nonzero(&extension, DRIVER_ADD_DEVICE);
	if (object_unicode(&extension, DRIVER_SERVICE_KEY, r->k->space, a, &text))
		d->service_key = text;
	else if (extension.fault.va)
		diag_partial(r->k->diag,
			     "driver at 0x%" PRIx64 ": its service key at 0x%" PRIx64 ": %s",
			     d->object, extension.fault.va, va_state_text(extension.fault.state));
}

static void report_absent(struct driver_reader *r, const struct driver *d, const char *what,
			  const struct fault *fault)
{
	if (fault->va)
		diag_partial(r->k->diag, "driver at 0x%" PRIx64 ": %s: 0x%" PRIx64 ": %s",
			     d->object ? d->object : d->pool.value, what, fault->va,
			     va_state_text(fault->state));
}

struct error *driver_add(struct driver_reader *r, struct space *space, uint64_t address,
			 const struct driver *known, struct driver_list *list)
{
	struct object o = object_at(space, address, r->fields);
	struct driver d = *known;
	struct error *err;
	uint64_t first_device;
	char *text;

	if (list->count == MAX_DRIVERS) {
		if (!list->full)
			diag_partial(r->k->diag, "more than %d drivers: the others are left out",
				     MAX_DRIVERS);
		list->full = true;
		return NULL;
	}
	d.start = object_opt(&o, DRIVER_START);
	if (!d.start.present)
		report_absent(r, &d, "DriverStart", &o.fault);
	d.size = object_opt(&o, DRIVER_SIZE);
	d.flags = object_opt(&o, DRIVER_FLAGS);
	d.section = object_nonzero(&o, DRIVER_SECTION);
	d.fast_io = object_nonzero(&o, DRIVER_FAST_IO);
	d.init = object_nonzero(&o, DRIVER_INIT);
	d.start_io = object_nonzero(&o, DRIVER_START_IO);
	d.unload = object_nonzero(&o, DRIVER_UNLOAD);
	d.has_devices = object_u64(&o, DRIVER_DEVICE, &first_device);
	d.first_device = object_nonzero(&o, DRIVER_DEVICE);
	read_major_functions(&o, &d);
	if (object_unicode(&o, DRIVER_NAME, r->k->space, &list->arena, &text))
		d.name = text;
	else
		report_absent(r, &d, "DriverName", &o.fault);
	read_extension(r, &o, &list->arena, &d);
	if ((err = array_reserve(&list->items, &list->capacity, list->count + 1,
				 sizeof(*list->items), MAX_DRIVERS, "drivers")))
		return err;
	list->items[list->count++] = d;
	return NULL;
}

/* A driver by its type; where types are not known, by what its structure says it is. */
static bool is_driver(struct driver_reader *r, uint64_t va)
{
	struct object o = object_at(r->k->space, va, r->fields);
	struct object_info info;
	uint64_t type;

	if (object_read_header(r->objects, va, &info) == OBJECT_READ && info.type)
		return strcmp(info.type, "Driver") == 0;
	return object_u64(&o, DRIVER_TYPE, &type) && type == IO_TYPE_DRIVER;
}

static struct error *read_directory(struct driver_reader *r, const char *path,
				    struct driver_list *list)
{
	struct object_directory directory CLEANUP(object_directory_deinit) = { 0 };
	struct error *err;
	uint64_t va;

	if ((err = object_lookup(r->objects, path, &va)) ||
	    (err = object_directory_read(r->k, va, path, &directory))) {
		if (err != &error_no_memory) {
			diag_error(r->k->diag, err, "drivers in %s", path);
			err = NULL;
		}
		return err;
	}
	for (size_t i = 0; i < directory.count && !err; i++) {
		struct driver known = { .object = directory.items[i].object,
					.source = "directory" };

		if (is_driver(r, known.object))
			err = driver_add(r, r->k->space, known.object, &known, list);
	}
	return err;
}

struct error *drivers_read(struct driver_reader *r, struct driver_list *ret)
{
	struct error *err;
	uint64_t root;

	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena, 0);
	if ((err = object_root_directory(r->k, &root))) {
		if (err != &error_no_memory) {
			diag_error(r->k->diag, err, "the directories of drivers");
			return NULL;
		}
		driver_list_deinit(ret);
		return err;
	}
	for (size_t i = 0; i < ARRAY_SIZE(directories) && !err; i++)
		err = read_directory(r, directories[i], ret);
	if (err)
		driver_list_deinit(ret);
	return err;
}

void driver_list_deinit(struct driver_list *list)
{
	free(list->items);
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}

bool driver_contains(const struct driver *d, uint64_t va)
{
	return d->start.present && d->size.present && va >= d->start.value &&
	       va - d->start.value < d->size.value;
}

const char *driver_major_name(unsigned index)
{
	static const char *const names[DRIVER_NUM_MAJOR] = {
		"IRP_MJ_CREATE",
		"IRP_MJ_CREATE_NAMED_PIPE",
		"IRP_MJ_CLOSE",
		"IRP_MJ_READ",
		"IRP_MJ_WRITE",
		"IRP_MJ_QUERY_INFORMATION",
		"IRP_MJ_SET_INFORMATION",
		"IRP_MJ_QUERY_EA",
		"IRP_MJ_SET_EA",
		"IRP_MJ_FLUSH_BUFFERS",
		"IRP_MJ_QUERY_VOLUME_INFORMATION",
		"IRP_MJ_SET_VOLUME_INFORMATION",
		"IRP_MJ_DIRECTORY_CONTROL",
		"IRP_MJ_FILE_SYSTEM_CONTROL",
		"IRP_MJ_DEVICE_CONTROL",
		"IRP_MJ_INTERNAL_DEVICE_CONTROL",
		"IRP_MJ_SHUTDOWN",
		"IRP_MJ_LOCK_CONTROL",
		"IRP_MJ_CLEANUP",
		"IRP_MJ_CREATE_MAILSLOT",
		"IRP_MJ_QUERY_SECURITY",
		"IRP_MJ_SET_SECURITY",
		"IRP_MJ_POWER",
		"IRP_MJ_SYSTEM_CONTROL",
		"IRP_MJ_DEVICE_CHANGE",
		"IRP_MJ_QUERY_QUOTA",
		"IRP_MJ_SET_QUOTA",
		"IRP_MJ_PNP",
	};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}
