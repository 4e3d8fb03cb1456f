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

/* A value that may be absent. */
struct opt_u64 {
	bool present;
	uint64_t value;
};

struct process {
	uint64_t eprocess;
	const char *source; /* "list", "cpu", "triage" */
	struct opt_u64 pid, ppid, dtb, user_dtb, threads, handles, session_id;
	struct opt_u64 create_time, exit_time; /* FILETIME; 0 is absent */
	bool has_wow64, wow64;
	const char *name;	  /* NULL: absent */
	const char *image_path;	  /* NT path that created the process; NULL: none or absent */
	const char *command_line; /* NULL: none or absent */
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
MUST_CHECK struct error *process_list_read(struct kernel *k, struct process_list *ret);
void process_list_deinit(struct process_list *list);

/*
 * The address space of the process with this id (the first listed one): its DirectoryTableBase
 * over the snapshot, owned by the caller. NOT_FOUND, or UNSUPPORTED on triage dumps.
 */
MUST_CHECK struct error *process_open_space(struct kernel *k, uint64_t pid, struct space **ret);

#endif
