/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PTE_H
#define WINDOWS_PTE_H

#include "arch/amd64/paging.h"

/*
 * What Windows keeps in an entry that hardware calls not present (MMPTE_SOFTWARE,
 * MMPTE_TRANSITION, MMPTE_PROTOTYPE of the public ntoskrnl PDBs): bit 10 prototype, bit 11
 * transition. Frame numbers may be stored with the bits of InvalidPteMask flipped (L1TF); bit 4
 * (SwizzleBit) set means they are stored as they are.
 */
enum {
	WINDOWS_PTE_SWIZZLE = 1 << 4,
	WINDOWS_PTE_PROTOTYPE = 1 << 10,
	WINDOWS_PTE_TRANSITION = 1 << 11
};

struct windows_pte_config {
	bool known;		   /* false: only bit 45, the usual mask, is removed */
	uint64_t invalid_pte_mask; /* MiState.Hardware.InvalidPteMask */
};
/* arg: const struct windows_pte_config *, or NULL for unknown. */
extern const struct soft_pte_ops windows_soft_pte;

#endif
