/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_CID_TABLE_H
#define WINDOWS_CID_TABLE_H

#include "windows/kernel/kernel.h"

/*
 * PspCidTable: the handle table whose handles are the ids of all processes and threads. Its entries
 * point at the objects themselves. A process that was taken out of the process list is still in it,
 * or nothing could open it by its id any more.
 */
struct cid_entry {
	uint64_t id, object;
	enum cid_kind { CID_OTHER, CID_PROCESS, CID_THREAD } kind; /* other: also if unreadable */
};

struct cid_table {
	struct cid_entry *items; /* by id */
	size_t count;
	bool known;    /* the table was found; if not, nothing is in it */
	bool complete; /* and no page of it is absent */
};

/* False: the kernel's variable is not known, or no table has been made yet. A variable whose page
 * is absent may have one. */
bool cid_table_exists(const struct kernel *k);
/* Pages of the table that are absent are reported as partial, and so is a table that cannot be
 * found or read at all. */
MUST_CHECK struct error *cid_table_read(struct kernel *k, struct cid_table *ret);
void cid_table_deinit(struct cid_table *table); /* a zeroed one is fine */

/* The object with this id and of this kind; 0: none. */
uint64_t cid_table_find(const struct cid_table *table, uint64_t id, enum cid_kind kind);

#endif
