/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_INTERRUPTS_H
#define ARCH_AMD64_INTERRUPTS_H

#include "base/compiler.h"

/*
 * Interrupt and exception vectors that the processor itself defines: AMD64 Architecture
 * Programmer's Manual vol. 2, 8.2; Intel SDM vol. 3A, 6.3. What an operating system puts at the
 * others is its own.
 */
enum {
	VECTOR_DIVIDE_ERROR = 0,
	VECTOR_DEBUG = 1,
	VECTOR_NMI = 2,
	VECTOR_BREAKPOINT = 3,
	VECTOR_OVERFLOW = 4,
	VECTOR_BOUND_RANGE = 5,
	VECTOR_INVALID_OPCODE = 6,
	VECTOR_DEVICE_NOT_AVAILABLE = 7,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_COPROCESSOR_OVERRUN = 9,
	VECTOR_INVALID_TSS = 10,
	VECTOR_SEGMENT_NOT_PRESENT = 11,
	VECTOR_STACK = 12,
	VECTOR_GENERAL_PROTECTION = 13,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_FLOATING_POINT = 16,
	VECTOR_ALIGNMENT_CHECK = 17,
	VECTOR_MACHINE_CHECK = 18,
	VECTOR_SIMD = 19,
	VECTOR_VIRTUALIZATION = 20,
	VECTOR_CONTROL_PROTECTION = 21,
	NUM_EXCEPTION_VECTORS = 32,
	NUM_VECTORS = 256,
};

struct vector_row {
	const char *mnemonic; /* "#PF"; NULL: no exception is defined here */
	const char *name;     /* "page fault" */
	bool error_code;      /* the processor pushes one */
};
extern const struct vector_row vector_rows[NUM_EXCEPTION_VECTORS];
/* The name of an exception vector; NULL where the processor defines none. */
const char *vector_name(unsigned vector);
/* Does the processor push an error code on the stack for this vector? */
bool vector_has_error_code(unsigned vector);

/* How an interrupt came about, as virtualization hardware numbers it (SDM vol. 3C, 24.8.3). */
enum interrupt_type {
	INTERRUPT_EXTERNAL = 0,
	INTERRUPT_NMI = 2,
	INTERRUPT_HARDWARE_EXCEPTION = 3,
	INTERRUPT_SOFTWARE = 4,		   /* INT n */
	INTERRUPT_PRIVILEGED_SOFTWARE = 5, /* INT1 */
	INTERRUPT_SOFTWARE_EXCEPTION = 6,  /* INT3, INTO */
};
/* The type that a vector has when nothing else is known; "external" from 32 on. */
enum interrupt_type vector_interrupt_type(unsigned vector);
const char *interrupt_type_name(enum interrupt_type type);

/* Bits of a page fault's error code (SDM vol. 3A, 4.7). */
enum page_fault_bit {
	PAGE_FAULT_PRESENT = 1 << 0, /* the page was there: its protection forbade the access */
	PAGE_FAULT_WRITE = 1 << 1,
	PAGE_FAULT_USER = 1 << 2,
	PAGE_FAULT_RESERVED = 1 << 3,
	PAGE_FAULT_EXECUTE = 1 << 4,
	PAGE_FAULT_KEY = 1 << 5,
	PAGE_FAULT_SHADOW_STACK = 1 << 6,
};

enum access_kind { ACCESS_UNKNOWN, ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE };
/* "read", "write", "execute"; NULL for ACCESS_UNKNOWN. */
const char *access_kind_name(enum access_kind kind);
enum access_kind page_fault_access(uint64_t error_code);

#endif
