/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FILE_LIST_H
#define WINDOWS_FILE_LIST_H

#include "windows/objects/object_manager.h"
#include "windows/regions/file_object.h"

/* File objects and control areas, each once, from all places that lead to one. */
enum file_found {
	FILE_BY_HANDLE = 1 << 0, /* a process has it open */
	FILE_BY_REGION = 1 << 1, /* the section of a region was made of it */
	FILE_BY_SCAN = 1 << 2,	 /* its pool block was found in memory */
};

enum { MAX_FILE_OBJECTS = 1 << 22, MAX_CONTROL_AREAS = 1 << 22 };

struct listed_file {
	struct file_object object;
	const char *path; /* with the device; NULL: none or absent */
	unsigned found;	  /* enum file_found */
	uint64_t handles; /* in the listed processes */
	uint64_t regions; /* that map it */
};

struct file_list {
	struct arena arena;	   /* owns the strings */
	struct listed_file *items; /* by address */
	size_t count;
	uint64_t *areas; /* control areas of these files, of regions and of section objects */
	size_t num_areas;
	uint64_t without_address; /* found by the scan in pages that the kernel does not map */
};

struct file_list_options {
	bool scan;	    /* also files whose pool blocks are anywhere in memory */
	struct opt_u64 pid; /* only of the process with this id, listed or not; no scan */
};

/*
 * The files and control areas of the listed processes' handles and regions. What cannot be read of
 * tables and trees goes to the kernel's diag, and so do names that are absent. NOT_FOUND: no
 * process has the id.
 */
MUST_CHECK struct error *file_list_read(struct kernel *k, struct object_manager *om,
					const struct file_list_options *options,
					struct file_list *ret);
void file_list_deinit(struct file_list *list); /* a zeroed one is fine */

#endif
