/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_PRIVATE_H
#define WINDOWS_REGISTRY_PRIVATE_H

#include "windows/registry/registry.h"

/* What the files of this folder share. */
struct registry {
	struct kernel *k;
	struct arena arena;	   /* for as long as it is open */
	struct hive_memory memory; /* memory.process is owned */
	struct kcb_reader kcbs;
	struct registry_hive **hives; /* heap; what they point to is the arena's */
	size_t num_hives, capacity;
};

/* A hive that was read; source is kept. */
MUST_CHECK struct error *registry_add_hive(struct registry *r, const struct hive *h,
					   const char *source);
/* CmpHiveListHead: by the kernel's symbols, else the list head in the kernel's data that a hive's
 * entry points back to (list_head.c). False: there is none. */
MUST_CHECK bool registry_list_head(const struct registry *r, uint64_t *ret);
/* Finds the process that has the bins below the kernel's half, if there is one (process.c). */
MUST_CHECK struct error *registry_find_process(struct registry *r);

#endif
