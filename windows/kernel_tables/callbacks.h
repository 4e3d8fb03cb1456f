/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_TABLES_CALLBACKS_H
#define WINDOWS_KERNEL_TABLES_CALLBACKS_H

#include "windows/kernel/kernel.h"

/*
 * Routines that drivers asked the kernel to call: when processes, threads and images come and go,
 * on registry and object operations, at a bug check or shutdown, ...
 *
 * The records are in no public PDB. Their layouts come from volatility3
 * symbols/windows/callbacks-x64.json (notify blocks, registry, Plug and Play, file systems,
 * shutdown, debug print), wdm.h (KBUGCHECK_CALLBACK_RECORD, KBUGCHECK_REASON_CALLBACK_RECORD),
 * hfiref0x/WinObjEx64 ntos.h (contexts, OB_CALLBACK_CONTEXT_BLOCK, CALLBACK_OBJECT) and ReactOS
 * (SEP_LOGON_SESSION_TERMINATED_NOTIFICATION in ntoskrnl/se/srm.c, KNMI_HANDLER_CALLBACK in
 * ntoskrnl/include/internal/ke.h, DRIVER_REINIT_ITEM in ntoskrnl/include/internal/io.h).
 */
#define CALLBACK_FIELDS(F)                                                     \
	F(CALLBACK, TYPE_NAME, "_OBJECT_TYPE", "Name", OPTIONAL)               \
	F(CALLBACK, TYPE_LIST, "_OBJECT_TYPE", "CallbackList", OPTIONAL)       \
	F(CALLBACK, DEVICE_DRIVER, "_DEVICE_OBJECT", "DriverObject", OPTIONAL) \
	F(CALLBACK, MAJOR_FUNCTION, "_DRIVER_OBJECT", "MajorFunction", OPTIONAL)
DECLARE_FIELDS(callback, CALLBACK_FIELDS);

enum { MAX_CALLBACK_RECORDS = 4096 }; /* of one list */

struct callback {
	const char *type;   /* "create_process", ...: see callback_kinds[] */
	const char *source; /* the kernel variable that leads to it, "_OBJECT_TYPE.CallbackList" */
	uint64_t record;    /* address of the record */
	struct opt_u64 function, context;
	struct opt_u64 object; /* the driver, device, callback object or type it is about */
	const char *altitude;  /* "320000.5"; NULL: the type has none, or it is absent */
	const char *component; /* who registered, as it says; NULL as above */
	const char *detail;    /* what more the record says; NULL: nothing */
};

struct callback_list {
	struct arena arena; /* owns every string */
	struct callback *items;
	size_t count, capacity;
};

/*
 * Every callback in the order of the kernel's lists. What cannot be read goes to the kernel's diag
 * as partial. Symbols of exactly this kernel are needed, as the lists are in no export.
 */
MUST_CHECK struct error *callbacks_read(struct kernel *k, struct callback_list *ret);
void callback_list_deinit(struct callback_list *list); /* a zeroed one is fine */

/* USAGE: no list's routines have this type. */
MUST_CHECK struct error *callback_type_check(const char *type);

#endif
