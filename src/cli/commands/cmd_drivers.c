/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/commands/code_cells.h"
#include "windows/drivers/device.h"

enum {
	DRIVERS_OBJECT,
	DRIVERS_NAME,
	DRIVERS_START,
	DRIVERS_SIZE,
	DRIVERS_SERVICE_KEY,
	DRIVERS_MODULE,
	DRIVERS_DEVICES,
	DRIVERS_FOREIGN_HANDLERS,
	DRIVERS_FOREIGN,
	DRIVERS_IRPS,
	DRIVERS_INIT,
	DRIVERS_UNLOAD,
	DRIVERS_START_IO,
	DRIVERS_ADD_DEVICE,
	DRIVERS_FAST_IO,
	DRIVERS_SECTION,
	DRIVERS_FLAGS,
	DRIVERS_SOURCE,
	DRIVERS_POOL,
	DRIVERS_MAJOR_FUNCTION,
	DRIVERS_HANDLER,
	DRIVERS_HANDLER_MODULE,
	DRIVERS_OFFSET,
	DRIVERS_SYMBOL,
	DRIVERS_IS_FOREIGN,
	DRIVERS_NUM_COLUMNS
};

static const struct column drivers_columns[DRIVERS_NUM_COLUMNS] = {
	[DRIVERS_OBJECT] = { "object", "OBJECT", CELL_ADDR, 18, COL_MINOR,
			     "virtual address of the driver object" },
	[DRIVERS_NAME] = { "name", "NAME", CELL_STR, 22, 0, "as the driver object has it" },
	[DRIVERS_START] = { "start", "START", CELL_ADDR, 18, 0,
			    "where its image begins; 0: the kernel's own drivers" },
	[DRIVERS_SIZE] = { "size", "SIZE", CELL_U64, 9, COL_RIGHT, "bytes of the image" },
	[DRIVERS_SERVICE_KEY] = { "service_key", "SERVICE", CELL_STR, 12, 0,
				  "its key in the registry's Services" },
	[DRIVERS_MODULE] = { "module", "MODULE", CELL_STR, 14, 0,
			     "kernel module at its start; absent: none is listed there" },
	[DRIVERS_DEVICES] = { "devices", "DEVICES", CELL_U64, 7, COL_RIGHT, "devices in its list" },
	[DRIVERS_FOREIGN_HANDLERS] = { "foreign_handlers", "FOREIGN", CELL_U64, 7, COL_RIGHT,
				       "IRP handlers outside of its image and of the kernel" },
	[DRIVERS_FOREIGN] = { "foreign", "WHERE", CELL_STRS, 0, COL_HIDDEN, "where these are" },
	[DRIVERS_IRPS] = { "irps", "IRPS", CELL_EXPLAINED, 0, COL_HIDDEN,
			   "handler of each IRP_MJ_*, with module and offset" },
	[DRIVERS_INIT] = { "driver_init", "INIT", CELL_ADDR, 18, COL_HIDDEN, "its entry point" },
	[DRIVERS_UNLOAD] = { "driver_unload", "UNLOAD", CELL_ADDR, 18, COL_HIDDEN,
			     "called before it is unloaded; absent: it cannot be" },
	[DRIVERS_START_IO] = { "start_io", "START IO", CELL_ADDR, 18, COL_HIDDEN,
			       "called for each IRP of its queue" },
	[DRIVERS_ADD_DEVICE] = { "add_device", "ADD DEVICE", CELL_ADDR, 18, COL_HIDDEN,
				 "called for each new device (Plug and Play)" },
	[DRIVERS_FAST_IO] = { "fast_io", "FAST IO", CELL_ADDR, 18, COL_HIDDEN,
			      "address of its FAST_IO_DISPATCH" },
	[DRIVERS_SECTION] = { "section", "SECTION", CELL_ADDR, 18, COL_HIDDEN,
			      "address of its loader record: see modules" },
	[DRIVERS_FLAGS] = { "flags", "FLAGS", CELL_ADDR, 10, COL_HIDDEN, "DRVO_* bits" },
	[DRIVERS_SOURCE] = { "source", "SOURCE", CELL_STR, 9, COL_HIDDEN | COL_STATE,
			     "directory (\\Driver, \\FileSystem) or pool_scan (--scan)" },
	[DRIVERS_POOL] = { "physical", "PHYSICAL", CELL_ADDR, 12, COL_HIDDEN,
			   "--scan: physical address of its pool block" },
	[DRIVERS_MAJOR_FUNCTION] = { "major_function", "MAJOR FUNCTION", CELL_STR, 31, COL_ASKED,
				     "--irps: which IRPs" },
	[DRIVERS_HANDLER] = { "handler", "HANDLER", CELL_ADDR, 18, COL_ASKED,
			      "--irps: address of the code" },
	[DRIVERS_HANDLER_MODULE] = { "handler_module", "MODULE", CELL_STR, 14, COL_ASKED,
				     "--irps: " CODE_MODULE_HELP },
	[DRIVERS_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 9, COL_ASKED,
			     "--irps: of the handler in the module" },
	[DRIVERS_SYMBOL] = { "symbol", "SYMBOL", CELL_STR, 0, COL_ASKED,
			     "--irps: what symbols or exports call that address" },
	[DRIVERS_IS_FOREIGN] = { "foreign_handler", "FOREIGN", CELL_BOOL, 7, COL_ASKED,
				 "--irps: outside of its image and of the kernel" },
};

static const struct option_row drivers_options[] = {
	{ "irps", 0, OPTION_FLAG, NULL, "one row per IRP handler" },
	{ "scan", 0, OPTION_FLAG, NULL, "also drivers that are found in the pools alone" },
};

static const char *drivers_default_columns(const struct option_values *options)
{
	return option_flag(options, "irps")
		       ? "name,major_function,handler,handler_module,offset,symbol,foreign_handler"
		       : NULL;
}

struct listing {
	struct command_run *run;
	struct driver_reader reader;
	struct driver_list drivers;
	struct device_list devices;
	size_t next_device; /* devices are in the order of their drivers */
	struct code_names names;
};

/* One IRP handler, and where it is. */
struct handler {
	struct code_place place;
	bool foreign;
	const char *text; /* of the place */
};

static struct error *find_handler(struct listing *l, const struct driver *d, uint64_t va,
				  struct handler *ret)
{
	struct error *err;

	*ret = (struct handler){ 0 };
	if (!va)
		return NULL; /* none: no driver's is */
	if ((err = code_find(&l->names, va, NULL, &ret->place)))
		return err;
	ret->foreign = !driver_contains(d, va) && !kernel_contains(l->run->kernel, va);
	if (!ret->place.in_module && !ret->place.in_driver && !ret->place.unloaded)
		return NULL;
	return code_text(l->run->arena, &ret->place, va, &ret->text);
}

/* Fills irps, foreign_handlers and foreign. */
static struct error *set_handlers(struct listing *l, const struct driver *d, struct cell *cells)
{
	struct arena *a = l->run->arena;
	struct explained_value *irps = arena_calloc(a, DRIVER_NUM_MAJOR, sizeof(*irps));
	const char **where = arena_calloc(a, DRIVER_NUM_MAJOR, sizeof(*where));
	size_t count = 0, foreign = 0;
	struct error *err;

	if (!irps || !where)
		return &error_no_memory;
	for (unsigned i = 0; i < DRIVER_NUM_MAJOR; i++) {
		struct handler h;

		if (!d->major[i].present)
			continue;
		if ((err = find_handler(l, d, d->major[i].value, &h)))
			return err;
		irps[count++] =
			(struct explained_value){ d->major[i].value, driver_major_name(i), h.text };
		if (!h.foreign)
			continue;
		where[foreign] = arena_printf(a, "%s 0x%" PRIx64 " %s", driver_major_name(i),
					      d->major[i].value, h.text ? h.text : "in no module");
		if (!where[foreign++])
			return &error_no_memory;
	}
	if (!count)
		return NULL; /* the table is absent */
	cells[DRIVERS_IRPS] = cell_explained(irps, count);
	cells[DRIVERS_FOREIGN_HANDLERS] = cell_u64(foreign);
	cells[DRIVERS_FOREIGN] = cell_strs(where, foreign);
	return NULL;
}

static struct cell object_cell(const struct driver *d)
{
	return d->object ? cell_addr(d->object) : CELL_ABSENT;
}

static struct error *put_driver(struct listing *l, size_t index)
{
	const struct driver *d = &l->drivers.items[index];
	struct cell cells[DRIVERS_NUM_COLUMNS] = {
		[DRIVERS_OBJECT] = object_cell(d),
		[DRIVERS_NAME] = cell_str(d->name),
		[DRIVERS_START] = cell_opt(d->start),
		[DRIVERS_SIZE] = cell_opt(d->size),
		[DRIVERS_SERVICE_KEY] = cell_str(d->service_key),
		[DRIVERS_INIT] = cell_opt(d->init),
		[DRIVERS_UNLOAD] = cell_opt(d->unload),
		[DRIVERS_START_IO] = cell_opt(d->start_io),
		[DRIVERS_ADD_DEVICE] = cell_opt(d->add_device),
		[DRIVERS_FAST_IO] = cell_opt(d->fast_io),
		[DRIVERS_SECTION] = cell_opt(d->section),
		[DRIVERS_FLAGS] = cell_opt(d->flags),
		[DRIVERS_SOURCE] = cell_str(d->source),
		[DRIVERS_POOL] = cell_opt(d->pool),
	};
	size_t num_devices = 0;
	struct place place;
	struct error *err;

	for (;
	     l->next_device < l->devices.count && l->devices.items[l->next_device].driver == index;
	     l->next_device++)
		num_devices++;
	cells[DRIVERS_DEVICES] = d->has_devices ? cell_u64(num_devices) : CELL_ABSENT;
	if (d->start.present && place_find(&l->names.places, d->start.value, &place) &&
	    place.module)
		cells[DRIVERS_MODULE] = cell_str(place.name);
	if ((err = set_handlers(l, d, cells)))
		return err;
	return sink_row(l->run->sink, cells, 0);
}

static struct error *put_irp(struct listing *l, const struct driver *d, unsigned index)
{
	struct cell cells[DRIVERS_NUM_COLUMNS] = {
		[DRIVERS_OBJECT] = object_cell(d),
		[DRIVERS_NAME] = cell_str(d->name),
		[DRIVERS_SOURCE] = cell_str(d->source),
		[DRIVERS_MAJOR_FUNCTION] = cell_str(driver_major_name(index)),
		[DRIVERS_HANDLER] = cell_opt(d->major[index]),
	};
	struct code_cells code;
	struct handler h;
	struct error *err;

	if (!d->major[index].present)
		return NULL;
	if ((err = find_handler(l, d, d->major[index].value, &h)) ||
	    (err = code_cells_of(l->run, &h.place, &code)))
		return err;
	cells[DRIVERS_HANDLER_MODULE] = code.module;
	cells[DRIVERS_OFFSET] = code.offset;
	cells[DRIVERS_SYMBOL] = code.symbol;
	cells[DRIVERS_IS_FOREIGN] = cell_bool(h.foreign);
	return sink_row(l->run->sink, cells, 0);
}

static struct error *put_irps(struct listing *l, const struct driver *d)
{
	struct error *err = NULL;

	for (unsigned i = 0; i < DRIVER_NUM_MAJOR && !err && !sink_full(l->run->sink); i++)
		err = put_irp(l, d, i);
	return err;
}

static struct error *list_drivers(struct listing *l)
{
	struct command_run *run = l->run;
	struct error *err;

	if ((err = driver_reader_init(run->kernel, &l->reader)) ||
	    (err = drivers_read(&l->reader, &l->drivers)) ||
	    (option_flag(run->options, "scan") && (err = drivers_scan(&l->reader, &l->drivers))) ||
	    (err = code_names_read(run->kernel, &l->names)))
		return err;
	place_book_set_drivers(&l->names.places, &l->drivers);
	if (option_flag(run->options, "irps")) {
		for (size_t i = 0; i < l->drivers.count && !err && !sink_full(run->sink); i++)
			err = put_irps(l, &l->drivers.items[i]);
		return err;
	}
	if ((err = devices_read(&l->reader, &l->drivers, &l->devices)))
		return err;
	for (size_t i = 0; i < l->drivers.count && !err && !sink_full(run->sink); i++)
		err = put_driver(l, i);
	return err;
}

static struct error *drivers_run(struct command_run *run)
{
	struct listing l = { .run = run };
	struct error *err = list_drivers(&l);

	code_names_deinit(&l.names);
	device_list_deinit(&l.devices);
	driver_list_deinit(&l.drivers);
	driver_reader_deinit(&l.reader);
	return err;
}

const struct command cmd_drivers = {
	.name = "drivers",
	.summary = "list driver objects and who handles their IRPs",
	.description =
		"Lists the driver objects in the directories \\Driver and \\FileSystem. A handler "
		"is "
		"foreign when it is neither in the driver's own image nor in the kernel: drivers "
		"that leave work to another one (miniports) have such handlers, and so have "
		"drivers that are hooked; a handler in no module at all is code that no driver "
		"list shows. A driver whose start is in no listed module hides its image.\n\n"
		"With --irps it prints one row per handler. With --scan it adds drivers that lie "
		"in pool memory and in neither directory: unloaded ones, or hidden ones.",
	.example = "ntscope drivers --irps memory.dmp",
	.options = drivers_options,
	.num_options = ARRAY_SIZE(drivers_options),
	.columns = drivers_columns,
	.num_columns = DRIVERS_NUM_COLUMNS,
	.key_columns = "object",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.default_columns = drivers_default_columns,
	.run = drivers_run,
};
