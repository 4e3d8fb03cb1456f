/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PROCESS_IMAGE_H
#define WINDOWS_PROCESS_IMAGE_H

#include "windows/process/process.h"

/* The image that a process was made from. */

#define PROCESS_IMAGE_FIELDS(F)                                                \
	F(PROCESS_IMAGE, SECTION, "_EPROCESS", "SectionBaseAddress", OPTIONAL) \
	F(PROCESS_IMAGE, PEB_IMAGE_BASE, "_PEB", "ImageBaseAddress", OPTIONAL)
DECLARE_FIELDS(process_image, PROCESS_IMAGE_FIELDS);

/*
 * Its base; s: the process's own space. The PEB is in the process's hands: where it names another
 * base than the kernel's section base, that is what runs. NOT_FOUND: the process has no image, or
 * both are absent.
 */
MUST_CHECK struct error *process_image_find(struct kernel *k, const struct process *p,
					    struct space *s, uint64_t *base_ret);

#endif
