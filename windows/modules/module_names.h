/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_MODULE_NAMES_H
#define WINDOWS_MODULE_NAMES_H

#include "windows/kernel/kernel.h"

/*
 * Which module an address of any process is in: kernel modules, and where none is the driver object
 * whose image it is ("driver \Driver\hidden"); the modules of the process's loader lists, and where
 * these know none the file that is mapped there. Reads a process when it is first asked about.
 * Borrows the kernel. Not safe across threads.
 */
struct module_names;

MUST_CHECK struct error *module_names_open(struct kernel *k, struct module_names **ret);
void module_names_close(struct module_names *names); /* NULL ok */

/*
 * *ret: the module's base name ("ntdll.dll"), NULL: in none, or unknown. Borrowed until the next
 * call. eprocess: whose address it is, 0: unknown. Errors: NO_MEMORY and what ends listings.
 */
MUST_CHECK struct error *module_names_find(struct module_names *names, uint64_t eprocess,
					   uint64_t va, const char **ret);

#endif
