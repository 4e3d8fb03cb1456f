/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_STACK_H
#define WINDOWS_STACK_H

#include "arch/amd64/unwind.h"
#include "windows/process/process.h"

/*
 * Stacks of threads and processors. Frames are found by the images' unwind data where it is
 * captured, by trap frames where the kernel was entered, by frame pointers in 32-bit code, and
 * else by looking for the next plausible return address; each frame says which it was.
 */

#define STACK_FIELDS(F)                                                                            \
	F(STACK, PROCESS_PEB, "_EPROCESS", "Peb", OPTIONAL)                                        \
	F(STACK, PROCESS_ID, "_EPROCESS", "UniqueProcessId", OPTIONAL)                             \
	F(STACK, PROCESS_DTB, "_EPROCESS", "Pcb.DirectoryTableBase", OPTIONAL)                     \
	F(STACK, PROCESS_WOW64, "_EPROCESS", "WoW64Process|Wow64Process", OPTIONAL)                \
	F(STACK, THREAD_ID, "_ETHREAD", "Cid.UniqueThread", OPTIONAL)                              \
	F(STACK, THREAD_OWNER, "_ETHREAD", "Cid.UniqueProcess", OPTIONAL)                          \
	F(STACK, THREAD_PROCESS, "_KTHREAD", "Process", OPTIONAL)                                  \
	F(STACK, THREAD_APC_PROCESS, "_KTHREAD", "ApcState.Process", OPTIONAL)                     \
	F(STACK, KERNEL_STACK, "_KTHREAD", "KernelStack", OPTIONAL)                                \
	F(STACK, STACK_BASE, "_KTHREAD", "StackBase", OPTIONAL)                                    \
	F(STACK, STACK_LIMIT, "_KTHREAD", "StackLimit", OPTIONAL)                                  \
	F(STACK, TRAP_FRAME, "_KTHREAD", "TrapFrame", OPTIONAL)                                    \
	F(STACK, TEB, "_KTHREAD", "Teb", OPTIONAL)                                                 \
	F(STACK, TEB_STACK_BASE, "_TEB", "NtTib.StackBase", OPTIONAL)                              \
	F(STACK, TEB_STACK_LIMIT, "_TEB", "NtTib.StackLimit", OPTIONAL)                            \
	F(STACK, TEB_TLS_SLOTS, "_TEB", "TlsSlots", OPTIONAL)                                      \
	F(STACK, PEB_LDR, "_PEB", "Ldr", OPTIONAL)                                                 \
	F(STACK, LDR_MODULES, "_PEB_LDR_DATA", "InLoadOrderModuleList", OPTIONAL)                  \
	F(STACK, MODULE_LINKS, "_LDR_DATA_TABLE_ENTRY|_KLDR_DATA_TABLE_ENTRY", "InLoadOrderLinks", \
	  OPTIONAL)                                                                                \
	F(STACK, MODULE_BASE, "_LDR_DATA_TABLE_ENTRY|_KLDR_DATA_TABLE_ENTRY", "DllBase", OPTIONAL) \
	F(STACK, MODULE_SIZE, "_LDR_DATA_TABLE_ENTRY|_KLDR_DATA_TABLE_ENTRY", "SizeOfImage",       \
	  OPTIONAL)                                                                                \
	F(STACK, MODULE_NAME, "_LDR_DATA_TABLE_ENTRY|_KLDR_DATA_TABLE_ENTRY", "BaseDllName",       \
	  OPTIONAL)
DECLARE_FIELDS(stack, STACK_FIELDS);

enum {
	STACK_MAX_FRAMES = 1024,
	STACK_NUM_HOMES = 4,
};

enum frame_found {
	FRAME_CONTEXT,	  /* the first: registers of the processor, or saved ones */
	FRAME_UNWIND,	  /* its caller's address by unwind data */
	FRAME_TRAP_FRAME, /* what a trap, interrupt or system call interrupted */
	FRAME_POINTER,	  /* by the chain of frame pointers (32-bit code) */
	FRAME_SCAN,	  /* a plausible return address on the stack: may be a stale one */
	NUM_FRAME_FOUND
};
/* "context", "unwind", "trap_frame", "frame_pointer", "scan" */
const char *frame_found_name(enum frame_found found);

struct stack_frame {
	enum frame_found found;
	bool is_32bit;
	uint64_t rip;
	uint64_t child_sp; /* RSP while the frame's function waits for its callee */
	bool has_return;
	uint64_t return_address; /* RIP of the next frame; 0: there is none, the stack ends */
	bool in_image;		 /* RIP is in an image that is known */
	const char *module;	 /* NULL: none, or its name is absent */
	uint64_t offset;	 /* of RIP in the image */
	const char *symbol;	 /* NULL: unknown */
	int64_t symbol_offset;	 /* of RIP to it; below 0 in a function's part that lies apart */
	unsigned num_homes;
	uint64_t homes[STACK_NUM_HOMES]; /* the function's register parameters' homes */
	struct unwind_context registers; /* of 32-bit frames: as their 64-bit namesakes */
};

struct stack {
	struct opt_u64 pid, tid, cpu; /* cpu: the thread was running on it */
	uint64_t ethread;	      /* 0: unknown */
	const struct stack_frame *frames;
	size_t count;
	const char *end; /* why there are no more frames */
};

/*
 * Whose stacks: the first that is set; with both, the tid is looked for in the process. Nothing:
 * the processor whose registers the snapshot has.
 */
struct stack_query {
	bool all; /* of every thread of every process */
	struct opt_u64 tid, pid, cpu;
};

/* Called for each stack; what it points to is valid during the call. */
typedef struct error *stack_visit_fn(void *arg, const struct stack *stack);

/*
 * Walks the stacks. NOT_FOUND when no thread or processor is meant by the query. What cannot be
 * read goes to the kernel's diag. An error of visit ends the walk and is returned.
 */
MUST_CHECK struct error *stacks_read(struct kernel *k, const struct stack_query *query,
				     stack_visit_fn *visit, void *arg);

#endif
