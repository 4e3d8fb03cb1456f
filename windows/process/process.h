/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PROCESS_H
#define WINDOWS_PROCESS_H

#include "windows/kernel/kernel.h"

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
	F(PROCESS, EXIT_STATUS, "_EPROCESS", "ExitStatus", OPTIONAL)                              \
	F(PROCESS, PROTECTION, "_EPROCESS", "Protection", OPTIONAL)                               \
	F(PROCESS, IS_PROTECTED, "_EPROCESS", "ProtectedProcess", OPTIONAL)                       \
	F(PROCESS, JOB, "_EPROCESS", "Job", OPTIONAL)                                             \
	F(PROCESS, THREAD_HEAD, "_EPROCESS", "ThreadListHead", OPTIONAL)                          \
	F(PROCESS, AUDIT_NAME, "_EPROCESS", "SeAuditProcessCreationInfo.ImageFileName", OPTIONAL) \
	F(PROCESS, HANDLE_COUNT, "_HANDLE_TABLE", "HandleCount", OPTIONAL)                        \
	F(PROCESS, SESSION_ID, "_MM_SESSION_SPACE", "SessionId", OPTIONAL)                        \
	F(PROCESS, PEB_PARAMETERS, "_PEB", "ProcessParameters", OPTIONAL)                         \
	F(PROCESS, COMMAND_LINE, "_RTL_USER_PROCESS_PARAMETERS", "CommandLine", OPTIONAL)         \
	F(PROCESS, AUDIT_STRING, "_OBJECT_NAME_INFORMATION", "Name", OPTIONAL)
DECLARE_FIELDS(process, PROCESS_FIELDS);

enum { MAX_PROCESSES = 1 << 16, PROCESS_NAME_SIZE = 16 };

struct process {
	uint64_t eprocess;   /* 0: at no kernel address, just in physical memory */
	const char *source;  /* "list", "cpu", "pool_scan", "cid_table", "triage", "address" */
	struct opt_u64 pool; /* pool_scan: physical address of its POOL_HEADER */
	struct opt_u64 pid, ppid, dtb, user_dtb, threads, handles, session_id;
	struct opt_u64 create_time, exit_time; /* FILETIME; 0 is absent */
	struct opt_u64 exit_status;	       /* NTSTATUS; absent while it runs */
	struct opt_u64 protection;	       /* PS_PROTECTION's byte, since Windows 8.1 */
	struct opt_u64 is_protected;	       /* before: a bit */
	struct opt_u64 peb, job;	       /* 0 is absent */
	bool has_wow64, wow64;
	const char *name;	  /* NULL: absent */
	const char *image_path;	  /* NT path that created the process; NULL: none or absent */
	const char *command_line; /* NULL: none or absent */
	const char *current_directory, *window_title, *dll_path; /* PROCESS_PARAMETERS */
};

enum process_detail {
	PROCESS_BRIEF,	    /* what the EPROCESS itself holds */
	PROCESS_FULL,	    /* and what it points to: session, handles, paths */
	PROCESS_PARAMETERS, /* and the rest of what its own memory says of it */
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
/*
 * The listed processes that have this id; when none has, the one that the kernel's table of ids
 * (windows/process/cid_table.h) names, which a note says. Empty when that has none either.
 */
MUST_CHECK struct error *process_list_by_pid(struct kernel *k, uint64_t pid,
					     enum process_detail detail, struct process_list *ret);
/* The one process whose EPROCESS is there; NOT_FOUND if it does not look like one. */
MUST_CHECK struct error *process_list_at(struct kernel *k, uint64_t eprocess,
					 enum process_detail detail, struct process_list *ret);
/*
 * Every process object that the pools still hold, in order of physical address, whether a list
 * leads to it or not; then what process_list_read() has and the pools have not. UNSUPPORTED on
 * triage dumps.
 */
MUST_CHECK struct error *process_list_scan(struct kernel *k, enum process_detail detail,
					   struct process_list *ret);
void process_list_deinit(struct process_list *list);

/*
 * "PsProtectedSignerWinTcb-Light" of a PS_PROTECTION byte; NULL: not protected, or a kind that has
 * no name.
 */
const char *process_protection_name(uint64_t protection);
/* What the process is protected as: that name, "0x93" of a kind without one, "Protected" where the
 * build knows no kinds. NULL: not protected, or absent. In the arena. */
const char *process_protection_text(const struct process *p, struct arena *a);

/* The address space of a process, owned by the caller. UNSUPPORTED on triage dumps, NOT_FOUND where
 * its root is absent. */
MUST_CHECK struct error *process_open_space(struct kernel *k, const struct process *p,
					    struct space **ret);
/* The same by id, of the first of process_list_by_pid(); NOT_FOUND if there is none. */
MUST_CHECK struct error *process_open_space_by_pid(struct kernel *k, uint64_t pid,
						   struct space **ret);

#endif
