/* SPDX-License-Identifier: MIT */
#ifndef FAKE_TABLES_H
#define FAKE_TABLES_H

#include "fake_source.h"
#include "windows/kernel/kernel.h"

/*
 * A kernel of 32 KiB of memory for the readers of its tables: layouts (as in build 19041, arrays
 * shorter), one processor, and symbols that each test names. Criterion is not needed.
 */
enum {
	FAKE_TABLES_SIZE = 0x8000,
	FAKE_TIMER_LISTS = 4,
	/* RVAs of what fake_tables_init() puts there; 0x2000 and up are free */
	FAKE_PROCESSOR_BLOCK = 0x100,
	FAKE_PROCESS_HEAD = 0x200,
	FAKE_KPRCB = 0x1000,
	FAKE_TIMER_TABLE = FAKE_KPRCB + 0x100,
	MAX_FAKE_SYMBOLS = 40,
};
#define FAKE_TABLES_BASE UINT64_C(0xfffff80000100000)

struct fake_tables {
	uint8_t bytes[FAKE_TABLES_SIZE];
	struct file file;
	struct virtmem *mem;
	struct snapshot snap;
	struct kernel kernel;
	struct diag diag;
	struct fake_symbol symbols[MAX_FAKE_SYMBOLS];
	size_t num_symbols;
};

static inline uint64_t tables_at(uint32_t rva)
{
	return FAKE_TABLES_BASE + rva;
}
void fake_tables_init(struct fake_tables *f);
void tables_symbol(struct fake_tables *f, const char *name, uint32_t rva);
void tables_put(struct fake_tables *f, uint32_t rva, uint64_t value);
void tables_put32(struct fake_tables *f, uint32_t rva, uint32_t value);
void tables_put_text(struct fake_tables *f, uint32_t rva, const char *text);
/* UNICODE_STRING at rva, its characters at buffer. */
void tables_put_string(struct fake_tables *f, uint32_t rva, uint32_t buffer, const char *text);
/* A ring of LIST_ENTRYs, the head first. */
void tables_put_ring(struct fake_tables *f, const uint32_t *rvas, size_t count);
/* Shows the bytes but for the page of this number (none: -1), and makes f->kernel of them. */
void fake_tables_open(struct fake_tables *f, int absent_page);
void fake_tables_close(struct fake_tables *f);

#endif
