/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_DEVICE_H
#define WINDOWS_DEVICE_H

#include "windows/drivers/driver.h"

/*
 * Device objects: each driver has a list of its own (NextDevice), and devices are attached on top
 * of each other to form stacks (AttachedDevice upward, DEVOBJ_EXTENSION.AttachedTo downward).
 */
enum { MAX_DEVICE_STACK = 256 };

struct device {
	uint64_t device;
	size_t driver;	      /* index of the driver whose list it is in */
	const char *name;     /* its own name; NULL: none, or absent */
	const char *path;     /* the name with its directories */
	struct opt_u64 owner; /* DeviceObject.DriverObject: the driver that it says it is of */
	struct opt_u64 type, flags, characteristics;
	struct opt_u64 attached_device; /* the device on top of it */
	struct opt_u64 attached_to;	/* the device below */
	struct opt_u64 node;		/* DEVICE_NODE of Plug and Play */
};

struct device_list {
	struct arena arena; /* owns every string */
	struct device *items;
	size_t count, capacity;
};

/* The devices of each driver in turn, in the order of its list. What cannot be read goes to the
 * kernel's diag as partial. */
MUST_CHECK struct error *devices_read(struct driver_reader *r, const struct driver_list *drivers,
				      struct device_list *ret);
void device_list_deinit(struct device_list *list); /* a zeroed one is fine */
/* "FILE_DEVICE_DISK" (wdm.h, ntifs.h); NULL: no name is known. */
const char *device_type_name(uint64_t type);

#endif
