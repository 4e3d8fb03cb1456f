/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PROCESS_H
#define WINDOWS_PROCESS_H

#include "windows/kernel.h"

/* Processes as the kernel's own structures tell them. */

#define PROCESS_FIELDS(F)                                                                         \
	F(PROCESS, TYPE, "_EPROCESS", "Pcb.Header.Type", OPTIONAL)                                \
	F(PROCESS, DTB, "_EPROCESS", "Pcb.DirectoryTableBase", REQUIRED)                          \
	F(PROCESS, USER_DTB, "_EPROCESS", "Pcb.UserDirectoryTableBase", OPTIONAL)                 \
	F(PROCESS, PID, "_EPROCESS", "UniqueProcessId", REQUIRED)                                 \
	F(PROCESS, LINKS, "_EPROCESS", "ActiveProcessLinks", REQUIRED)                            \
	F(PROCESS, PPID, "_EPROCESS", "InheritedFromUniqueProcessId", OPTIONAL)                   \
	F(PROCESS, NAME, "_EPROCESS", "ImageFileName", REQUIRED)                                  \
	F(PROCESS, CREATE_TIME, "_EPROCESS", "CreateTime", OPTIONAL)                              \
	F(PROCESS, EXIT_TIME, "_EPROCESS", "ExitTime", OPTIONAL)                                  \
	F(PROCESS, ACTIVE_THREADS, "_EPROCESS", "ActiveThreads", OPTIONAL)                        \
	F(PROCESS, OBJECT_TABLE, "_EPROCESS", "ObjectTable", OPTIONAL)                            \
	F(PROCESS, SESSION, "_EPROCESS", "Session", OPTIONAL)                                     \
	F(PROCESS, WOW64, "_EPROCESS", "WoW64Process|Wow64Process", OPTIONAL)                     \
	F(PROCESS, PEB, "_EPROCESS", "Peb", OPTIONAL)                                             \
	F(PROCESS, AUDIT_NAME, "_EPROCESS", "SeAuditProcessCreationInfo.ImageFileName", OPTIONAL) \
	F(PROCESS, HANDLE_COUNT, "_HANDLE_TABLE", "HandleCount", OPTIONAL)                        \
	F(PROCESS, SESSION_ID, "_MM_SESSION_SPACE", "SessionId", OPTIONAL)                        \
	F(PROCESS, PEB_PARAMETERS, "_PEB", "ProcessParameters", OPTIONAL)                         \
	F(PROCESS, COMMAND_LINE, "_RTL_USER_PROCESS_PARAMETERS", "CommandLine", OPTIONAL)         \
	F(PROCESS, AUDIT_STRING, "_OBJECT_NAME_INFORMATION", "Name", OPTIONAL)
DECLARE_FIELDS(process, PROCESS_FIELDS);

enum { MAX_PROCESSES = 1 << 16, PROCESS_NAME_SIZE = 16 };

struct process {
	uint64_t eprocess;
	const char *source; /* "list", "cpu", "triage", "address" */
	struct opt_u64 pid, ppid, dtb, user_dtb, threads, handles, session_id;
	struct opt_u64 create_time, exit_time; /* FILETIME; 0 is absent */
	bool has_wow64, wow64;
	const char *name;	  /* NULL: absent */
	const char *image_path;	  /* NT path that created the process; NULL: none or absent */
	const char *command_line; /* NULL: none or absent */
};

enum process_detail {
	PROCESS_BRIEF, /* what the EPROCESS itself holds */
	PROCESS_FULL,  /* and what it points to: session, handles, paths */
};

struct process_list {
	struct arena arena; /* owns every string */
	struct process *items;
	size_t count;
	bool complete; /* the list was followed from its head back to its head */
};

/*
 * Every process of PsActiveProcessHead, in list order; where the list is broken, what is
 * reached from its other end and from the processors' current threads. Breaks and unreadable
 * objects are reported to the kernel's diag as partial. On a triage dump: the one process.
 */
MUST_CHECK struct error *process_list_read(struct kernel *k, enum process_detail detail,
					   struct process_list *ret);
/* The one process whose EPROCESS is there; NOT_FOUND if it does not look like one. */
MUST_CHECK struct error *process_list_at(struct kernel *k, uint64_t eprocess,
					 enum process_detail detail, struct process_list *ret);
void process_list_deinit(struct process_list *list);

/* The address space of a process, owned by the caller. UNSUPPORTED on triage dumps, NOT_FOUND where
 * its root is absent. */
MUST_CHECK struct error *process_open_space(struct kernel *k, const struct process *p,
					    struct space **ret);
/* The same by id, of the first listed process that has it; NOT_FOUND if none does. */
MUST_CHECK struct error *process_open_space_by_pid(struct kernel *k, uint64_t pid,
						   struct space **ret);

#endif
