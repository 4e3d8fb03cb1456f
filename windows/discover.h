/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_DISCOVER_H
#define WINDOWS_DISCOVER_H

#include "memory/registers.h"
#include "windows/profile.h"

/*
 * The kernel's layouts from the snapshot itself, for a build that nothing else knows. Two kinds of
 * evidence: code (exported accessors of ntoskrnl are a few instructions around a structure
 * offset) and data (rings that close, pointers to allocations with the right tag, tables that map
 * the kernel, ...), which is checked on System and the processes listed next to it. What is not
 * shown by them is not answered, and named with the reason.
 */
enum discover_confidence {
	DISCOVER_LIKELY,  /* one kind of evidence, or few samples */
	DISCOVER_CERTAIN, /* code and data agree, or data that nothing else can look like */
};

enum discover_kind {
	DISCOVER_FIELD,	  /* value: offset */
	DISCOVER_TYPE,	  /* value: size of the type; path "" */
	DISCOVER_GLOBAL,  /* value: RVA; path: name, type "" */
	DISCOVER_VALUE,	  /* value of a variable whose place is not known; path: name, type "" */
	DISCOVER_MISSING, /* tried in vain; evidence says why. type "" for a global */
	NUM_DISCOVER_KINDS
};

struct discover_row {
	enum discover_kind kind;
	const char *type, *path;
	uint64_t value;
	uint32_t size;		   /* of a field, in bytes; 0: not known (an aggregate) */
	uint8_t bit_pos, bit_size; /* bit_size 0: not a bit field */
	enum discover_confidence confidence;
	const char *evidence; /* "PsGetProcessId at 0x...: mov rax, qword ptr [rcx + 0x440]; ..." */
};

/*
 * A source of kind "discovery" for the kernel that is mapped in space. Its answers are exact for
 * this kernel, though not complete. mem, levels: what space reads, for the spaces of processes.
 * regs: the first processor's, NULL if unknown. system_process: EPROCESS of System where the
 * caller knows it, else 0. Contradictions between code and data are noted in diag. All arguments
 * are borrowed during the call only. NOT_FOUND when no field at all could be established; the
 * message says why.
 */
MUST_CHECK struct error *discover_open(struct space *space, const struct pe_image *kernel,
				       struct physmem *mem, unsigned levels,
				       const struct registers *regs, uint64_t system_process,
				       struct diag *diag, struct profile_source **ret);

/* What a source of discover_open() established and what it missed, in a fixed order. False: index
 * is past the end. Strings are borrowed until the source is destroyed. */
bool discover_evidence(const struct profile_source *src, size_t index, struct discover_row *ret);
/* "certain", "likely" */
const char *discover_confidence_name(enum discover_confidence confidence);

/*
 * Does p's layout hold on the System process at system_process and on what its links lead to:
 * name, id, links that point back, a page table that maps the kernel? NULL, or CORRUPT with the
 * first thing that does not hold. What is absent from the snapshot is not held against p.
 * mem may be NULL (page tables are not checked then).
 */
MUST_CHECK struct error *discover_check_profile(struct space *space, const struct pe_image *kernel,
						struct physmem *mem, unsigned levels,
						uint64_t system_process, const struct profile *p);

#endif
