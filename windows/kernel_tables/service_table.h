/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_TABLES_SERVICE_TABLE_H
#define WINDOWS_KERNEL_TABLES_SERVICE_TABLE_H

#include "windows/process/process.h"

/*
 * Tables of system services: number 0 is the kernel's own, number 1 win32k's, which lies in session
 * space. A service number is table number << 12 | index.
 *
 * KeServiceDescriptorTable, -Shadow (threads that draw) and -Filter (those whose win32k is
 * filtered) are two descriptors each, {Base u64 @0, Count u64 @8, Limit u32 @0x10, Number u64
 * @0x18}: ReactOS sdk/include/ndk/ketypes.h KSERVICE_TABLE_DESCRIPTOR. Entries of 64-bit Windows
 * are i32: distance from Base << 4 | arguments on the stack (volatility3 plugins/windows/ssdt.py).
 */
enum {
	MAX_SERVICES = 1 << 12, /* a service number has twelve bits of index */
	MAX_SERVICE_TABLES = 6,
};

struct service_table {
	const char *descriptor; /* the kernel variable it was found by */
	unsigned number;
	uint64_t descriptor_va; /* 0: found by KiServiceTable itself */
	uint64_t base;
	uint32_t limit;	     /* entries, at most MAX_SERVICES */
	struct space *space; /* that maps base; NULL: none that is known. Borrowed. */
};

struct service_tables {
	struct service_table items[MAX_SERVICE_TABLES]; /* each base once */
	size_t count;
	struct space *session_space; /* owned; NULL: not needed, or none maps win32k's table */
};

struct service {
	uint64_t entry;		  /* address of the entry */
	uint64_t address;	  /* of the code */
	unsigned stack_arguments; /* beyond the four in registers */
};

/*
 * Finds the tables by symbols of exactly this kernel, or by its code that uses them; what is
 * missing goes to the kernel's diag as partial.
 */
MUST_CHECK struct error *service_tables_read(struct kernel *k, struct service_tables *ret);
void service_tables_deinit(struct service_tables *tables); /* a zeroed one is fine */

/* Entry `index` of a table that has a space; false where it is absent. */
MUST_CHECK bool service_read(const struct service_table *table, uint32_t index, struct service *ret,
			     struct fault *fault);

#endif
