/* SPDX-License-Identifier: MIT */
#include "arch/amd64/interrupts.h"

const struct vector_row vector_rows[NUM_EXCEPTION_VECTORS] = {
	[VECTOR_DIVIDE_ERROR] = { "#DE", "divide error", false },
	[VECTOR_DEBUG] = { "#DB", "debug", false },
	[VECTOR_NMI] = { "NMI", "non-maskable interrupt", false },
	[VECTOR_BREAKPOINT] = { "#BP", "breakpoint", false },
	[VECTOR_OVERFLOW] = { "#OF", "overflow", false },
	[VECTOR_BOUND_RANGE] = { "#BR", "bound range exceeded", false },
	[VECTOR_INVALID_OPCODE] = { "#UD", "invalid opcode", false },
	[VECTOR_DEVICE_NOT_AVAILABLE] = { "#NM", "device not available", false },
	[VECTOR_DOUBLE_FAULT] = { "#DF", "double fault", true },
	[VECTOR_COPROCESSOR_OVERRUN] = { "CSO", "coprocessor segment overrun", false },
	[VECTOR_INVALID_TSS] = { "#TS", "invalid TSS", true },
	[VECTOR_SEGMENT_NOT_PRESENT] = { "#NP", "segment not present", true },
	[VECTOR_STACK] = { "#SS", "stack fault", true },
	[VECTOR_GENERAL_PROTECTION] = { "#GP", "general protection", true },
	[VECTOR_PAGE_FAULT] = { "#PF", "page fault", true },
	[VECTOR_FLOATING_POINT] = { "#MF", "floating point error", false },
	[VECTOR_ALIGNMENT_CHECK] = { "#AC", "alignment check", true },
	[VECTOR_MACHINE_CHECK] = { "#MC", "machine check", false },
	[VECTOR_SIMD] = { "#XM", "SIMD floating point", false },
	[VECTOR_VIRTUALIZATION] = { "#VE", "virtualization", false },
	[VECTOR_CONTROL_PROTECTION] = { "#CP", "control protection", true },
};

const char *vector_name(unsigned vector)
{
	return vector < NUM_EXCEPTION_VECTORS ? vector_rows[vector].name : NULL;
}

bool vector_has_error_code(unsigned vector)
{
	return vector < NUM_EXCEPTION_VECTORS && vector_rows[vector].error_code;
}

enum interrupt_type vector_interrupt_type(unsigned vector)
{
	switch (vector) {
	case VECTOR_NMI:
		return INTERRUPT_NMI;
	case VECTOR_BREAKPOINT:
	case VECTOR_OVERFLOW:
		return INTERRUPT_SOFTWARE_EXCEPTION;
	default:
		return vector < NUM_EXCEPTION_VECTORS ? INTERRUPT_HARDWARE_EXCEPTION
						      : INTERRUPT_EXTERNAL;
	}
}

const char *interrupt_type_name(enum interrupt_type type)
{
	static const char *const names[] = {
		[INTERRUPT_EXTERNAL] = "external",
		[INTERRUPT_NMI] = "nmi",
		[INTERRUPT_HARDWARE_EXCEPTION] = "hardware_exception",
		[INTERRUPT_SOFTWARE] = "software",
		[INTERRUPT_PRIVILEGED_SOFTWARE] = "privileged_software",
		[INTERRUPT_SOFTWARE_EXCEPTION] = "software_exception",
	};

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : NULL;
}

const char *access_kind_name(enum access_kind kind)
{
	static const char *const names[] = {
		[ACCESS_READ] = "read",
		[ACCESS_WRITE] = "write",
		[ACCESS_EXECUTE] = "execute",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : NULL;
}

enum access_kind page_fault_access(uint64_t error_code)
{
	if (error_code & PAGE_FAULT_EXECUTE)
		return ACCESS_EXECUTE;
	return error_code & PAGE_FAULT_WRITE ? ACCESS_WRITE : ACCESS_READ;
}
