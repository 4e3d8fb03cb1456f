/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_DUMP_FACTS_H
#define WINDOWS_DUMP_FACTS_H

#include "formats/writer.h"
#include "windows/kernel/kernel.h"

/*
 * What a crash dump of the machine needs to know from its kernel: the header's facts, and what
 * debuggers expect otherwise in memory than a running machine has it:
 *
 *	KDBG	decoded where it is encoded, as Windows does before it writes a dump
 *	CONTEXT	of each processor whose registers the snapshot's format tells: debuggers show
 *		what is there, which is as old as the kernel's last save. QEMU's win-dmp does so
 *		too (dump/win_dump.c); a machine that crashed is no exception.
 *
 * Of the latter only what differs. The header's context is that of processor 0: as the format
 * tells it, else as the kernel saved it.
 */
struct dump_facts {
	struct crash_facts crash;
	struct write_patch *patches; /* [num_patches] */
	size_t num_patches;
};

/* All that is returned belongs to a, or to the snapshot. NO_MEMORY only; what could not be read is
 * left open, and said to the kernel's diag. */
MUST_CHECK struct error *dump_facts_read(struct kernel *k, struct arena *a, struct dump_facts *ret);

#endif
