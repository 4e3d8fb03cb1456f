/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PAGING_MASK_H
#define WINDOWS_PAGING_MASK_H

#include "memory/space.h"
#include "windows/paging/pte.h"

/*
 * Where no symbol says whether not-present entries are disguised, the entries do: one without
 * SwizzleBit has the bits of the mask set, or there is no mask. Looks at what is in transition or
 * demand zero in the upper half of the space, a few thousand stretches at most; the first such
 * entry decides between no mask and the usual one. Leaves config as it is if there is none.
 */
void find_invalid_pte_mask(struct space *kernel, struct windows_pte_config *config);

#endif
