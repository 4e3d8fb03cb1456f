/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_CRASH_FACTS_H
#define FORMATS_WRITERS_CRASH_FACTS_H

#include "formats/format.h"

/*
 * What a crash dump's header says beyond the memory itself. Zero or NULL: not known, and the header
 * then leaves it open. The snapshot's format may know it (an input crash dump), else the kernel
 * does (windows/crash/dump_facts.h).
 */
struct crash_facts {
	/* A crash dump's header of CRASH_HEADER_SIZE bytes that is carried over: what it says
	 * stands, what it leaves open is filled in from the rest. */
	const uint8_t *header;
	struct dump_hints hints; /* kernel_base is not part of the header */
	uint32_t build, num_cpus;
	uint32_t product_type, suite_mask; /* VER_NT_*, VER_SUITE_* */
	uint64_t system_time;		   /* FILETIME */
	uint64_t system_uptime;		   /* 100 ns */
	struct bugcheck bugcheck;	   /* code 0: the machine did not crash */
	const uint8_t *context;		   /* CONTEXT of AMD64, CRASH_CONTEXT_SIZE bytes */
	/* Memory that the machine had: whole pages, in ascending order. */
	const struct mem_range *machine_runs;
	size_t num_machine_runs;
};

enum { CRASH_CONTEXT_SIZE = 0x4d0 };

/* What the snapshot's format says. Borrows from info. */
void crash_facts_init(const struct dump_info *info, struct crash_facts *ret);

#endif
