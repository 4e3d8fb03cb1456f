/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_PAGING_SPACE_H
#define ARCH_AMD64_PAGING_SPACE_H

#include <pthread.h>

#include "arch/amd64/paging.h"
#include "arch/amd64/table_cache.h"
#include "arch/amd64/translation_cache.h"

/* What the files of the walker share; nobody else includes it. */

/* A stretch of physical memory that is captured, or absent, as a whole. */
struct capture_hint {
	struct mem_range range; /* empty: knows nothing */
	bool captured;
};

struct amd64_space {
	struct space base;
	const struct soft_pte_ops *soft; /* NULL: hardware only */
	const void *soft_arg;
	struct table_cache tables;
	struct translation_cache translations;
	/* The stretch that the last space_next() ended in: memory is captured in long stretches,
	 * and finding where one ends may take a source as long as it is. */
	pthread_mutex_t hint_lock;
	struct capture_hint hint;
};

static inline struct amd64_space *amd64_space(struct space *s)
{
	return (struct amd64_space *)s;
}

enum entry_kind {
	ENTRY_TABLE, /* pa of the table below */
	ENTRY_LEAF,  /* pa of the page */
	ENTRY_NONE,  /* leads nowhere, for the reason in state */
};

struct decoded_entry {
	enum entry_kind kind;
	bool soft; /* not present to the hardware: an entry in transition */
	enum va_state state;
	uint64_t pa;
};

struct decoded_entry decode_entry(const struct amd64_space *s, uint64_t entry,
				  enum page_level level);
/* The access bits left after one more entry. */
unsigned access_after(unsigned access, uint64_t entry);
enum { ACCESS_AT_ROOT = VA_WRITE | VA_USER };

bool amd64_next(struct space *s, uint64_t va, struct va_range *ret);

#endif
