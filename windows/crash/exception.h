/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_EXCEPTION_H
#define WINDOWS_EXCEPTION_H

#include "arch/amd64/interrupts.h"
#include "base/cursor.h"
#include "formats/format.h"

/*
 * EXCEPTION_RECORD of 64- and 32-bit code, and what its code says of the processor. Layout and
 * codes: winnt.h and ntstatus.h of the Windows SDK.
 */
enum {
	EXCEPTION_RECORD64_SIZE = 0x98,
	EXCEPTION_RECORD32_SIZE = 0x50,
	EXCEPTION_MAX_PARAMETERS = 15,
};
#define STATUS_GUARD_PAGE_VIOLATION   UINT32_C(0x80000001)
#define STATUS_DATATYPE_MISALIGNMENT  UINT32_C(0x80000002)
#define STATUS_BREAKPOINT	      UINT32_C(0x80000003)
#define STATUS_SINGLE_STEP	      UINT32_C(0x80000004)
#define STATUS_ACCESS_VIOLATION	      UINT32_C(0xc0000005)
#define STATUS_IN_PAGE_ERROR	      UINT32_C(0xc0000006)
#define STATUS_ILLEGAL_INSTRUCTION    UINT32_C(0xc000001d)
#define STATUS_ARRAY_BOUNDS_EXCEEDED  UINT32_C(0xc000008c)
#define STATUS_INTEGER_DIVIDE_BY_ZERO UINT32_C(0xc0000094)
#define STATUS_PRIVILEGED_INSTRUCTION UINT32_C(0xc0000096)
#define STATUS_STACK_BUFFER_OVERRUN   UINT32_C(0xc0000409)
#define STATUS_ASSERTION_FAILURE      UINT32_C(0xc0000420)

/* width: bytes of a pointer, 4 or 8. False: cut short, or NumberParameters is more than there is
 * room for. 32-bit pointers and parameters are zero-extended. */
MUST_CHECK bool exception_record_read(struct cursor c, unsigned width,
				      struct exception_record *ret);
/* The vector through which the processor raised it; false where the code does not tell. */
MUST_CHECK bool exception_vector(uint32_t code, unsigned *ret);
/* Do the parameters of this code begin with the kind of access and the address? */
bool exception_names_access(uint32_t code);
/* ExceptionInformation[0] of such a code. */
enum access_kind exception_access(uint64_t parameter);

#endif
