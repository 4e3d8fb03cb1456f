/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REVERSE_MAP_H
#define WINDOWS_REVERSE_MAP_H

#include "windows/kernel/kernel.h"

/* The other way through the page tables: at which kernel address is a physical page? */
struct mapped_page {
	uint64_t pa; /* of the page */
	struct opt_u64 va;
};

/*
 * Sets va of each page to its lowest address in the kernel's half of the kernel's space. The pages
 * stand in order of pa, each once. One pass over the tables, whatever the number of pages.
 */
void reverse_map_pages(struct kernel *k, struct mapped_page *pages, size_t count);

#endif
