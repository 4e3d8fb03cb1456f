/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_HIBERFIL_PARTS_H
#define FORMATS_HIBERFIL_PARTS_H

#include "codec/codec.h"
#include "formats/format.h"

/*
 * hiberfil.sys, the memory of a hibernated Windows. Page 0 is PO_MEMORY_IMAGE, a page behind it
 * _KPROCESSOR_STATE. How pages follow changed once:
 *
 *	Windows 7	tables of page ranges, each a page long and followed by its pages in blocks
 *			(tables.c)
 *	Windows 8 on	two sections, of what the boot loader restores and of what the kernel
 *			does, each a row of compression sets with their own page numbers (sets.c)
 *
 * Sources: volatility's hibernate.py and hibernate_vtypes.py, MagnetForensics Hibr2Bin, libyal's
 * libhibr documentation, Sylve, Marziale, Richard "Modern Windows hibernation file analysis",
 * LeechCore device_hibr.c, volatility3's hibernation layer.
 */
enum {
	HIBER_BLOCK_PAGES = 16, /* at most, in a block or compression set */
	HIBER_MAX_RANGES = 1 << 24,
	HIBER_MAX_BLOCKS = 1 << 26,
};
#define HIBER_MAX_GFN (PHYSMEM_MAX_END >> PAGE_SHIFT)

/* How a block is compressed. */
enum hiber_method { HIBER_STORED, HIBER_XPRESS, HIBER_XPRESS_HUFFMAN, NUM_HIBER_METHODS };

/* One to HIBER_BLOCK_PAGES pages, compressed together. */
struct hiber_block {
	uint64_t offset; /* of their bytes in the file */
	uint32_t size;
	uint16_t pages;
	uint16_t method;
};

struct hiber_range {
	uint64_t gfn, count; /* pages of the machine */
	uint64_t first;	     /* the page of all blocks laid end to end that is the first of them */
};

/* What the walks collect. */
struct hiber_pages {
	const struct format_input *in;
	struct hiber_block *blocks;
	struct hiber_range *ranges;
	size_t num_blocks, blocks_capacity, blocks_reserved;
	size_t num_ranges, ranges_capacity, ranges_reserved;
	uint64_t block_pages, range_pages; /* in all of them */
};

void hiber_pages_deinit(struct hiber_pages *p);
/* Both are added in the order of the file. Errors: LIMIT, NO_MEMORY. */
MUST_CHECK struct error *hiber_add_block(struct hiber_pages *p, const struct hiber_block *block);
MUST_CHECK struct error *hiber_add_range(struct hiber_pages *p, uint64_t gfn, uint64_t count);
/* Gives the pages to in->mem. Where one is there twice the later one counts: it is what Windows
 * restores last. */
MUST_CHECK struct error *hiber_pages_finish(struct hiber_pages *p);

/* Windows 7. *first: the page of the first table as the header says, 0 if it does not; then as it
 * was found. Damage goes to diag; errors: CORRUPT when there is no table, LIMIT, NO_MEMORY. */
MUST_CHECK struct error *hiber_read_tables(struct hiber_pages *p, uint64_t *first);
/* Does a page of these first bytes of a file begin a block of Windows 7? The number of the page
 * before it, which is the table; else 0. */
uint64_t hiber_find_table(const uint8_t *head, size_t size);

/* A section of Windows 8 and later: num_pages pages in sets, from first_page of the file on.
 * highest: the machine's last page. Damage goes to diag, and sets behind it are read. */
struct hiber_section {
	const char *name;
	uint64_t first_page, num_pages, highest;
};
MUST_CHECK struct error *hiber_read_section(struct hiber_pages *p, const struct hiber_section *s);

/* Registers of the processor that wrote the file, if one of pages 1 to end_page - 1 has them. */
MUST_CHECK struct error *hiber_read_state(const struct format_input *in, uint64_t end_page);

#endif
