/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PAGING_PAGING_H
#define WINDOWS_PAGING_PAGING_H

#include "memory/space.h"
#include "windows/paging/pte.h"
#include "windows/profile.h"

/*
 * Address spaces as Windows would show them: the page tables, and for what they call not present
 * the places where Windows keeps it.
 *
 *	transition	in memory, taken out of a working set: pa
 *	prototype	the PTE of a section, in the kernel's space, says where: in memory (pa), in
 *a page file, zeros; or only in the file that is mapped, which has no bytes here. Found by the
 *entry itself or by the FirstPrototypePte of the VAD. pagefile	bytes are there if the page file was
 *given compressed	a page file that is the compressed store: windows/paging/store.h demand_zero
 *Windows would make a page of zeros: these bytes are known
 *
 * Page tables that are in a page file are followed too. Nothing here can loop: prototype PTEs and
 * the store's structures are read through a space that follows neither.
 */
struct kernel;
struct paging;

#define PAGEFILE_FIELDS(F)                                                \
	F(PAGEFILE, LIST, "_MI_PARTITION", "Vp.PagingFile", OPTIONAL)     \
	F(PAGEFILE, SIZE, "_MMPAGING_FILE", "Size", OPTIONAL)             \
	F(PAGEFILE, NUMBER, "_MMPAGING_FILE", "PageFileNumber", OPTIONAL) \
	F(PAGEFILE, NAME, "_MMPAGING_FILE", "PageFileName", OPTIONAL)     \
	F(PAGEFILE, IS_STORE, "_MMPAGING_FILE", "VirtualStorePagefile", OPTIONAL)
DECLARE_FIELDS(pagefile, PAGEFILE_FIELDS);

/*
 * What all spaces of a kernel share. pagefiles: words of --pagefile, see pagefiles_open(). mem and
 * config are borrowed; config may still change until paging_start().
 */
MUST_CHECK struct error *paging_create(struct physmem *mem, unsigned levels,
				       const struct windows_pte_config *config,
				       const char *const *pagefiles, size_t num_pagefiles,
				       struct paging **ret);
/*
 * Learns from the kernel, whose profile and root are known by now, where its VADs, page files and
 * compressed store are. Until then only page tables are followed. Once; spaces that are open gain
 * it, but what space_next() passed over before stays out of it: better open them again. Page files
 * that do not look like the kernel's are noted in its diag.
 */
MUST_CHECK struct error *paging_start(struct paging *p, struct kernel *k);
void paging_destroy(struct paging *p); /* after its spaces; NULL ok */

/*
 * The space of a root (flag bits allowed), owned by the caller. eprocess: whose VADs say what the
 * page tables leave open; 0: nobody's. A hole that a walk ends in (page_size) ends before the next
 * region. space_next() gives what VADs tell, too, of pages without entry or page table. Safe across
 * threads.
 */
MUST_CHECK struct error *paging_open_space(struct paging *p, uint64_t root, uint64_t eprocess,
					   struct space **ret);
/* The same, but space_next() gives only pages that have an entry of a page table. */
MUST_CHECK struct error *paging_open_entries(struct paging *p, uint64_t root, uint64_t eprocess,
					     struct space **ret);

/* What a prototype PTE says of its page. */
struct prototype_page {
	enum va_state state; /* as of a page that is mapped by it: VA_PROTOTYPE, VA_PAGEFILE ... */
	bool has_pa;
	uint64_t pa;
	bool has_bytes;
};
/* The page behind the value of a prototype PTE; its bytes go to buf where there are some, unless
 * buf is NULL. Safe across threads. */
void paging_read_prototype(struct paging *p, uint64_t entry, uint8_t *buf,
			   struct prototype_page *ret);

#endif
