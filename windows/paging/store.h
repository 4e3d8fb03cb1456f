/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PAGING_STORE_H
#define WINDOWS_PAGING_STORE_H

#include "memory/space.h"

/*
 * The compressed store of Windows 10 and 11: a page file that is no file but memory of the process
 * MemCompression. No PDB describes it. Sources of every layout here: O. Sardar and D. Andonov,
 * "Finding Evil in Windows 10 Compressed Memory" (FireEye, 2019) and its win10_volatility, 14393 to
 * 18362; U. Frisk's MemProcFS, vmm/mm/mm_win.c, up to 26100.
 *
 *	entry of a page table -> page key = number of the page file << 28 | page in it
 *	SmGlobals: [32] -> [32] of SMKM_STORE_METADATA 0x28 {SMKM_STORE 0x00}
 *	      0x1c0 -> B+ tree: page key -> number of the store, 5 + 5 bits
 *	SMKM_STORE: B+ tree: page key -> region key
 *	      chunks: region key -> page record {key u32, length u16} or {-1, next region key u32}
 *	      regions: key of the record -> address in the owner process of the compressed bytes
 *
 * A node of a B+ tree fills a page: {count u16, level u8, leaf u8, leftmost child 0x08, from 0x10
 * on: leaf {key u32, value u32}, node {key u32, child 0x08}}, keys ascending.
 */
struct store_layout {
	uint32_t first_build;
	/* SmGlobals holds a pointer at `indirect`; what is described above is `back` bytes before
	 * where it points. 0: SmGlobals itself. */
	uint16_t indirect, back;
	uint16_t algorithm; /* of SMKM_STORE, u16; 0: not known where, LZ4 */
	uint16_t regions;   /* of SMKM_STORE: pointer to the array of regions */
	uint16_t owner;	    /* of SMKM_STORE: EPROCESS */
	uint32_t key_mask;  /* what of a page key is looked up */
};
/* NULL: the build has no store whose layout is known. */
const struct store_layout *store_layout_of(uint32_t build);

struct store {
	const struct store_layout *layout;
	struct space *space; /* borrowed: the kernel's */
	uint64_t globals;    /* SmGlobals */
};

enum store_algorithm { STORE_XPRESS, STORE_LZ4 };

/* Where one page is. */
struct store_page {
	unsigned store;	  /* number */
	uint64_t owner;	  /* EPROCESS */
	uint64_t address; /* in its space */
	unsigned length;  /* 0: zeros, 4096: as it is, else compressed */
	enum store_algorithm algorithm;
};

uint32_t store_key(const struct store *s, unsigned pagefile, uint64_t offset);
/*
 * Finds the page. False: it is not in the store, or a structure on the way is absent or damaged;
 * *why_ret says which, static. Trees are at most 8 levels deep, chains of records 16 long.
 */
MUST_CHECK bool store_find(const struct store *s, uint32_t key, struct store_page *ret,
			   const char **why_ret);
/* Reads and unpacks 4096 bytes; owner is the space of the process page->owner. */
MUST_CHECK bool store_unpack(const struct store_page *page, struct space *owner, uint8_t *ret,
			     const char **why_ret);

#endif
