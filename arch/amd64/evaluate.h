/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_EVALUATE_H
#define ARCH_AMD64_EVALUATE_H

#include "arch/amd64/disasm.h"
#include "memory/space.h"

/*
 * What a short function computes, told in terms of its arguments: no value is run, only followed.
 * Jumps are followed, conditional ones both ways, direct calls entered, all within limits.
 * Calling convention: Microsoft x64 (arguments in RCX, RDX, R8, R9; result in RAX).
 */
enum {
	EVALUATE_MAX_STEPS = 256, /* instructions over all paths */
	EVALUATE_MAX_PATHS = 8,
	EVALUATE_MAX_CALLS = 2, /* depth */
	EVALUATE_MAX_LOADS = 32,
	EVALUATE_MAX_NUMBERS = 16,
	EVALUATE_STACK_SLOTS = 16,
};

enum value_base {
	VALUE_UNKNOWN,
	VALUE_NUMBER,	/* offset alone */
	VALUE_ARGUMENT, /* argument `index` + offset */
	VALUE_LOAD,	/* what loads[index] gives, + offset */
	VALUE_GS,	/* the GS base + offset; as an address only */
	VALUE_STACK,	/* RSP on entry + offset */
};

struct value {
	enum value_base base;
	unsigned index;
	uint64_t offset; /* wraps: a negative offset is a large number */
	uint64_t va;	 /* of the instruction that computed it; 0: none did */
};

/* A read of memory off the stack. */
struct load {
	struct value address; /* VALUE_UNKNOWN: not known */
	bool indexed;	      /* an unknown multiple of something is added to the address */
	unsigned size;	      /* bytes */
	uint64_t va;	      /* of the instruction */
};

enum evaluate_end {
	EVALUATE_DONE,	 /* every path returned */
	EVALUATE_ABSENT, /* code is absent; fault tells where */
	EVALUATE_BROKEN, /* a path led to bytes that are no code, or wrote to a wild address */
	EVALUATE_LIMIT,
	EVALUATE_INDIRECT, /* a jump to an unknown address */
};

/* In the order in which they were met; each load and number once. */
struct evaluation {
	struct load loads[EVALUATE_MAX_LOADS];
	size_t num_loads;
	struct value results[EVALUATE_MAX_PATHS];
	size_t num_results;
	uint64_t numbers[EVALUATE_MAX_NUMBERS]; /* 64-bit immediates */
	size_t num_numbers;
	enum evaluate_end end; /* of the first path that did not return, or EVALUATE_DONE */
	uint64_t end_va;
	struct fault fault; /* EVALUATE_ABSENT */
};

void evaluate(struct disasm *d, struct space *s, uint64_t va, struct evaluation *ret);
/* Disassembles the one instruction at va. */
MUST_CHECK bool evaluate_decode(struct disasm *d, struct space *s, uint64_t va,
				struct instruction *ret, struct fault *fault);

/*
 * The place in argument `index` that v comes from: v is LOAD(LOAD(argument + offset) ...): follows
 * the loads inwards. depth_ret: 0 for the address argument + offset itself, else the number of
 * loads; size_ret: of the innermost load, 0 for an address. va_ret: the instruction that names
 * the offset.
 */
struct value_origin {
	enum value_base base; /* VALUE_ARGUMENT or VALUE_GS */
	unsigned argument;
	uint64_t offset;
	unsigned depth, size;
	uint64_t va;
	unsigned outer; /* depth >= 2: index of the load next to the innermost one */
};
MUST_CHECK bool evaluate_origin(const struct evaluation *e, const struct value *v,
				struct value_origin *ret);

#endif
