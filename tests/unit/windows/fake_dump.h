/* SPDX-License-Identifier: MIT */
#ifndef FAKE_DUMP_H
#define FAKE_DUMP_H

#include "windows/kernel/kernel.h"

/*
 * A kernel of eight pages with what a crash dump wants to know: KDBG, the variables that it names,
 * two processors and KUSER_SHARED_DATA. KDBG and the first context each cross into the next page.
 * Its space is linear: physical address 0 is at FAKE_DUMP_BASE. Criterion is not needed.
 */
enum {
	FAKE_DUMP_SIZE = 0x8000,
	/* where things are, from the base on and in physical memory */
	FAKE_DUMP_KDBG = 0xf00,
	FAKE_DUMP_KDBG_SIZE = 0x380,
	FAKE_DUMP_PFN_DATABASE = 0x1400,
	FAKE_DUMP_BUGCHECK = 0x1410, /* five words */
	FAKE_DUMP_MEMORY_BLOCK = 0x1450,
	FAKE_DUMP_MEMORY = 0x1480, /* the block itself: two runs */
	FAKE_DUMP_PROCESSORS = 0x1600,
	FAKE_DUMP_KPRCB = 0x2000,	  /* of processor 0 */
	FAKE_DUMP_OTHER_KPRCB = 0x2800,	  /* of processor 1 */
	FAKE_DUMP_CONTEXT = 0x3f40,	  /* of processor 0: where its KPRCB points */
	FAKE_DUMP_OTHER_CONTEXT = 0x2900, /* of processor 1: in its KPRCB */
	FAKE_DUMP_SHARED_DATA = 0x7000,
	FAKE_DUMP_CPUS = 2,
};
#define FAKE_DUMP_BASE UINT64_C(0xfffff80000000000)

struct fake_dump {
	uint8_t bytes[FAKE_DUMP_SIZE];
	struct file file;
	struct snapshot snap;
	struct registers registers[FAKE_DUMP_CPUS]; /* for snap.info.registers */
	struct space space;
	struct kernel kernel;
	struct diag diag;
};

void fake_dump_init(struct fake_dump *f);
/* As a running kernel keeps KDBG. */
void fake_dump_encode_kdbg(struct fake_dump *f);
/* The snapshot's format tells all registers: those that the contexts have, but for RIP. */
void fake_dump_add_registers(struct fake_dump *f);
/* Captures the bytes but for the page of this number (none: -1), and makes f->kernel of them. */
void fake_dump_open(struct fake_dump *f, int absent_page);
void fake_dump_close(struct fake_dump *f);

#endif
