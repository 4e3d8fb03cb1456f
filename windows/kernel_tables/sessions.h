/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_TABLES_SESSIONS_H
#define WINDOWS_KERNEL_TABLES_SESSIONS_H

#include "windows/kernel/kernel.h"

/*
 * Sessions: the memory that the processes of one logon share for win32k. They are found by the
 * processes that are in them, EPROCESS.Session, and list those processes themselves. From Windows
 * 11 24H2 on PDBs do not show the structure; the id and the list are then where they were before
 * (volatility3 plugins/windows/modules.py; vmi-rs crates/vmi-os-windows, comps/session.rs).
 */
#define SESSION_FIELDS(F)                                                       \
	F(SESSION, PROCESS_SESSION, "_EPROCESS", "Session", OPTIONAL)           \
	F(SESSION, PROCESS_LINKS, "_EPROCESS", "SessionProcessLinks", OPTIONAL) \
	F(SESSION, PROCESS_PID, "_EPROCESS", "UniqueProcessId", OPTIONAL)       \
	F(SESSION, PROCESS_NAME, "_EPROCESS", "ImageFileName", OPTIONAL)        \
	F(SESSION, ID, "_MM_SESSION_SPACE", "SessionId", OPTIONAL)              \
	F(SESSION, PROCESSES, "_MM_SESSION_SPACE", "ProcessList", OPTIONAL)     \
	F(SESSION, CREATE_TIME, "_MM_SESSION_SPACE", "CreateTime", OPTIONAL)    \
	F(SESSION, POOL_START, "_MM_SESSION_SPACE", "PagedPoolStart", OPTIONAL) \
	F(SESSION, POOL_END, "_MM_SESSION_SPACE", "PagedPoolEnd", OPTIONAL)     \
	F(SESSION, COMMITTED, "_MM_SESSION_SPACE", "CommittedPages", OPTIONAL)
DECLARE_FIELDS(session, SESSION_FIELDS);

enum { MAX_SESSION_PROCESSES = 1 << 16 };

struct session {
	uint64_t session; /* MM_SESSION_SPACE */
	struct opt_u64 id, create_time, pool_start, pool_end, committed_pages;
	struct opt_u64 processes; /* in its own list; absent: the list is */
	uint64_t unlisted;	  /* of these not in the list of all processes */
	const char **names;	  /* "csrss.exe (432)", in the order of its list */
	size_t num_names;
};

struct session_list {
	struct arena arena; /* owns everything */
	struct session *items;
	size_t count;
};

/* Sessions in the order in which the list of processes leads to them. What cannot be read goes to
 * the kernel's diag as partial. */
MUST_CHECK struct error *sessions_read(struct kernel *k, struct session_list *ret);
void session_list_deinit(struct session_list *list); /* a zeroed one is fine */

#endif
