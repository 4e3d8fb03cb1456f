/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_ELF_REGISTERS_H
#define FORMATS_ELF_REGISTERS_H

#include "base/cursor.h"
#include "memory/registers.h"

/*
 * Processor state as the writers of ELF cores lay it out. Each takes a cursor over one record,
 * fills what the record tells and sets its bits in ret->known; what others filled stays. False
 * when the record is too short or of a version without registers; ret is then untouched.
 */

/* NT_PRSTATUS of x86-64 Linux (struct elf_prstatus with user_regs_struct). Segment bases are
 * left out: QEMU writes zeros there. */
MUST_CHECK bool elf_registers_prstatus(struct cursor c, struct registers *ret);
/* QEMU's note of type 0 (QEMUCPUState in target/i386/arch_dump.c). */
MUST_CHECK bool elf_registers_qemu(struct cursor c, struct registers *ret);
/* VirtualBox's NT_VBOXCPU (DBGFCORECPU in VBox/vmm/dbgfcorefmt.h). */
MUST_CHECK bool elf_registers_vbox(struct cursor c, struct registers *ret);
/* Xen's vcpu_guest_context_x86_64 (public/arch-x86/xen.h, xen-x86_64.h). */
MUST_CHECK bool elf_registers_xen(struct cursor c, struct registers *ret);
enum { ELF_XEN_CONTEXT_SIZE = 5168 };

#endif
