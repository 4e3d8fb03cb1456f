/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_DISPATCHER_H
#define WINDOWS_DISPATCHER_H

#include "windows/kernel/kernel.h"

/* Processes and threads are dispatcher objects that have an id: what tells them from other memory.
 */
enum dispatcher_type { /* KOBJECTS, wdm.h */
		       DISPATCHER_PROCESS = 3,
		       DISPATCHER_THREAD = 6,
};

enum { MAX_CLIENT_ID = 1 << 28 /* ids are handles of one table */ };

struct dispatcher_kind {
	const char *name; /* "process" */
	enum dispatcher_type type;
	unsigned type_field, id_field; /* of the object's fields */
};

/* Does this look like such an object at all? A torn list may lead anywhere. If not, what is there
 * is reported as partial. */
bool dispatcher_check(struct kernel *k, struct object *o, const struct dispatcher_kind *kind,
		      struct opt_u64 *id_ret);

#endif
