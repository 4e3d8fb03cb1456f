/* SPDX-License-Identifier: MIT */
#ifndef MEMORY_SPACE_H
#define MEMORY_SPACE_H

#include "base/arena.h"
#include "memory/physmem.h"
#include "memory/virtmem.h"

/*
 * One address space, whatever stands behind it: AMD64 page tables over physical memory
 * (arch/amd64/paging.h), physical memory itself, or the blocks of a triage dump. Read-only and
 * safe across threads.
 */

/*
 * What is at a virtual address. VA_MAPPED and VA_TRANSITION have bytes; those from VA_PROTOTYPE on
 * have them where the space knows how to get them (windows/paging/paging.h): walk.has_bytes.
 */
enum va_state {
	VA_MAPPED,	       /* translated, and the byte is in the snapshot */
	VA_NOT_CAPTURED,       /* translated, the page is not in the snapshot */
	VA_NOT_PRESENT,	       /* an entry on the way is not present, and says no more */
	VA_TABLE_NOT_CAPTURED, /* a page table on the way is not in the snapshot */
	VA_NON_CANONICAL,
	VA_BAD_ENTRY, /* a reserved bit is set where hardware would fault */
	/* not present to the hardware; Windows' software says where the page is */
	VA_TRANSITION,	/* still in memory: pa is known, bytes are read from there */
	VA_PROTOTYPE,	/* in memory for other processes (pa is known), or only in its file */
	VA_PAGEFILE,	/* in a page file */
	VA_DEMAND_ZERO, /* zeros, until it is written to */
	VA_COMPRESSED,	/* in the compressed store */
	NUM_VA_STATES
};
/* The contract's lower-case word: "mapped", "not_captured", ... */
const char *va_state_name(enum va_state state);
/* The words for messages: "mapped but not captured", ... */
const char *va_state_text(enum va_state state);

enum va_access {
	VA_WRITE = 1 << 0,   /* R/W set at every level */
	VA_USER = 1 << 1,    /* U/S set at every level */
	VA_NO_EXEC = 1 << 2, /* NX set at any level */
};

enum { WALK_MAX_STEPS = 6 }; /* PML5, PML4, PDPT, PD, PT, and one for a software PTE */

struct walk_step {
	unsigned level;		/* 5 PML5, 4 PML4, 3 PDPT, 2 PD, 1 PT; 0: a prototype PTE */
	uint64_t entry_address; /* physical; virtual for level 0; 0 if the table is paged out */
	uint64_t entry;		/* meaningful if captured */
	bool captured;
	bool paged_out; /* the table is not in memory: it was read from where its page is */
};

/* Where the bytes are that are not in memory. */
struct walk_backing {
	bool has_pagefile; /* VA_PAGEFILE, VA_COMPRESSED: what the entry says */
	unsigned pagefile; /* number */
	uint64_t offset;   /* in it, in bytes */
	bool has_store;	   /* VA_COMPRESSED, once found */
	unsigned store;	   /* number */
	uint64_t address;  /* of the compressed bytes, in the process that keeps the store */
	unsigned length;   /* of them; 0: a page of zeros, 4096: not compressed */
	const char *why;   /* why there are no bytes, where it can be told; static; or NULL */
};

struct walk {
	uint64_t va;
	enum va_state state;
	bool has_pa; /* VA_MAPPED, VA_NOT_CAPTURED, VA_TRANSITION, perhaps VA_PROTOTYPE */
	uint64_t pa;
	bool has_bytes;	    /* the byte at va can be read */
	uint64_t page_size; /* of the leaf, or of the hole at the level where the walk ended */
	unsigned access;    /* enum va_access, over the entries visited */
	unsigned num_steps;
	struct walk_step steps[WALK_MAX_STEPS];
	struct walk_backing backing;
};

/* One stretch of a space, see space_next(). */
struct va_range {
	uint64_t start, last; /* inclusive: the top of the space fits */
	enum va_state state;
	bool has_pa;
	uint64_t pa; /* of start; contiguous over the stretch unless repeat != 0 */
	uint64_t page_size;
	unsigned access;
	/* Nonzero: the stretch shows the same table (or page) over and over; [start, start +
	 * repeat) is described by what follows when iterated alone, the rest is alias. */
	uint64_t repeat;
};

struct space;
struct space_ops {
	const char *name;
	void (*walk)(struct space *s, uint64_t va, struct walk *ret);
	/* Fast form: state, and pa if there is one (of VA_PROTOTYPE only walk() tells). */
	enum va_state (*translate)(struct space *s, uint64_t va, uint64_t *pa_ret);
	/* Bytes from va to at most the end of its page: copies up to len, returns how many (at
	 * least 1), or 0 with *state. */
	size_t (*read)(struct space *s, uint64_t va, void *buf, size_t len, enum va_state *state);
	bool (*next)(struct space *s, uint64_t va, struct va_range *ret);
	void (*destroy)(struct space *s);
};

struct space {
	const struct space_ops *ops;
	struct physmem *mem; /* borrowed; NULL for virtual blocks */
	uint64_t root;	     /* DTB; 0 where there is none */
	unsigned levels;     /* 4 or 5; 0 where there are no page tables */
};

void space_destroy(struct space *s); /* NULL ok */

/* Physical memory seen as a space (identity). mem is borrowed. */
MUST_CHECK struct error *space_create_physical(struct physmem *mem, struct space **ret);
/* Virtual blocks seen as a space. mem is borrowed. */
MUST_CHECK struct error *space_create_virtual(const struct virtmem *mem, struct space **ret);

enum va_state space_translate(struct space *s, uint64_t va, uint64_t *pa_ret);
void space_walk(struct space *s, uint64_t va, struct walk *ret);

/*
 * The next stretch at or after va that is mapped or captured (VA_MAPPED, VA_NOT_CAPTURED,
 * VA_TRANSITION, VA_TABLE_NOT_CAPTURED) or whose bytes come from elsewhere (VA_PROTOTYPE,
 * VA_PAGEFILE, VA_DEMAND_ZERO, VA_COMPRESSED: only where they can be read), clipped to start at va;
 * holes are skipped at the level where they occur; neighbours of equal kind and contiguous pa are
 * merged, up to 1 GiB or so. Work is linear in distinct tables: a table filled with equal entries
 * is entered once (see `repeat`). False: nothing more. To go on, call with ret->last + 1 (stop when
 * that is 0).
 */
bool space_next(struct space *s, uint64_t va, struct va_range *ret);

struct fault {
	uint64_t va;
	enum va_state state;
};

/* All of [va, va + len), or false with the first absent byte in *fault (may be NULL); buf is
 * then undefined. Never allocates: for lists and scans. */
MUST_CHECK bool space_try_read(struct space *s, uint64_t va, void *buf, size_t len,
			       struct fault *fault);
MUST_CHECK bool space_try_u16(struct space *s, uint64_t va, uint16_t *ret, struct fault *fault);
MUST_CHECK bool space_try_u32(struct space *s, uint64_t va, uint32_t *ret, struct fault *fault);
MUST_CHECK bool space_try_u64(struct space *s, uint64_t va, uint64_t *ret, struct fault *fault);
/* The same with an ERROR_FAULT "0x...: mapped but not captured". */
MUST_CHECK struct error *space_read(struct space *s, uint64_t va, void *buf, size_t len);

/* Called for each absent stretch, in order. */
typedef void gap_fn(void *arg, uint64_t va, uint64_t length, enum va_state state);
/* Fills what is there, leaves the rest of buf as it was, calls gap (may be NULL) for each
 * absent stretch. The number of bytes filled. Bytes past the end of the space are a gap. */
size_t space_read_partial(struct space *s, uint64_t va, void *buf, size_t len, gap_fn *gap,
			  void *arg);

#endif
