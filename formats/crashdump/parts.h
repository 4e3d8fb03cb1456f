/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_CRASHDUMP_PARTS_H
#define FORMATS_CRASHDUMP_PARTS_H

#include "formats/format.h"

/*
 * What the files of the crash dump reader share. A dump is an 8 KiB header, then what its type
 * says:
 *
 *	0x0000  DUMP_HEADER64		header.c
 *	0x2000  pages			runs.c			type 1
 *		bitmap, pages		bitmap.c		types 2, 5, 6, 7
 *		ranges, pages		rdmp.c			types 8, 9, 10
 *		TRIAGE_DUMP64, blocks	triage.c, drivers.c	type 4
 *
 * All fields are little endian. A field that the writer left alone reads "PAGE" over and over.
 */
enum {
	CRASH_HEADER_SIZE = 0x2000,
	CRASH_HEADERS_SIZE = 0x3000,	 /* the type's own one behind it is smaller than a page */
	CRASH_MAX_HEADER_RUNS = 43,	 /* what fits between 0x98 and the context at 0x348 */
	CRASH_MAX_RANGES = 1 << 24,	 /* RDMP */
	CRASH_MAX_DATA_BLOCKS = 1 << 20, /* triage */
	CRASH_MAX_DRIVERS = 1 << 14,	 /* triage */
	CRASH_MAX_UNLOADED = 50,	 /* MI_UNLOADED_DRIVERS: what Windows keeps */
	CRASH_MAX_NAME = 1 << 10,	 /* UTF-16 units of a driver's path */
};
#define CRASH_FILLER   UINT32_C(0x45474150)	    /* "PAGE" */
#define CRASH_FILLER64 UINT64_C(0x4547415045474150) /* "PAGEPAGE" */
#define CRASH_MAX_GFN  (PHYSMEM_MAX_END >> PAGE_SHIFT)

struct crash_run {
	uint64_t first_gfn, count;
};

/* A dump being opened: format_ops.open's arguments, and the header's facts for the openers. */
struct crash_dump {
	const struct file *file;
	/* The headers, CRASH_HEADERS_SIZE or what there is of it; triage dumps: the whole file. */
	const uint8_t *bytes;
	struct physmem *mem;
	struct virtmem *virt;
	struct dump_info *info;
	struct diag *diag;
	struct block_cache *cache;
	uint32_t type;				      /* DumpType */
	uint32_t minidump_fields;		      /* MiniDumpFields; 0 where not set */
	struct crash_run runs[CRASH_MAX_HEADER_RUNS]; /* physical memory block */
	size_t num_runs;
};

/* Fills d->info and the facts above from the header; the file has CRASH_HEADER_SIZE bytes. */
MUST_CHECK struct error *crash_read_header(struct crash_dump *d);

/*
 * The openers, by type. Each registers what it finds; damage that leaves something readable goes
 * to d->diag. CORRUPT: nothing is left; LIMIT: a count passes a limit above.
 */
MUST_CHECK struct error *crash_open_full(struct crash_dump *d);
MUST_CHECK struct error *crash_open_bitmap(struct crash_dump *d);
MUST_CHECK struct error *crash_open_rdmp(struct crash_dump *d);
MUST_CHECK struct error *crash_open_triage(struct crash_dump *d);

/* Pages that follow each other in the file, run by run. Start with {.offset = first page}. */
struct crash_pages {
	uint64_t offset;   /* file offset of the next run, at most the size of the file */
	uint64_t captured; /* bytes registered so far */
	uint64_t pages;	   /* named so far */
	uint64_t missing;  /* of these, beyond the end of the file, at least in part */
	size_t runs;
};
/* Is there such a run, after what was named before? */
bool crash_run_is_valid(const struct crash_pages *p, const struct crash_run *run);
/* Registers what the file holds of a valid run. */
MUST_CHECK struct error *crash_add_run(struct crash_dump *d, struct crash_pages *p,
				       const struct crash_run *run);
/* Says how many pages are missing; CORRUPT if all are. */
MUST_CHECK struct error *crash_end_runs(struct crash_dump *d, const struct crash_pages *p);

/* Fills d->info->blobs if secondary data begins at offset, where the dump proper ends. */
MUST_CHECK struct error *crash_read_blobs(struct crash_dump *d, uint64_t offset);

/* Where a triage dump's lists are, each within the file; file_offset 0: not there. */
struct crash_lists {
	struct dump_block drivers, unloaded, strings;
	uint32_t num_drivers;
};
/* Fills the modules of d->info->triage and hints.kernel_base. */
MUST_CHECK struct error *crash_read_drivers(struct crash_dump *d, const struct crash_lists *lists);
MUST_CHECK struct error *crash_read_unloaded(struct crash_dump *d, const struct crash_lists *lists);

#endif
