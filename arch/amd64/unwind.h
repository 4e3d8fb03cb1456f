/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_UNWIND_H
#define ARCH_AMD64_UNWIND_H

#include "base/compiler.h"

/*
 * One step from a function to its caller by the tables that AMD64 images carry. Layout and rules:
 * "x64 exception handling" of Microsoft's C++ documentation; version 2 (epilogues named by codes)
 * as .NET's open unwinder reads it. Pure: memory and tables come through callbacks.
 */

/* Registers as unwind codes number them. */
enum unwind_register {
	UNWIND_RAX,
	UNWIND_RCX,
	UNWIND_RDX,
	UNWIND_RBX,
	UNWIND_RSP,
	UNWIND_RBP,
	UNWIND_RSI,
	UNWIND_RDI,
	UNWIND_R8,
	UNWIND_R9,
	UNWIND_R10,
	UNWIND_R11,
	UNWIND_R12,
	UNWIND_R13,
	UNWIND_R14,
	UNWIND_R15,
	UNWIND_NUM_REGISTERS
};
/* What a callee may change without telling. */
enum {
	UNWIND_VOLATILE = 1 << UNWIND_RAX | 1 << UNWIND_RCX | 1 << UNWIND_RDX | 1 << UNWIND_R8 |
			  1 << UNWIND_R9 | 1 << UNWIND_R10 | 1 << UNWIND_R11,
	UNWIND_VOLATILE_XMM = 0x3f,
};

/* Registers at one point of a thread. RIP and RSP are always known. */
struct unwind_context {
	uint64_t rip;
	uint64_t gpr[UNWIND_NUM_REGISTERS];
	uint16_t known;	    /* bit n: gpr[n] has a meaning */
	uint16_t known_xmm; /* bit n: xmm[n] has a meaning */
	uint64_t xmm[16][2];
};

/* RUNTIME_FUNCTION of winnt.h: RVAs. Bit 0 of info: it is the RVA of another RUNTIME_FUNCTION. */
struct runtime_function {
	uint32_t begin, end, info;
};
enum { RUNTIME_FUNCTION_SIZE = 12 };

enum function_lookup {
	FUNCTION_FOUND,
	FUNCTION_NONE,	 /* the table surely has no entry for it: a leaf function */
	FUNCTION_ABSENT, /* the table cannot be read there */
};

struct unwind_image {
	uint64_t base;
	/* All of [va, va + len), or false. */
	bool (*read)(void *arg, uint64_t va, void *buf, size_t len);
	/* The table's entry for an RVA of this image. */
	enum function_lookup (*find)(void *arg, uint32_t rva, struct runtime_function *ret);
	void *arg;
};

/* Operations, with the operands that they have. */
enum unwind_op {
	UNWIND_PUSH_NONVOL = 0,	    /* reg */
	UNWIND_ALLOC_LARGE = 1,	    /* value: bytes */
	UNWIND_ALLOC_SMALL = 2,	    /* value: bytes */
	UNWIND_SET_FPREG = 3,	    /* the info's frame register and offset */
	UNWIND_SAVE_NONVOL = 4,	    /* reg; value: offset in the frame */
	UNWIND_SAVE_NONVOL_FAR = 5, /* the same */
	UNWIND_EPILOG = 6,	    /* version 2. value: see struct unwind_info */
	UNWIND_SPARE = 7,	    /* no meaning */
	UNWIND_SAVE_XMM128 = 8,	    /* reg; value: offset in the frame */
	UNWIND_SAVE_XMM128_FAR = 9, /* the same */
	UNWIND_PUSH_MACHFRAME = 10, /* value: 1 with an error code, else 0 */
};

struct unwind_code {
	uint8_t offset; /* end of the instruction in the prologue */
	uint8_t op;	/* enum unwind_op */
	uint8_t reg;	/* and for EPILOG the four bits of information */
	uint32_t value;
};

enum unwind_flag {
	UNWIND_EXCEPTION_HANDLER = 1,
	UNWIND_TERMINATION_HANDLER = 2,
	UNWIND_CHAINED = 4,
};

enum { UNWIND_MAX_CODES = 255, UNWIND_MAX_CHAIN = 32 };

/* UNWIND_INFO, decoded. */
struct unwind_info {
	uint8_t version, flags, prolog_size;
	uint8_t frame_register; /* 0: none */
	uint16_t frame_offset;	/* bytes */
	unsigned num_codes;
	struct unwind_code codes[UNWIND_MAX_CODES];
	struct runtime_function chained; /* with UNWIND_CHAINED */
	uint32_t handler;		 /* RVA; with a handler flag, else 0 */
};

enum unwind_status {
	UNWIND_OK,
	UNWIND_ABSENT,	/* bytes that are needed are not there */
	UNWIND_CORRUPT, /* the tables contradict themselves */
	UNWIND_UNKNOWN, /* a register that is needed is not known */
	NUM_UNWIND_STATUSES
};
const char *unwind_status_text(enum unwind_status status);

/* How the caller was reached. */
struct unwind_step {
	bool machine_frame; /* by what the processor pushed: a trap, interrupt or system call */
	uint16_t cs;	    /* of the machine frame */
	bool leaf, epilogue;
};

/* The UNWIND_INFO at an RVA. Versions 1 and 2. */
MUST_CHECK enum unwind_status unwind_info_read(const struct unwind_image *image, uint32_t rva,
					       struct unwind_info *ret);

/*
 * From the function that context is in, which must lie in the image, to its caller. On success
 * context holds the caller's registers right after the call (volatile registers unknown) or, with
 * ret->machine_frame, those at the interrupted instruction. Untouched on failure. The caller checks
 * that the stack moves up and where RIP leads.
 */
MUST_CHECK enum unwind_status unwind_caller(const struct unwind_image *image,
					    struct unwind_context *context,
					    struct unwind_step *ret);

/* The first entry of a function of several fragments: where the chain from fn ends. */
MUST_CHECK enum unwind_status unwind_primary(const struct unwind_image *image,
					     const struct runtime_function *fn,
					     struct runtime_function *ret);

#endif
