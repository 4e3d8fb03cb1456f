/* SPDX-License-Identifier: MIT */
#ifndef FAKE_NT_H
#define FAKE_NT_H

#include "arch/amd64/paging.h"
#include "windows/pe.h"

/*
 * Thirteen pages of physical memory with page tables, a kernel image of three pages (exports,
 * code, variables) and five processes of one thread each, laid out as in build 19041.
 */
enum {
	FAKE_NT_PAGES = 13,
	FAKE_NT_BYTES = FAKE_NT_PAGES * PAGE_SIZE,
	FAKE_NT_ROOT = 1 * PAGE_SIZE,
	FAKE_NT_IMAGE = 5 * PAGE_SIZE, /* physical */
	FAKE_NT_IMAGE_SIZE = 3 * PAGE_SIZE,
	FAKE_NT_CODE = PAGE_SIZE, /* RVAs */
	FAKE_NT_VARIABLES = 2 * PAGE_SIZE,
	FAKE_NT_PROCESS_HEAD = FAKE_NT_VARIABLES + 0x10,
	FAKE_NT_PROCESSES = 5,

	FAKE_DTB = 0x28,
	FAKE_KERNEL_THREADS = 0x30,
	FAKE_PID = 0x440,
	FAKE_LINKS = 0x448,
	FAKE_NAME = 0x5a8,
	FAKE_THREADS = 0x5e0,
	FAKE_ACTIVE_THREADS = 0x5f0,
	FAKE_THREAD_PROCESS = 0x220,
	FAKE_KERNEL_THREAD_LINKS = 0x2f8,
	FAKE_THREAD_LINKS = 0x4e8,
};
#define FAKE_NT_BASE UINT64_C(0xfffff80000000000)

struct fake_nt {
	uint8_t bytes[FAKE_NT_BYTES];
	struct file file;
	struct physmem *mem;
	struct space *space;
	struct pe_image kernel;
};

void fake_nt_build(uint8_t bytes[FAKE_NT_BYTES]);
void fake_nt_image(struct pe_image *ret);
uint64_t fake_nt_process(unsigned i); /* virtual address of its EPROCESS; 0 is System */
/* The byte at a virtual address. */
uint8_t *fake_nt_at(struct fake_nt *f, uint64_t va);
/* Opens what f->bytes hold, without the page of this index (FAKE_NT_PAGES: with all). */
void fake_nt_open(struct fake_nt *f, unsigned absent_page);
void fake_nt_close(struct fake_nt *f);

#endif
