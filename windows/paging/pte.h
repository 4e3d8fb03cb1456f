/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PTE_H
#define WINDOWS_PTE_H

#include "arch/amd64/paging.h"
#include "windows/profile.h"

/*
 * What Windows keeps in an entry that hardware calls not present (MMPTE_SOFTWARE,
 * MMPTE_TRANSITION, MMPTE_PROTOTYPE, MMPTE_SUBSECTION of the public ntoskrnl PDBs): bit 10
 * prototype, bit 11 transition. Frame numbers and offsets in a page file may be stored with the
 * bits of InvalidPteMask set (L1TF); bit 4 (SwizzleBit) set means they are stored as they are.
 */
enum {
	WINDOWS_PTE_SWIZZLE = 1 << 4,
	WINDOWS_PTE_PROTOTYPE = 1 << 10,
	WINDOWS_PTE_TRANSITION = 1 << 11
};
/* Of the machines whose processors need a mask, most have this one. */
#define WINDOWS_PTE_USUAL_MASK (UINT64_C(1) << 45)

#define SOFT_PTE_FIELDS(F)                                                  \
	F(SOFT_PTE, FILE_LOW, "_MMPTE_SOFTWARE", "PageFileLow", OPTIONAL)   \
	F(SOFT_PTE, SWIZZLE_BIT, "_MMPTE_SOFTWARE", "SwizzleBit", OPTIONAL) \
	F(SOFT_PTE, INVALID_MASK, "_MI_SYSTEM_INFORMATION", "Hardware.InvalidPteMask", OPTIONAL)
DECLARE_FIELDS(soft_pte, SOFT_PTE_FIELDS);

/* Zeroed: the layout of 17134 and later, with the mask that is usual. */
struct windows_pte_config {
	bool known;		   /* false: only bit 45, the usual mask, is removed */
	uint64_t invalid_pte_mask; /* MiState.Hardware.InvalidPteMask, MiInvalidPteMask */
	bool as_stored;		   /* the build has no SwizzleBit: nothing is ever disguised */
	uint8_t file_shift;	   /* of PageFileLow, 4 bits; 0: bit 12 */
};

/* An entry without PTE_PRESENT, decoded. */
enum windows_pte_kind {
	WINDOWS_PTE_ZERO,	 /* says nothing: ask the VAD tree */
	WINDOWS_PTE_IN_MEMORY,	 /* transition: pa */
	WINDOWS_PTE_AT_PROTO,	 /* the PTE at address says the rest */
	WINDOWS_PTE_AT_VAD,	 /* the VAD says where the prototype PTE is */
	WINDOWS_PTE_IN_PAGEFILE, /* file, offset */
	WINDOWS_PTE_DEMAND_ZERO,
	WINDOWS_PTE_DECOMMITTED, /* taken back after it was committed: nothing is there */
};

struct windows_pte {
	enum windows_pte_kind kind;
	uint64_t pa;
	uint64_t address; /* virtual, of a prototype PTE; of a prototype PTE itself: of what backs
			     it, a subsection */
	unsigned file;	  /* number of the page file */
	uint64_t offset;  /* in it, in bytes */
};
/* config may be NULL: as zeroed. */
struct windows_pte windows_pte_decode(const struct windows_pte_config *config, uint64_t entry);

/* Does a prototype PTE say that its page is only in its file, by a pointer instead of bits? */
bool windows_pte_is_file_pointer(uint64_t entry);

/* arg: const struct windows_pte_config *, or NULL for unknown. */
extern const struct soft_pte_ops windows_soft_pte;

#endif
