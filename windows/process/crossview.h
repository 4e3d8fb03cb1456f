/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_CROSSVIEW_H
#define WINDOWS_CROSSVIEW_H

#include "windows/process/process.h"

/*
 * Processes by every structure of the kernel that knows of them, side by side: what hides from one
 * is given away by the others.
 */
#define CROSSVIEW_FIELDS(F)                                                       \
	F(CROSSVIEW, SESSION, "_EPROCESS", "Session", OPTIONAL)                   \
	F(CROSSVIEW, SESSION_LINKS, "_EPROCESS", "SessionProcessLinks", OPTIONAL) \
	F(CROSSVIEW, OBJECT_TABLE, "_EPROCESS", "ObjectTable", OPTIONAL)          \
	F(CROSSVIEW, SESSION_PROCESSES, "_MM_SESSION_SPACE", "ProcessList", OPTIONAL)
DECLARE_FIELDS(crossview, CROSSVIEW_FIELDS);

enum cross_source {
	CROSS_LIST,	 /* PsActiveProcessHead */
	CROSS_POOL_SCAN, /* process objects in the pools */
	CROSS_THREAD,	 /* owners of threads in the pools that have not ended */
	CROSS_CID_TABLE, /* PspCidTable */
	CROSS_HANDLE,	 /* handles of any process */
	CROSS_SESSION,	 /* the sessions' own lists */
	CROSS_CSRSS,	 /* handles of the csrss.exe processes, which follow what starts */
	NUM_CROSS_SOURCES
};
/* The contract's keys: "list", "pool_scan", ... */
const char *cross_source_name(enum cross_source source);

struct crossview {
	/* As process_list_scan() gives them; then those that only the other sources have. */
	struct process_list list;
	unsigned *seen; /* per process: bit per source */
	/* Bit per source: all of it was read, so that whom it was not seen to have it has not. */
	unsigned whole;
};

MUST_CHECK struct error *crossview_read(struct kernel *k, enum process_detail detail,
					struct crossview *ret);
/* Does the source have the process? False: what could be read of it does not tell. */
bool crossview_tells(const struct crossview *view, size_t index, enum cross_source source,
		     bool *ret);
void crossview_deinit(struct crossview *view); /* a zeroed one is fine */

#endif
