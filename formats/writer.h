/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITER_H
#define FORMATS_WRITER_H

#include "base/sha256.h"
#include "formats/format.h"
#include "formats/writers/crash_facts.h"
#include "formats/writers/memory.h"
#include "formats/writers/output.h"

/*
 * Formats that `ntscope convert` writes. All of them are headers and the captured bytes in address
 * order, the stream of formats/writers/memory.h, in one dress or another. To add one, write
 * formats/writers/<name>.c that ends in one const struct format_writer, and add it to
 * formats/writers/registry.c.
 */

/* Bytes of physical memory that are written otherwise than the snapshot has them. They must lie in
 * one captured run; what they overwrite is not touched in the snapshot. */
struct write_patch {
	uint64_t pa;
	const uint8_t *bytes;
	size_t len;
	const char *what; /* for reports: "KDBG, decoded" */
};

enum writer_flag {
	WRITER_WHOLE_PAGES = 1 << 0,  /* cannot hold a part of a page */
	WRITER_REGISTERS = 1 << 1,    /* keeps what it can of the processors' registers */
	WRITER_WANTS_KERNEL = 1 << 2, /* wants job->facts, and its KDBG decoded */
	WRITER_COMPRESSES = 1 << 3,   /* there is nothing left for LZ4 to do */
	WRITER_FILLS_HOLES = 1 << 4,  /* what is absent reads as zeros */
};

struct write_job {
	struct physmem *mem;		   /* sealed */
	const struct write_memory *memory; /* which of its bytes */
	struct page_set *lost;		   /* pages that could not be decoded, see stream.h */
	const struct dump_info *info;
	const struct crash_facts *facts; /* with WRITER_WANTS_KERNEL, else NULL */
	const struct write_patch *patches;
	size_t num_patches;
	struct output *out;
	struct sha256 *memory_hash; /* initialised; NULL: not wanted */
	struct diag *diag;
	struct progress *progress; /* of memory->bytes; may be NULL */
	unsigned threads;	   /* 0: one per processor */
};

struct format_writer {
	const char *name;	 /* --to NAME */
	const char *suffix;	 /* of file names by custom: ".raw" */
	const char *format;	 /* format_ops.name of what reads it */
	const char *description; /* one line for `formats` and help */
	unsigned flags;		 /* enum writer_flag */
	/* Writes all of it to job->out. Errors: OS, LIMIT, NO_MEMORY, UNSUPPORTED. */
	struct error *(*write)(const struct write_job *job);
};

/* All writers, in the order in which help lists them. */
extern const struct format_writer *const writer_registry[];
extern const size_t num_writers;

/* One const object per format, each at the end of its file. */
extern const struct format_writer raw_writer;
extern const struct format_writer elf_writer;
extern const struct format_writer lime_writer;
extern const struct format_writer kdump_writer;
extern const struct format_writer crash_dump_writer;
extern const struct format_writer crash_bitmap_writer;

const struct format_writer *writer_find(const char *name); /* NULL: there is none */

#endif
