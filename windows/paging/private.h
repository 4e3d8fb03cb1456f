/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PAGING_PRIVATE_H
#define WINDOWS_PAGING_PRIVATE_H

#include <pthread.h>

#include "windows/paging/pagefile.h"
#include "windows/paging/paging.h"
#include "windows/paging/store.h"
#include "windows/regions/vad.h"

/* What the files of this folder share; nobody else includes it. */

enum {
	UNPACKED_PAGES = 64, /* of the compressed store, kept as they were read last */
};

struct unpacked_page {
	bool used;
	uint32_t key;
	struct store_page page;
	uint8_t bytes[PAGE_SIZE];
};

struct paging {
	struct physmem *mem; /* borrowed */
	unsigned levels;
	const struct windows_pte_config *config; /* borrowed */
	struct pagefiles files;
	bool started;
	struct space *plain; /* the kernel's space without prototypes and store */
	struct vad_reader vads;
	bool has_store;
	unsigned store_file; /* number of the page file that is the store */
	struct store store;
	struct field dtb; /* of _EPROCESS */
	pthread_mutex_t lock;
	/* below: under the lock */
	struct space *owner; /* of owner_process, which keeps the store; NULL: not open */
	uint64_t owner_process;
	struct unpacked_page *unpacked; /* [UNPACKED_PAGES]; NULL: none so far */
};

enum paging_follow {
	FOLLOW_PROTOTYPES = 1 << 0,
	FOLLOW_STORE = 1 << 1,
	FOLLOW_REGIONS = 1 << 2, /* space_next() gives what only VADs tell */
	FOLLOW_ALL = FOLLOW_PROTOTYPES | FOLLOW_STORE | FOLLOW_REGIONS,
};

MUST_CHECK struct error *paging_open_following(struct paging *p, uint64_t root, uint64_t eprocess,
					       unsigned follow, struct space **ret);

/* The 4096 bytes of a page of the store and where they were; false: *why_ret, static. */
MUST_CHECK bool paging_store_read(struct paging *p, unsigned file, uint64_t offset, uint8_t *ret,
				  struct store_page *page_ret, bool *found_ret,
				  const char **why_ret);

/* Finds the page files that the kernel knows: checks those that were given, and finds which is
 * the store. */
void paging_find_files(struct paging *p, struct kernel *k);

#endif
