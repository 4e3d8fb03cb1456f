/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_THREAD_CONTEXT_H
#define WINDOWS_THREAD_CONTEXT_H

#include "arch/amd64/context.h"
#include "arch/amd64/registers.h"
#include "windows/kernel/kernel.h"

/* The registers that Windows saved of a thread, and where. */

#define THREAD_CONTEXT_FIELDS(F)                                             \
	F(THREAD_CONTEXT, KERNEL_STACK, "_KTHREAD", "KernelStack", OPTIONAL) \
	F(THREAD_CONTEXT, TRAP_FRAME, "_KTHREAD", "TrapFrame", OPTIONAL)     \
	F(THREAD_CONTEXT, TEB, "_KTHREAD", "Teb", OPTIONAL)                  \
	F(THREAD_CONTEXT, TEB_TLS_SLOTS, "_TEB", "TlsSlots", OPTIONAL)
DECLARE_FIELDS(thread_context, THREAD_CONTEXT_FIELDS);

/*
 * KSWITCH_FRAME at KTHREAD.KernelStack of a thread that does not run: what SwapContext pushed.
 * No public symbols have it; ketypes.h of the ReactOS headers does, the same for all versions.
 */
struct switch_frame {
	uint64_t rbp, rip; /* where the thread goes on */
	uint64_t rsp;	   /* there */
};
/* False: bytes are absent. */
MUST_CHECK bool switch_frame_read(struct space *s, uint64_t kernel_stack, struct switch_frame *ret);

/*
 * The 32-bit registers of a WoW64 thread while it is in 64-bit code. TlsSlots[1] of the 64-bit TEB
 * points to WOW64_CPURESERVED {Flags u16, Machine u16}, which an x86 CONTEXT follows (ntdll of
 * Wine); before Windows 10 to four other bytes and the same CONTEXT ("WOW64_CONTEXT structure",
 * Windows SDK documentation). slots: address of TlsSlots. False: absent, or no such context.
 */
MUST_CHECK bool wow64_context_read(struct space *s, uint64_t slots, struct context *ret,
				   uint64_t *va_ret);

/* One record, and which registers it holds. */
struct saved_context {
	const char *source; /* "switch_frame", "trap_frame", "wow64" */
	uint64_t va;	    /* of the record */
	unsigned width;	    /* 8, or 4: eax as rax ... */
	bool known[NUM_REGISTERS];
	struct registers registers; /* by known[] alone, not by groups */
};

enum { MAX_SAVED_CONTEXTS = 3 };
struct saved_contexts {
	struct saved_context items[MAX_SAVED_CONTEXTS];
	size_t count;
};

/* Whose registers. */
struct saved_contexts_of {
	uint64_t ethread;
	struct space *space; /* of its process; NULL: it cannot be opened */
	bool wow64;	     /* its process is a 32-bit one */
	bool running;	     /* a processor runs it: its switch frame is an old one */
};

/* The kernel's record first. What should be there and is absent goes to the kernel's diag. */
MUST_CHECK struct error *saved_contexts_read(struct kernel *k, const struct saved_contexts_of *of,
					     struct saved_contexts *ret);
/* Has a record of this width such a register at all? */
bool saved_context_has(const struct saved_context *c, enum register_id id);

#endif
