/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_CRASH_HEADER_H
#define FORMATS_WRITERS_CRASH_HEADER_H

#include "formats/crashdump/parts.h"
#include "formats/writers/crash_facts.h"

/* DUMP_HEADER64 of a crash dump that is written; the layout: formats/crashdump/layout.h. */
struct crash_header {
	const struct crash_facts *facts;
	uint32_t type; /* DumpType */
	/* The physical memory block, at most CRASH_MAX_HEADER_RUNS of whole pages. 0: what
	 * facts->header says stands, and is left open where there is none. */
	const struct mem_range *runs;
	size_t num_runs;
	uint64_t size;	     /* of the file, in bytes */
	const char *comment; /* where facts->header has none; cut to what there is room for */
};

/*
 * A machine that did not crash gets bug check 0, no exception, and no context but a saved one, as
 * LiveKD's dumps of running machines do: nothing in the header tells of a crash that did not
 * happen. What is not known reads 0 where debuggers expect an address, "PAGE" elsewhere, as in
 * dumps that Windows writes.
 */
void crash_header_build(const struct crash_header *h, uint8_t ret[CRASH_HEADER_SIZE]);

/* Has a carried over header a physical memory block? */
bool crash_header_has_runs(const uint8_t *header);

#endif
