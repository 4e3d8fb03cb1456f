/* SPDX-License-Identifier: MIT */
#ifndef CRASHDUMP_FAKE_H
#define CRASHDUMP_FAKE_H

#include "formats/format.h"

/*
 * Small crash dumps in memory. Each builder leaves a good dump in f->bytes, for a test to damage;
 * fake_open() reads f->size bytes of it from a buffer of just that size.
 */
enum { FAKE_MAX = 0x10000, FAKE_HEADER = 0x2000 };

struct fake {
	uint8_t bytes[FAKE_MAX];
	size_t size;
	uint8_t *copy;
	struct file file;
	struct block_cache *cache;
	struct physmem *mem;
	struct virtmem *virt;
	struct dump_info info;
	struct diag diag;
	char messages[4096]; /* what went to diag, a line each */
};

/* A header of a type, all else "PAGE"; the size is that of the header. */
void fake_header(struct fake *f, uint32_t type);
/* Type 1: pages 1, 2 and 5. Every page of a fake is filled with its number. */
void fake_full(struct fake *f);
/* Types 2, 5, 6, 7: a bitmap of 1600 pages, of which 1, 2, 600 and 1599 are there. */
void fake_bitmap(struct fake *f, uint32_t type);
/* Type 2 in the form before Windows 8, with the same pages. */
void fake_summary(struct fake *f);
/* Types 8, 9, 10: pages 1, 2 and 5. */
void fake_rdmp(struct fake *f, uint32_t type);
/* Type 4: everything that a triage dump has, two drivers, one unloaded, two data blocks. */
void fake_triage(struct fake *f);
enum fake_triage_place {
	FAKE_TRIAGE_MM = 0x2080,
	FAKE_TRIAGE_PRCB = 0x20d0,
	FAKE_TRIAGE_PROCESS = 0x20f0,
	FAKE_TRIAGE_THREAD = 0x2100,
	FAKE_TRIAGE_STACK = 0x2110,
	FAKE_TRIAGE_DEBUGGER = 0x2130,
	FAKE_TRIAGE_PAGE = 0x2140,
	FAKE_TRIAGE_UNLOADED = 0x2150,
	FAKE_TRIAGE_DRIVERS = 0x2190,
	FAKE_TRIAGE_STRINGS = 0x22b0,
	FAKE_TRIAGE_BLOCKS = 0x2300,
	FAKE_TRIAGE_BYTES = 0x2320,
	FAKE_TRIAGE_VALID = 0x2340,
	FAKE_TRIAGE_SIZE = 0x2344,
};
#define FAKE_KERNEL UINT64_C(0xfffff80000000000)

/* One of each of the above, kind below FAKE_NUM_KINDS. */
enum { FAKE_NUM_KINDS = 6 };
void fake_any(struct fake *f, unsigned kind);

void fake_set32(struct fake *f, size_t offset, uint32_t value);
void fake_set64(struct fake *f, size_t offset, uint64_t value);

/* Opens, and seals both memories. Call fake_close() whatever it returns. */
struct error *fake_open(struct fake *f);
void fake_close(struct fake *f);
/* As fake_open(), expecting success. */
void fake_expect_open(struct fake *f);
/* Expects this error with `part` in its message; closes. */
void fake_expect_error(struct fake *f, enum error_code code, const char *part);

/* Is this page there, with its number in every byte? */
bool fake_has_page(struct fake *f, uint64_t gfn);

#endif
