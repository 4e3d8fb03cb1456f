/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_THREAD_H
#define WINDOWS_THREAD_H

#include "windows/process/process.h"

/* Threads as the kernel's own structures tell them. */

#define THREAD_FIELDS(F)                                                            \
	F(THREAD, PROCESS_HEAD, "_EPROCESS", "ThreadListHead", OPTIONAL)            \
	F(THREAD, PROCESS_KERNEL_HEAD, "_EPROCESS", "Pcb.ThreadListHead", OPTIONAL) \
	F(THREAD, LINKS, "_ETHREAD", "ThreadListEntry", OPTIONAL)                   \
	F(THREAD, KERNEL_LINKS, "_KTHREAD", "ThreadListEntry", OPTIONAL)            \
	F(THREAD, TYPE, "_KTHREAD", "Header.Type", OPTIONAL)                        \
	F(THREAD, TID, "_ETHREAD", "Cid.UniqueThread", REQUIRED)                    \
	F(THREAD, PID, "_ETHREAD", "Cid.UniqueProcess", OPTIONAL)                   \
	F(THREAD, PROCESS, "_KTHREAD", "Process", OPTIONAL)                         \
	F(THREAD, START, "_ETHREAD", "StartAddress", OPTIONAL)                      \
	F(THREAD, WIN32_START, "_ETHREAD", "Win32StartAddress", OPTIONAL)           \
	F(THREAD, CREATE_TIME, "_ETHREAD", "CreateTime", OPTIONAL)                  \
	F(THREAD, EXIT_TIME, "_ETHREAD", "ExitTime", OPTIONAL)                      \
	F(THREAD, EXIT_STATUS, "_ETHREAD", "ExitStatus", OPTIONAL)                  \
	F(THREAD, IMPERSONATES, "_ETHREAD", "ActiveImpersonationInfo", OPTIONAL)    \
	F(THREAD, TOKEN, "_ETHREAD", "ClientSecurity.ImpersonationToken", OPTIONAL) \
	F(THREAD, THREAD_NAME, "_ETHREAD", "ThreadName", OPTIONAL)                  \
	F(THREAD, TEB, "_KTHREAD", "Teb", OPTIONAL)                                 \
	F(THREAD, STATE, "_KTHREAD", "State", OPTIONAL)                             \
	F(THREAD, WAIT_REASON, "_KTHREAD", "WaitReason", OPTIONAL)                  \
	F(THREAD, PRIORITY, "_KTHREAD", "Priority", OPTIONAL)                       \
	F(THREAD, BASE_PRIORITY, "_KTHREAD", "BasePriority", OPTIONAL)              \
	F(THREAD, CONTEXT_SWITCHES, "_KTHREAD", "ContextSwitches", OPTIONAL)        \
	F(THREAD, STACK_BASE, "_KTHREAD", "StackBase", OPTIONAL)                    \
	F(THREAD, STACK_LIMIT, "_KTHREAD", "StackLimit", OPTIONAL)                  \
	F(THREAD, KERNEL_STACK, "_KTHREAD", "KernelStack", OPTIONAL)                \
	F(THREAD, NAME_STRING, "_OBJECT_NAME_INFORMATION", "Name", OPTIONAL)
DECLARE_FIELDS(thread, THREAD_FIELDS);

enum { MAX_PROCESS_THREADS = 1 << 16, MAX_SCANNED_THREADS = 1 << 20 };

struct thread {
	uint64_t ethread;		  /* 0: at no kernel address, just in physical memory */
	const char *source;		  /* "list", "kernel_list", "pool_scan", "triage" */
	struct opt_u64 pool;		  /* pool_scan: physical address of its POOL_HEADER */
	struct opt_u64 tid, pid, process; /* process: EPROCESS */
	struct opt_u64 start_address, win32_start_address, teb;
	struct opt_u64 create_time, exit_time; /* FILETIME; exit_time: absent while it runs */
	struct opt_u64 exit_status;	       /* NTSTATUS; absent while it runs */
	struct opt_u64 state, wait_reason;     /* see thread_state_name() */
	struct opt_u64 priority, base_priority, context_switches;
	struct opt_u64 stack_base, stack_limit, kernel_stack; /* of its kernel stack */
	struct opt_u64 token; /* it impersonates; absent: it does not, or unknown */
	const char *name;     /* NULL: none or absent */
};

struct thread_list {
	struct arena arena; /* owns every string */
	struct thread *items;
	size_t count;
	bool complete; /* the list was followed from its head back to its head */
};

/*
 * Every thread of the process at eprocess, in list order: EPROCESS.ThreadListHead from both ends
 * and, where that is broken, the kernel's own list of them in KPROCESS. Breaks and unreadable
 * objects are reported as partial.
 */
MUST_CHECK struct error *thread_list_read(struct kernel *k, uint64_t eprocess,
					  struct thread_list *ret);
/* The one thread whose ETHREAD is there; NOT_FOUND if it does not look like one. */
MUST_CHECK struct error *thread_list_at(struct kernel *k, uint64_t ethread, const char *source,
					struct thread_list *ret);
/* Every thread object that the pools still hold, in order of physical address. UNSUPPORTED on
 * triage dumps. */
MUST_CHECK struct error *thread_list_scan(struct kernel *k, struct thread_list *ret);
void thread_list_deinit(struct thread_list *list); /* a zeroed one is fine */

/* "waiting", "wr_queue"; NULL: no such number. */
const char *thread_state_name(uint64_t state);
const char *thread_wait_reason_name(uint64_t reason);

#endif
