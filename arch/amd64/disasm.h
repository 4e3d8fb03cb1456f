/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_DISASM_H
#define ARCH_AMD64_DISASM_H

#include "base/error.h"

/*
 * AMD64 instructions, one at a time, in a form that does not show which library decoded them
 * (capstone). Without that library the program builds all the same, and disasm_create() says so.
 */
enum { INSTRUCTION_MAX_LENGTH = 15, INSTRUCTION_TEXT_SIZE = 80, INSTRUCTION_MAX_OPERANDS = 3 };

/* General registers as the hardware numbers them. */
enum {
	REGISTER_RAX,
	REGISTER_RCX,
	REGISTER_RDX,
	REGISTER_RBX,
	REGISTER_RSP,
	REGISTER_RBP,
	REGISTER_RSI,
	REGISTER_RDI,
	REGISTER_R8,
	REGISTER_R9,
	REGISTER_R10,
	REGISTER_R11,
	NUM_GENERAL_REGISTERS = 16,
	REGISTER_NONE,	/* no base, no index */
	REGISTER_OTHER, /* not a general register, or the second byte of one */
};

enum operand_kind { OPERAND_NONE, OPERAND_REGISTER, OPERAND_NUMBER, OPERAND_MEMORY };

struct operand {
	enum operand_kind kind;
	unsigned size;		     /* bytes */
	unsigned reg;		     /* OPERAND_REGISTER */
	uint64_t number;	     /* OPERAND_NUMBER: sign-extended */
	unsigned base, index, scale; /* OPERAND_MEMORY */
	uint64_t displacement;	     /* RIP-relative: the address itself, base REGISTER_NONE */
	bool gs, fs, read, written;
};

enum instruction_kind {
	INSTRUCTION_OTHER,
	INSTRUCTION_MOVE, /* mov, movzx, movsx, movsxd */
	INSTRUCTION_LEA,
	INSTRUCTION_ADD,
	INSTRUCTION_SUB,
	INSTRUCTION_AND,
	INSTRUCTION_XOR,
	INSTRUCTION_PUSH,
	INSTRUCTION_POP,
	INSTRUCTION_JUMP,
	INSTRUCTION_BRANCH, /* conditional */
	INSTRUCTION_CALL,
	INSTRUCTION_RETURN,
	INSTRUCTION_STOP, /* int3, hlt, ud2, ...: code that never goes on */
};

struct instruction {
	uint64_t va;
	unsigned length;
	enum instruction_kind kind;
	unsigned num_operands; /* at most INSTRUCTION_MAX_OPERANDS are told */
	struct operand operands[INSTRUCTION_MAX_OPERANDS];
	uint32_t written; /* 1 << register, for each general register that changes */
	char text[INSTRUCTION_TEXT_SIZE];
};

struct disasm;
/* UNSUPPORTED: built without capstone. Use by one thread at a time. */
MUST_CHECK struct error *disasm_create(struct disasm **ret);
void disasm_destroy(struct disasm *d); /* NULL ok */
/* Decodes the instruction at the start of bytes, which lie at va. False: these bytes are none. */
MUST_CHECK bool disasm_decode(struct disasm *d, const uint8_t *bytes, size_t len, uint64_t va,
			      struct instruction *ret);

#endif
