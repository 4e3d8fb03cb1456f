/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_EVENT_H
#define WINDOWS_EVENT_H

#include "arch/amd64/interrupts.h"
#include "windows/crash/exception.h"
#include "windows/kernel/kernel.h"
#include "windows/thread/trap_frame.h"

/*
 * The snapshot as an event: why the machine stopped, as far as a bug check, an exception record
 * or a trap frame says so, and which of them did. A live snapshot has no such reason.
 * Parameters of bug checks: "Bug check code reference" of Microsoft's driver documentation.
 */
struct memory_access {
	bool has_va; /* false: an access whose address the processor did not tell */
	uint64_t va;
	bool has_pa; /* va translates, to a page that need not be captured */
	uint64_t pa;
	enum access_kind access;
};

struct event {
	bool is_memory_access;
	struct memory_access memory;
	bool has_vector;
	unsigned vector;
	enum interrupt_type type; /* valid if has_vector */
	bool has_error_code;
	uint32_t error_code; /* that the processor pushed */
	bool has_exception;
	uint32_t exception; /* NTSTATUS */
	bool has_rip;	    /* of the instruction */
	uint64_t rip;
	bool has_gfn; /* rip translates */
	uint64_t gfn;
	bool has_context, has_trap_frame;
	uint64_t context, trap_frame; /* addresses of the records that the bug check names */
	/* What says all this, in order: "bug check 0x50, parameters 1 and 2; ..."; "" when nothing
	 * does. Owned by the arena given. */
	const char *evidence;
};

/* NULL: it is none. */
const struct memory_access *event_as_memory_access(const struct event *e);
/* Did the event come through an interrupt or exception vector that is known? */
bool event_as_interrupt(const struct event *e, unsigned *vector_ret, enum interrupt_type *type_ret);
/* INT3: #BP, or STATUS_BREAKPOINT. */
bool event_is_software_breakpoint(const struct event *e);

/*
 * The event of an open kernel's snapshot. False: nothing says why it was taken, then only
 * ret->evidence is set. A crash dump's own exception record counts only where it is not what the
 * dump's writer puts there for every bug check. NO_MEMORY only.
 */
MUST_CHECK struct error *event_read(struct kernel *k, struct arena *a, bool *found_ret,
				    struct event *ret);
/* The page fault whose trap frame this is. */
MUST_CHECK struct error *event_of_page_fault(struct kernel *k, const struct trap_frame *frame,
					     struct arena *a, struct event *ret);

#endif
