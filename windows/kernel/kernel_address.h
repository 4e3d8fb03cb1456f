/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_ADDRESS_H
#define WINDOWS_KERNEL_ADDRESS_H

#include "windows/object.h"

/* Could a structure of the kernel be there: in the kernel's half, with four levels of page tables
 * or five, and not at its very end? */
static inline bool kernel_address_is_plausible(uint64_t va)
{
	return va >> 56 == 0xff && va <= UINT64_MAX - PAGE_SIZE;
}

/* A pointer that is not NULL. */
static inline struct opt_u64 object_pointer(struct object *o, unsigned field)
{
	struct opt_u64 ret = object_opt(o, field);

	ret.present = ret.present && ret.value;
	return ret;
}

#endif
