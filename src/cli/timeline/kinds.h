/* SPDX-License-Identifier: MIT */
#ifndef CLI_TIMELINE_KINDS_H
#define CLI_TIMELINE_KINDS_H

#include "base/arena.h"

/* What can have happened at a time. In this order at the same moment. */
enum timeline_kind {
	TIMELINE_LINK,
	TIMELINE_BOOT,
	TIMELINE_SESSION_START,
	TIMELINE_PROCESS_START,
	TIMELINE_THREAD_START,
	TIMELINE_DLL_LOAD,
	TIMELINE_SYMLINK_CREATE,
	TIMELINE_REGISTRY_WRITE,
	TIMELINE_DRIVER_UNLOAD,
	TIMELINE_THREAD_EXIT,
	TIMELINE_PROCESS_EXIT,
	TIMELINE_BUGCHECK,
	TIMELINE_CAPTURE,
	TIMELINE_TIMER_DUE,
	TIMELINE_TOKEN_EXPIRY,
	NUM_TIMELINE_KINDS
};

struct timeline_kind_row {
	const char *name;
	const char *title; /* for people; begins a message */
	char meaning;	   /* the field of a body file: m, a, c or b */
	bool ahead;	   /* may lie after the capture */
};

extern const struct timeline_kind_row timeline_kinds[NUM_TIMELINE_KINDS];

/* All their names with what they fill in a body file, for help. */
#define TIMELINE_KIND_NAMES                                                                  \
	"link, boot, session_start, process_start, thread_start, dll_load, symlink_create, " \
	"registry_write, driver_unload, thread_exit, process_exit, bugcheck, capture, "      \
	"timer_due, token_expiry"

/* "process_start,process_exit": sets the flag of each. NULL: of all. ERROR_USAGE. */
MUST_CHECK struct error *timeline_kinds_parse(const char *list, bool ret[NUM_TIMELINE_KINDS]);

#endif
