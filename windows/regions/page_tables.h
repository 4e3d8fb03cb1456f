/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PAGE_TABLES_H
#define WINDOWS_PAGE_TABLES_H

#include "windows/kernel/kernel.h"

/*
 * The page tables below a root and nothing else, for listing: space_next() gives entries that are
 * not present in the states that Windows' software bits say, whether or not their bytes can be
 * had. What is to be read is read through kernel_open_space(). Owned by the caller; UNSUPPORTED
 * on triage dumps.
 */
MUST_CHECK struct error *page_tables_open(struct kernel *k, uint64_t root, struct space **ret);
/* The same entries, resolved: space_next() gives those whose bytes can be had, in the states that
 * kernel_open_space() knows. */
MUST_CHECK struct error *page_tables_open_resolved(struct kernel *k, uint64_t root,
						   uint64_t eprocess, struct space **ret);

#endif
