/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_ADDRESS_H
#define WINDOWS_KERNEL_ADDRESS_H

#include "memory/physmem.h"

/* The upper half of any address space begins here. */
#define KERNEL_HALF (UINT64_C(1) << 63)

/* In the kernel's half, with four levels of page tables or five? */
static inline bool is_kernel_address(uint64_t va)
{
	return va >> 56 == 0xff;
}

/* Could a structure of the kernel be there: in its half, and not at the very end? */
static inline bool kernel_address_is_plausible(uint64_t va)
{
	return is_kernel_address(va) && va <= UINT64_MAX - PAGE_SIZE;
}

#endif
