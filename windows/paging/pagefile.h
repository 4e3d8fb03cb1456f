/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PAGING_PAGEFILE_H
#define WINDOWS_PAGING_PAGEFILE_H

#include "base/diag.h"
#include "base/file.h"

/*
 * Page files (pagefile.sys, swapfile.sys) that the user gives. Windows numbers them as they were
 * created; a page table entry has four bits for the number. Page n of a file is at n * 4096; page
 * 0 is its header and never holds a page of memory.
 */
enum { MAX_PAGEFILES = 16 };

struct pagefiles {
	struct {
		bool given;
		struct file file;
	} items[MAX_PAGEFILES];
};

/*
 * Opens what the words name: PATH takes the place of the word (the first is file 0), N=PATH is
 * file N. USAGE: a number above 15 or one given twice; OS and UNSUPPORTED as file_open(). On an
 * error nothing stays open.
 */
MUST_CHECK struct error *pagefiles_open(const char *const *words, size_t count,
					struct pagefiles *ret);
/* The path in a word of pagefiles_open(). */
const char *pagefile_word_path(const char *word);
void pagefiles_close(struct pagefiles *p); /* zeroed is fine */
/* The 4096 bytes at an offset, borrowed until pagefiles_close(). NULL: no such file, or it ends
 * before them. */
const uint8_t *pagefiles_page(const struct pagefiles *p, unsigned number, uint64_t offset);

#endif
