/* SPDX-License-Identifier: MIT */
#ifndef FAKE_POOLS_H
#define FAKE_POOLS_H

#include "windows/process/process.h"
#include "windows/thread/thread.h"

/*
 * A kernel of 32 pages of memory: page tables, a page of globals, and pages of pool, laid out as in
 * build 19041. Pool page i is at physical FAKE_POOL_PA(i) and, but for the last, at
 * FAKE_POOL_VA(i): the other way round, so that what crosses a page is in one piece just for the
 * kernel.
 */
enum {
	FAKE_POOL_PAGES = 16, /* the last one is mapped nowhere */
	FAKE_POOLS_BYTES = 32 * PAGE_SIZE,
	FAKE_POOLS_ROOT = PAGE_SIZE,
	FAKE_POOLS_TYPE = 7, /* TypeIndex of processes; threads have the next one */
	FAKE_POOLS_COOKIE = 0xab,
};
#define FAKE_POOL_PA(i)	   ((uint64_t)(31 - (i)) * PAGE_SIZE)
#define FAKE_POOL_VA(i)	   (UINT64_C(0xffffc00000200000) + (uint64_t)(i)*PAGE_SIZE)
#define FAKE_POOLS_HEAD_VA UINT64_C(0xffffc00000300000) /* page of globals */

struct fake_pools {
	uint8_t *bytes; /* [FAKE_POOLS_BYTES]; owned */
	struct file file;
	struct snapshot snap;
	struct diag diag;
	struct kernel k;
	struct field process[process_num_fields], thread[thread_num_fields];
	uint32_t process_size, thread_size;
};

void fake_pools_init(struct fake_pools *f);
/* The same, laid out as in another build. */
void fake_pools_init_build(struct fake_pools *f, uint32_t build);
/* Captures all but the pages at `absent` (physical; ends with 0; NULL: none). */
void fake_pools_open(struct fake_pools *f, const uint64_t *absent);
void fake_pools_deinit(struct fake_pools *f);

/* The byte of the memory that the kernel sees at va. */
uint8_t *fake_pools_at(struct fake_pools *f, uint64_t va);
void fake_pools_put(struct fake_pools *f, uint64_t va, uint64_t value);
/* A POOL_HEADER; size in bytes, pool_type as Windows has it. */
void fake_pools_block(struct fake_pools *f, uint64_t va, const char *tag, uint32_t size,
		      unsigned pool_type);
/*
 * A block with quota information, OBJECT_HEADER and a process or thread that has all that a scan
 * looks at. The address of the object. A process is in no list.
 */
uint64_t fake_pools_process(struct fake_pools *f, uint64_t block, uint32_t pid, const char *name);
uint64_t fake_pools_thread(struct fake_pools *f, uint64_t block, uint32_t tid, uint32_t pid,
			   uint64_t eprocess);
/* PspCidTable with one page of entries, at FAKE_POOLS_CIDS; an entry of it. */
#define FAKE_POOLS_CIDS FAKE_POOL_VA(14)
void fake_pools_cid_table(struct fake_pools *f);
void fake_pools_cid(struct fake_pools *f, uint64_t id, uint64_t object);
/* Appends a LIST_ENTRY to the ring of head. */
void fake_pools_link(struct fake_pools *f, uint64_t head, uint64_t entry);

#endif
