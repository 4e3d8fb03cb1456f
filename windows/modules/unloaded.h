/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_UNLOADED_H
#define WINDOWS_UNLOADED_H

#include "windows/kernel/kernel.h"

/*
 * Drivers that were unloaded, the last one first: MmUnloadedDrivers, a ring of 50; on triage dumps
 * the dump's own list.
 */
struct unloaded_driver {
	const char *name;    /* cut after 12 characters in triage dumps; NULL: absent */
	uint64_t start, end; /* where it lay; end is the first byte behind it */
	bool has_time;
	uint64_t time;	    /* FILETIME of the unloading */
	const char *source; /* "ring", "triage" */
};

struct unloaded_list {
	struct arena arena; /* owns every string and the items */
	struct unloaded_driver *items;
	size_t count;
};

/* What cannot be read is reported to the kernel's diag as partial. NO_MEMORY only. */
MUST_CHECK struct error *unloaded_drivers_read(struct kernel *k, struct unloaded_list *ret);
void unloaded_drivers_deinit(struct unloaded_list *list); /* a zeroed one is fine */

#endif
