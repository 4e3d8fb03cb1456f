/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_HIVE_BIN_H
#define WINDOWS_REGISTRY_HIVE_BIN_H

#include "windows/registry/hive.h"

/* Bins, one behind the other in each storage. */
struct hive_bin {
	uint32_t offset; /* as of a cell: CELL_VOLATILE for the second storage */
	uint32_t size;	 /* bytes; one block where the bin's header is absent or none */
	bool has_header;
	uint32_t absent;	 /* blocks that are not in the snapshot */
	struct hive_fault fault; /* the first that is absent or wrong; why NULL: none is */
};

/*
 * The bin at an offset: 0 or CELL_VOLATILE, or the end of the one before. False: the storage ends
 * there.
 */
MUST_CHECK bool hive_bin_at(const struct hive *h, uint32_t offset, struct hive_bin *ret);
static inline uint32_t hive_bin_end(const struct hive_bin *bin)
{
	return bin->offset + bin->size;
}

#endif
