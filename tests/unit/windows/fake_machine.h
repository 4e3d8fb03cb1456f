/* SPDX-License-Identifier: MIT */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include "formats/format.h"

/*
 * A machine of 64 pages with just what the locator looks for: start block, page tables with a
 * self-map, the kernel of fake_kernel.h, System's KPROCESS, KPCR, IDT, KUSER_SHARED_DATA, and the
 * user root of KVA shadow, which maps no more of the kernel than KPCR.
 */
enum {
	FAKE_MEMORY = 0x40000,
	FAKE_STUB_PA = 0x3000,
	FAKE_ROOT = 0x10000,
	FAKE_PDPT = 0x11000,
	FAKE_PD = 0x12000,
	FAKE_PT = 0x13000,
	FAKE_IMAGE_PA = 0x14000, /* three pages */
	FAKE_SYSTEM_PA = 0x17000,
	FAKE_SHARED_PA = 0x18000,
	FAKE_SHARED_PDPT = 0x19000, /* and its PD and PT */
	FAKE_IDT_PA = 0x1c000,
	FAKE_KPCR_PA = 0x1d000,
	FAKE_SHADOW_PA = 0x1e000, /* KPCR + 0x9000 */
	FAKE_USER_ROOT = 0x20000, /* its PDPT, PD and PT follow */
	FAKE_COPY_PA = 0x28000,	  /* the kernel's file in the cache: three pages */
	FAKE_STALE_ROOT = 0x8000, /* of a process that is gone: below the true root */
	FAKE_OLD_RECORD_PA = 0x30100,
	FAKE_PML5 = 0x34000, /* maps FAKE_ROOT for 5 levels */
};
#define FAKE_KERNEL_BASE UINT64_C(0xfffff80000200000)
#define FAKE_ENTRY	 (FAKE_KERNEL_BASE + 0x80010)
#define FAKE_SYSTEM_VA	 (FAKE_KERNEL_BASE + 0x180080)
#define FAKE_IDT_VA	 (FAKE_KERNEL_BASE + 0x181000)
#define FAKE_KPCR_VA	 (FAKE_KERNEL_BASE + 0x182000)

struct fake_machine {
	uint8_t *bytes; /* [FAKE_MEMORY]; owned */
	struct file file;
	struct snapshot snap;
	struct registers regs;
};

/* Builds the memory; change bytes, then open. */
void fake_machine_init(struct fake_machine *m);
/* Captures all of it but the pages of `absent` (ends with 0). */
void fake_machine_open(struct fake_machine *m, const uint64_t *absent);
void fake_machine_deinit(struct fake_machine *m);
/* Registers of a processor that is in the kernel; levels 5: in FAKE_PML5. */
void fake_machine_add_cpu(struct fake_machine *m, uint64_t cr3, unsigned levels);

#endif
