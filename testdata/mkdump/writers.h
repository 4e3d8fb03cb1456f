/* SPDX-License-Identifier: MIT */
#ifndef MKDUMP_WRITERS_H
#define MKDUMP_WRITERS_H

#include "out.h"

/*
 * Writers of snapshot formats. They share no code with the readers in formats/, so that a
 * mistake in one of them shows. Those of one family share a function and differ by `variant`.
 */
enum raw_variant { RAW_PLAIN, RAW_PARTIAL_PAGE };
/* Offset in the file = physical address; holes between runs are holes of the file. */
MUST_CHECK struct error *write_raw(const struct image *img, unsigned variant, const char *path);

enum elf_variant {
	ELF_PLAIN,
	ELF_SPARSE,	/* one PT_LOAD per stretch of captured pages */
	ELF_UNSORTED,	/* descending, and one page in two segments */
	ELF_XNUM,	/* PN_XNUM: the number of program headers is in section 0 */
	ELF_SHORT,	/* the last segment's p_filesz < p_memsz */
	ELF_QEMU,	/* header as QEMU writes it: e_ehsize 8, section headers first */
	ELF_VIRTUALBOX, /* "VBCORE" and "VBCPU" notes */
};
MUST_CHECK struct error *write_elf(const struct image *img, unsigned variant, const char *path);
MUST_CHECK struct error *write_xen(const struct image *img, unsigned variant, const char *path);

/* DumpType of DUMP_HEADER64. */
enum dump_type {
	DUMP_FULL = 1,
	DUMP_SUMMARY = 2,
	DUMP_TRIAGE = 4,
	DUMP_BITMAP_FULL = 5,
	DUMP_BITMAP_KERNEL = 6,
	DUMP_AUTOMATIC = 7,
	DUMP_KERNEL = 8,
	DUMP_KERNEL_AND_USER = 9,
	DUMP_COMPLETE = 10,
};
MUST_CHECK struct error *write_crash(const struct image *img, unsigned type, const char *path);

enum triage_variant {
	TRIAGE_BY_KERNEL,   /* short driver names, physical runs in the header */
	TRIAGE_BY_DEBUGGER, /* full paths, no runs */
};
MUST_CHECK struct error *write_triage(const struct image *img, unsigned variant, const char *path);

/* The 8 KiB header of all crash dumps, into o at offset 0. */
void out_crash_header(struct out *o, const struct image *img, enum dump_type type, bool with_runs);
/* CPU state notes, see elf_notes.c. */
void out_qemu_notes(struct out *o, const struct image *img);
void out_virtualbox_notes(struct out *o, const struct image *img);

#endif
