/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_CPU_NOTES_H
#define FORMATS_WRITERS_CPU_NOTES_H

#include "formats/format.h"

/*
 * ELF notes with the registers of all processors, as QEMU's dump-guest-memory writes them: an
 * NT_PRSTATUS each, then a QEMUCPUState each. The n-th note of a kind is of processor n, so a kind
 * is written for the first processors that have all registers of it, and no register is ever made
 * up; what is left out is a note in diag. *ret is the caller's, NULL where there is nothing.
 */
MUST_CHECK struct error *cpu_notes_build(const struct dump_info *info, struct diag *diag,
					 uint8_t **ret, size_t *len_ret);

#endif
