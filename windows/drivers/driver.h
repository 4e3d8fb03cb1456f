/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_DRIVER_H
#define WINDOWS_DRIVER_H

#include "windows/kernel/kernel.h"
#include "windows/objects/object_manager.h"

/*
 * Driver objects and their devices. Drivers are found by name, in the object directories \Driver
 * and \FileSystem, and by the tag of their pool blocks. Layouts are in the public PDBs; types of
 * objects and devices, and the numbers of major functions, in wdm.h.
 */
#define DRIVER_FIELDS(F)                                                                 \
	F(DRIVER, TYPE, "_DRIVER_OBJECT", "Type", OPTIONAL)                              \
	F(DRIVER, DEVICE, "_DRIVER_OBJECT", "DeviceObject", OPTIONAL)                    \
	F(DRIVER, FLAGS, "_DRIVER_OBJECT", "Flags", OPTIONAL)                            \
	F(DRIVER, START, "_DRIVER_OBJECT", "DriverStart", OPTIONAL)                      \
	F(DRIVER, SIZE, "_DRIVER_OBJECT", "DriverSize", OPTIONAL)                        \
	F(DRIVER, SECTION, "_DRIVER_OBJECT", "DriverSection", OPTIONAL)                  \
	F(DRIVER, EXTENSION, "_DRIVER_OBJECT", "DriverExtension", OPTIONAL)              \
	F(DRIVER, NAME, "_DRIVER_OBJECT", "DriverName", OPTIONAL)                        \
	F(DRIVER, FAST_IO, "_DRIVER_OBJECT", "FastIoDispatch", OPTIONAL)                 \
	F(DRIVER, INIT, "_DRIVER_OBJECT", "DriverInit", OPTIONAL)                        \
	F(DRIVER, START_IO, "_DRIVER_OBJECT", "DriverStartIo", OPTIONAL)                 \
	F(DRIVER, UNLOAD, "_DRIVER_OBJECT", "DriverUnload", OPTIONAL)                    \
	F(DRIVER, MAJOR_FUNCTION, "_DRIVER_OBJECT", "MajorFunction", OPTIONAL)           \
	F(DRIVER, ADD_DEVICE, "_DRIVER_EXTENSION", "AddDevice", OPTIONAL)                \
	F(DRIVER, SERVICE_KEY, "_DRIVER_EXTENSION", "ServiceKeyName", OPTIONAL)          \
	F(DRIVER, DEVICE_TYPE_CODE, "_DEVICE_OBJECT", "Type", OPTIONAL)                  \
	F(DRIVER, DEVICE_DRIVER, "_DEVICE_OBJECT", "DriverObject", OPTIONAL)             \
	F(DRIVER, DEVICE_NEXT, "_DEVICE_OBJECT", "NextDevice", OPTIONAL)                 \
	F(DRIVER, DEVICE_ATTACHED, "_DEVICE_OBJECT", "AttachedDevice", OPTIONAL)         \
	F(DRIVER, DEVICE_TYPE, "_DEVICE_OBJECT", "DeviceType", OPTIONAL)                 \
	F(DRIVER, DEVICE_FLAGS, "_DEVICE_OBJECT", "Flags", OPTIONAL)                     \
	F(DRIVER, DEVICE_CHARACTERISTICS, "_DEVICE_OBJECT", "Characteristics", OPTIONAL) \
	F(DRIVER, DEVICE_EXTENSION, "_DEVICE_OBJECT", "DeviceObjectExtension", OPTIONAL) \
	F(DRIVER, ATTACHED_TO, "_DEVOBJ_EXTENSION", "AttachedTo", OPTIONAL)              \
	F(DRIVER, DEVICE_NODE, "_DEVOBJ_EXTENSION", "DeviceNode", OPTIONAL)
DECLARE_FIELDS(driver, DRIVER_FIELDS);

enum {
	DRIVER_NUM_MAJOR = 28,
	MAX_DRIVERS = 1 << 12,	      /* real machines have some hundreds */
	MAX_DRIVER_DEVICES = 1 << 14, /* of one driver */
};

struct driver {
	uint64_t object;     /* 0: a block that the kernel's page tables do not map */
	struct opt_u64 pool; /* physical address of its pool block, if it was found by that */
	const char *source;  /* "directory", "pool_scan" */
	const char *name;    /* "\Driver\Null"; NULL: absent */
	const char *service_key;
	/* Addresses of 0 are absent, but for start and size, which the kernel's own drivers lack.
	 */
	struct opt_u64 start, size, section, flags, fast_io, init, start_io, unload, add_device;
	struct opt_u64 first_device;		/* absent: it has none, or has_devices is false */
	bool has_devices;			/* it was read where its list of devices begins */
	struct opt_u64 major[DRIVER_NUM_MAJOR]; /* by IRP_MJ_* */
};

struct driver_reader {
	struct kernel *k;
	struct field fields[driver_num_fields];
	struct object_manager *objects; /* owned */
};

struct driver_list {
	struct arena arena; /* owns every string */
	struct driver *items;
	size_t count, capacity;
	bool full; /* there were more than MAX_DRIVERS: they are left out */
};

MUST_CHECK struct error *driver_reader_init(struct kernel *k, struct driver_reader *ret);
void driver_reader_deinit(struct driver_reader *r); /* a zeroed one is fine */

/* The drivers that are named in \Driver and \FileSystem, in the directories' order. What cannot be
 * read goes to the kernel's diag as partial. */
MUST_CHECK struct error *drivers_read(struct driver_reader *r, struct driver_list *ret);
/* Adds those that the pools hold and the list does not have. UNSUPPORTED on triage dumps. */
MUST_CHECK struct error *drivers_scan(struct driver_reader *r, struct driver_list *list);
void driver_list_deinit(struct driver_list *list); /* a zeroed one is fine */
/* Is va in the memory that the driver says is its own? */
bool driver_contains(const struct driver *d, uint64_t va);
/* "IRP_MJ_READ"; NULL: index is none. */
const char *driver_major_name(unsigned index);

/* Adds a driver whose object is at `address` in `space`, which need not be the kernel's. */
MUST_CHECK struct error *driver_add(struct driver_reader *r, struct space *space, uint64_t address,
				    const struct driver *known, struct driver_list *list);

#endif
