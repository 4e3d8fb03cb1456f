/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_TABLES_SERVICE_CODE_H
#define WINDOWS_KERNEL_TABLES_SERVICE_CODE_H

#include "windows/kernel/kernel.h"

/*
 * Where KeServiceDescriptorTable and -Shadow are, by the code that takes them: the system call
 * handler of every 64-bit Windows loads both one after the other (KiSystemServiceRepeat, described
 * in many places, for one at
 * https://www.ired.team/miscellaneous-reversing-forensics/windows-kernel-internals/glimpse-into-ssdt-in-windows-x64-kernel).
 * False: that code, or what it points to, is not captured.
 */
MUST_CHECK bool service_descriptors_find(struct kernel *k, uint64_t *plain_ret,
					 uint64_t *shadow_ret);

#endif
