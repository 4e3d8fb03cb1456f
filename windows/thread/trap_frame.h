/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_TRAP_FRAME_H
#define WINDOWS_TRAP_FRAME_H

#include "windows/kernel/kernel.h"

/* KTRAP_FRAME: what the kernel's entry code saves of what it interrupted. */
#define TRAP_FIELDS(F)                                                   \
	F(TRAP, RAX, "_KTRAP_FRAME", "Rax", REQUIRED)                    \
	F(TRAP, RCX, "_KTRAP_FRAME", "Rcx", REQUIRED)                    \
	F(TRAP, RDX, "_KTRAP_FRAME", "Rdx", REQUIRED)                    \
	F(TRAP, R8, "_KTRAP_FRAME", "R8", REQUIRED)                      \
	F(TRAP, R9, "_KTRAP_FRAME", "R9", REQUIRED)                      \
	F(TRAP, R10, "_KTRAP_FRAME", "R10", REQUIRED)                    \
	F(TRAP, R11, "_KTRAP_FRAME", "R11", REQUIRED)                    \
	F(TRAP, RBP, "_KTRAP_FRAME", "Rbp", REQUIRED)                    \
	F(TRAP, RIP, "_KTRAP_FRAME", "Rip", REQUIRED)                    \
	F(TRAP, RSP, "_KTRAP_FRAME", "Rsp", REQUIRED)                    \
	F(TRAP, CS, "_KTRAP_FRAME", "SegCs", REQUIRED)                   \
	F(TRAP, SS, "_KTRAP_FRAME", "SegSs", REQUIRED)                   \
	F(TRAP, EFLAGS, "_KTRAP_FRAME", "EFlags", REQUIRED)              \
	F(TRAP, FAULT_ADDRESS, "_KTRAP_FRAME", "FaultAddress", REQUIRED) \
	F(TRAP, ERROR_CODE, "_KTRAP_FRAME", "ErrorCode", REQUIRED)       \
	F(TRAP, PREVIOUS_MODE, "_KTRAP_FRAME", "PreviousMode", OPTIONAL) \
	F(TRAP, PREVIOUS_IRQL, "_KTRAP_FRAME", "PreviousIrql", OPTIONAL)
DECLARE_FIELDS(trap, TRAP_FIELDS);

/*
 * The registers that every frame has. RBX, RSI, RDI and R12 to R15 are saved by some entries
 * only, or elsewhere: the frame does not tell.
 */
struct trap_frame {
	uint64_t va;
	uint64_t rax, rcx, rdx, r8, r9, r10, r11, rbp, rip, rsp, rflags;
	uint16_t cs, ss;
	/* Of a page fault: CR2 and the error code. Other entries keep other things there. */
	uint64_t fault_address;
	uint32_t error_code;
	uint8_t previous_mode, previous_irql; /* 0xff: not known */
};

/*
 * False: the build's layout is not known, bytes are absent, or the code segment is none that
 * Windows has (then it is no trap frame). *fault (may be NULL) as of the accessors of objects.
 */
MUST_CHECK bool trap_frame_read(struct kernel *k, uint64_t va, struct trap_frame *ret,
				struct fault *fault);

#endif
