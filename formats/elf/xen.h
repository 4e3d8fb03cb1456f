/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_ELF_XEN_H
#define FORMATS_ELF_XEN_H

#include "formats/elf/file.h"
#include "formats/format.h"

/*
 * Xen's dump-core files: no program headers, pages in section .xen_pages and their frame numbers
 * in .xen_pfn or .xen_p2m (Xen docs/misc/dump-core-format.txt).
 */
bool elf_xen_is_core(const struct file *file, const struct elf_header *header);
MUST_CHECK struct error *elf_xen_open(const struct file *file, const struct elf_header *header,
				      struct physmem *mem, struct dump_info *info,
				      struct diag *diag);

#endif
