/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_VARIABLE_H
#define WINDOWS_KERNEL_VARIABLE_H

#include "windows/kernel/kernel.h"

/* The eight bytes of a variable of the kernel that its symbols name. False when they are not
 * known or absent, which goes to the kernel's diag as partial. */
MUST_CHECK bool kernel_variable_read(struct kernel *k, const char *name, uint64_t *ret);

#endif
