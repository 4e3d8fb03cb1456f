/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "windows/drivers/device.h"

enum {
	DEVICES_DEVICE,
	DEVICES_NAME,
	DEVICES_TYPE,
	DEVICES_DRIVER,
	DEVICES_ATTACHED_TO,
	DEVICES_ATTACHED_DEVICE,
	DEVICES_PATH,
	DEVICES_DRIVER_OBJECT,
	DEVICES_OWNER,
	DEVICES_TYPE_CODE,
	DEVICES_FLAGS,
	DEVICES_CHARACTERISTICS,
	DEVICES_NODE,
	DEVICES_DEPTH,
	DEVICES_NUM_COLUMNS
};

static const struct column devices_columns[DEVICES_NUM_COLUMNS] = {
	[DEVICES_DEVICE] = { "device", "DEVICE", CELL_ADDR, 18, COL_INDENT,
			     "virtual address of the device object" },
	[DEVICES_NAME] = { "name", "NAME", CELL_STR, 18, 0, "its own; most devices have none" },
	[DEVICES_TYPE] = { "type", "TYPE", CELL_STR, 24, 0,
			   "FILE_DEVICE_*; absent: one that has no name" },
	[DEVICES_DRIVER] = { "driver", "DRIVER", CELL_STR, 18, 0,
			     "the driver whose list it is in" },
	[DEVICES_ATTACHED_TO] = { "attached_to", "ATTACHED TO", CELL_ADDR, 18, 0,
				  "the device below it in its stack" },
	[DEVICES_ATTACHED_DEVICE] = { "attached_device", "ATTACHED", CELL_ADDR, 18, COL_HIDDEN,
				      "the device on top of it" },
	[DEVICES_PATH] = { "path", "PATH", CELL_STR, 24, COL_HIDDEN,
			   "its name with its directories" },
	[DEVICES_DRIVER_OBJECT] = { "driver_object", "DRIVER OBJECT", CELL_ADDR, 18, COL_HIDDEN,
				    "address of that driver's object" },
	[DEVICES_OWNER] = { "owner", "OWNER", CELL_ADDR, 18, COL_HIDDEN,
			    "driver object that the device itself names" },
	[DEVICES_TYPE_CODE] = { "type_code", "CODE", CELL_ADDR, 6, COL_HIDDEN,
				"the type's number" },
	[DEVICES_FLAGS] = { "flags", "FLAGS", CELL_ADDR, 10, COL_HIDDEN, "DO_* bits" },
	[DEVICES_CHARACTERISTICS] = { "characteristics", "CHARACTERISTICS", CELL_ADDR, 10,
				      COL_HIDDEN, "FILE_* bits of the device" },
	[DEVICES_NODE] = { "node", "NODE", CELL_ADDR, 18, COL_HIDDEN,
			   "DEVICE_NODE of Plug and Play" },
	[DEVICES_DEPTH] = { "depth", "DEPTH", CELL_U64, 5, COL_RIGHT | COL_HIDDEN,
			    "--tree: how many devices are below it" },
};

static const struct option_row devices_options[] = {
	{ "tree", 0, OPTION_FLAG, NULL,
	  "by stack: what is attached to a device, indented below it" },
};

struct listing {
	struct command_run *run;
	bool tree;
	struct driver_reader reader;
	struct driver_list drivers;
	struct device_list devices;
	bool *shown;	    /* of each device */
	size_t *by_address; /* indices of the devices */
};

static struct error *put_device(struct listing *l, size_t index, unsigned depth)
{
	const struct device *d = &l->devices.items[index];
	const struct driver *driver = &l->drivers.items[d->driver];
	struct cell cells[DEVICES_NUM_COLUMNS] = {
		[DEVICES_DEVICE] = cell_addr(d->device),
		[DEVICES_NAME] = cell_str(d->name),
		[DEVICES_TYPE] = cell_str(d->type.present ? device_type_name(d->type.value) : NULL),
		[DEVICES_DRIVER] = cell_str(driver->name),
		[DEVICES_ATTACHED_TO] = cell_opt(d->attached_to),
		[DEVICES_ATTACHED_DEVICE] = cell_opt(d->attached_device),
		[DEVICES_PATH] = cell_str(d->path),
		[DEVICES_DRIVER_OBJECT] = driver->object ? cell_addr(driver->object) : CELL_ABSENT,
		[DEVICES_OWNER] = cell_opt(d->owner),
		[DEVICES_TYPE_CODE] = cell_opt(d->type),
		[DEVICES_FLAGS] = cell_opt(d->flags),
		[DEVICES_CHARACTERISTICS] = cell_opt(d->characteristics),
		[DEVICES_NODE] = cell_opt(d->node),
		[DEVICES_DEPTH] = l->tree ? cell_u64(depth) : CELL_ABSENT,
	};

	l->shown[index] = true;
	return sink_row(l->run->sink, cells, depth);
}

static int compare_addresses(const void *a, const void *b, void *items)
{
	const struct device *d = items;
	uint64_t x = d[*(const size_t *)a].device, y = d[*(const size_t *)b].device;

	return x < y ? -1 : x > y;
}

static bool find_device(const struct listing *l, struct opt_u64 va, size_t *ret)
{
	size_t low = 0, high = l->devices.count;

	while (va.present && low < high) {
		size_t middle = low + (high - low) / 2, index = l->by_address[middle];

		if (l->devices.items[index].device == va.value) {
			*ret = index;
			return true;
		}
		if (l->devices.items[index].device < va.value)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Is there a device below that says so, too? */
static bool is_attached(const struct listing *l, size_t index)
{
	const struct device *d = &l->devices.items[index];
	size_t below;

	return find_device(l, d->attached_to, &below) && below != index &&
	       l->devices.items[below].attached_device.present &&
	       l->devices.items[below].attached_device.value == d->device;
}

/* A device and what is on top of it. */
static struct error *put_stack(struct listing *l, size_t index)
{
	struct opt_u64 above;
	struct error *err = NULL;

	for (unsigned depth = 0; !err && !sink_full(l->run->sink); depth++) {
		above = l->devices.items[index].attached_device;
		if ((err = put_device(l, index, depth)) || !above.present)
			break;
		if (depth >= MAX_DEVICE_STACK || !find_device(l, above, &index) ||
		    l->shown[index]) {
			diag_partial(l->run->diag,
				     "the stack breaks at 0x%" PRIx64
				     ": it is in no driver's list, "
				     "or was met before",
				     above.value);
			break;
		}
	}
	return err;
}

static struct error *put_tree(struct listing *l)
{
	struct error *err = NULL;

	for (size_t i = 0; i < l->devices.count && !err && !sink_full(l->run->sink); i++) {
		if (!l->shown[i] && !is_attached(l, i))
			err = put_stack(l, i);
	}
	/* what runs in a loop has no lowest device */
	for (size_t i = 0; i < l->devices.count && !err && !sink_full(l->run->sink); i++) {
		if (!l->shown[i])
			err = put_stack(l, i);
	}
	return err;
}

static struct error *list_devices(struct listing *l)
{
	struct command_run *run = l->run;
	struct error *err;

	if ((err = driver_reader_init(run->kernel, &l->reader)) ||
	    (err = drivers_read(&l->reader, &l->drivers)) ||
	    (err = devices_read(&l->reader, &l->drivers, &l->devices)))
		return err;
	l->shown = arena_calloc(run->arena, l->devices.count + 1, sizeof(*l->shown));
	l->by_address = arena_calloc(run->arena, l->devices.count + 1, sizeof(*l->by_address));
	if (!l->shown || !l->by_address)
		return &error_no_memory;
	for (size_t i = 0; i < l->devices.count; i++)
		l->by_address[i] = i;
	qsort_r(l->by_address, l->devices.count, sizeof(*l->by_address), compare_addresses,
		l->devices.items);
	if (l->tree)
		return put_tree(l);
	for (size_t i = 0; i < l->devices.count && !err && !sink_full(run->sink); i++)
		err = put_device(l, i, 0);
	return err;
}

static struct error *devices_run(struct command_run *run)
{
	struct listing l = { .run = run, .tree = option_flag(run->options, "tree") };
	struct error *err = list_devices(&l);

	device_list_deinit(&l.devices);
	driver_list_deinit(&l.drivers);
	driver_reader_deinit(&l.reader);
	return err;
}

const struct command cmd_devices = {
	.name = "devices",
	.summary = "list device objects and how they are stacked",
	.description =
		"Follows the list of devices of each driver in \\Driver and \\FileSystem. With "
		"--tree it prints stacks: a device, and indented below it the devices that are "
		"attached on top of it, each of which sees its requests first. Devices of a driver "
		"that is in neither directory are not found.",
	.example = "ntscope devices --tree memory.dmp",
	.options = devices_options,
	.num_options = ARRAY_SIZE(devices_options),
	.columns = devices_columns,
	.num_columns = DEVICES_NUM_COLUMNS,
	.key_columns = "device",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = devices_run,
};
