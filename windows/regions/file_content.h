/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FILE_CONTENT_H
#define WINDOWS_FILE_CONTENT_H

#include "windows/regions/file_cache.h"
#include "windows/regions/file_object.h"
#include "windows/regions/section.h"

/*
 * A file's bytes, as far as memory holds them, from up to three places: the data section (the
 * file as it is mapped and cached), the cache manager's views of it, and the image section (the
 * file as it is run: its sections, with relocations applied). Where more than one has a byte, the
 * first of these in this order is believed, and differences are counted.
 */
enum file_source { FILE_FROM_DATA, FILE_FROM_CACHE, FILE_FROM_IMAGE, NUM_FILE_SOURCES };
/* "data_section", "cache", "image_section". */
const char *file_source_name(enum file_source source);

enum { MAX_FILE_PIECES = 1 << 23 /* pages in memory, of one file: 32 GiB */ };

struct file_piece {
	uint64_t offset; /* in the file; a piece lies in one page of it */
	/* Physical; of the cache: virtual; if paged: the prototype PTE itself. */
	uint64_t address;
	uint32_t length;
	enum file_source source;
	bool paged;	 /* in a page file or the compressed store */
	uint32_t inside; /* if paged: its first byte in the page */
};

/* A stretch of the file inside one of its pages, from one place. */
struct file_stretch {
	uint64_t offset;
	const uint8_t *bytes; /* borrowed for the call */
	size_t len;
	enum file_source source;
	/* Where its first byte is: of sections physical, of the cache in the kernel's space;
	 * neither: it is not in memory as it is. */
	struct opt_u64 pa, va;
};

/* Bytes of the file that two places have in two ways. */
struct file_difference {
	uint64_t bytes;
	uint64_t first; /* offset in the file */
};

struct file_content {
	struct kernel *k;	   /* borrowed */
	struct file_piece *pieces; /* by offset, then by source */
	size_t count;
	bool has_size;
	uint64_t size;		 /* of the file */
	uint64_t lost_views;	 /* of the cache, that cannot be read */
	const char *broken;	 /* why subsections are missing; NULL: none are */
	uint64_t not_captured;	 /* pages that are in memory, not in the snapshot */
	uint64_t paged_out;	 /* pages in a page file or the store that cannot be read */
	uint64_t absent_entries; /* prototype PTEs: whether their pages are in memory is unknown */
};

/* Bound once per kernel. */
struct file_content_reader {
	struct kernel *k;
	struct section_reader sections;
	struct file_cache_reader caches;
};

MUST_CHECK struct error *file_content_reader_init(struct kernel *k,
						  struct file_content_reader *ret);
/* Finds the pieces. Errors: NO_MEMORY, LIMIT. */
MUST_CHECK struct error *file_content_read(const struct file_content_reader *r,
					   const struct file_object *file,
					   struct file_content *ret);
void file_content_deinit(struct file_content *c); /* a zeroed one is fine */

typedef struct error *file_stretch_fn(void *arg, const struct file_stretch *stretch);
/* Calls fn for what there is, in order of offset, and counts into differences what the other
 * places say otherwise. Errors of fn end it. */
MUST_CHECK struct error *file_content_each(const struct file_content *c, file_stretch_fn *fn,
					   void *arg,
					   struct file_difference differences[NUM_FILE_SOURCES]);

#endif
