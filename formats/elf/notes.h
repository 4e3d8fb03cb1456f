/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_ELF_NOTES_H
#define FORMATS_ELF_NOTES_H

#include "formats/elf/file.h"
#include "formats/format.h"

/*
 * Fills info's registers and num_cpus from the notes of the program headers, and names the
 * format where a note does (VirtualBox). Damaged notes go to diag. Errors: NO_MEMORY.
 */
MUST_CHECK struct error *elf_notes_read(const struct file *file, const struct elf_header *header,
					struct dump_info *info, struct diag *diag);
/* The same of notes at [offset, offset + size) of a file that is no ELF file. */
MUST_CHECK struct error *elf_notes_read_at(const struct file *file, uint64_t offset, uint64_t size,
					   struct dump_info *info, struct diag *diag);

#endif
