/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_GLOBALS_H
#define WINDOWS_GLOBALS_H

#include "windows/kernel/kernel.h"

/*
 * Where the kernel's own variables are: by the profile's symbols, the crash dump's header, KDBG,
 * the export directory, and for list heads from the lists themselves. The first answer that
 * holds is taken; list heads must hang together. Fills k->globals, k->kdbg.
 */
void kernel_globals_find(struct kernel *k);
/* Looks for KDBG if nothing needed it before: k->has_kdbg. */
void kernel_need_kdbg(struct kernel *k);

#endif
