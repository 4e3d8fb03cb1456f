/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_KDUMP_HEADER_H
#define FORMATS_KDUMP_HEADER_H

#include "base/diag.h"
#include "base/file.h"
#include "codec/codec.h"

/*
 * The headers of a kdump-compressed file of an x86-64 machine, in blocks of 4096 bytes:
 *
 *	disk_dump_header	block 0
 *	kdump_sub_header	sub_hdr_size blocks; notes and VMCOREINFO lie behind it
 *	bitmap of RAM		pages that the machine has
 *	bitmap of pages		those that the dump has; older writers have just this one
 *	page descriptors	one a page of that bitmap, in its order
 *	page data
 *
 * "DISKDUMP" files, which came before, differ in the sub header alone, which is not read then.
 * Layout: IMPLEMENTATION and diskdump_mod.h of makedumpfile, diskdump.h of crash, include/
 * sysemu/dump.h of QEMU.
 */
enum { KDUMP_BLOCK_SIZE = 4096 };

/* How pages are compressed, by bit of header status and descriptor flags. */
enum { KDUMP_NUM_CODECS = 4 };
struct kdump_codec {
	uint32_t flag;
	enum codec codec;
};
extern const struct kdump_codec kdump_codecs[KDUMP_NUM_CODECS];

struct kdump_header {
	bool is_diskdump, is_incomplete;
	const struct kdump_codec *codec; /* NULL where the header names none */
	uint32_t version, num_cpus;
	uint64_t num_pages;	      /* of the machine: every page frame is below */
	uint64_t bitmap_offset;	      /* in the file, of the bitmap of pages */
	uint64_t descriptors;	      /* file offset of the first */
	bool is_split;		      /* one of several files, with descriptors of its own */
	uint64_t first_gfn, end_gfn;  /* pages [first, end) of this file */
	uint64_t notes, notes_size;   /* file offset and bytes of ELF notes; 0: none */
	char system[65], release[65]; /* of the kernel that was dumped; "" where not given */
};

/* Errors: CORRUPT (no such header, cut short), UNSUPPORTED (other machines, block sizes and
 * versions, by name). What contradicts itself and can be lived with is reported to diag. */
MUST_CHECK struct error *kdump_read_header(const struct file *file, struct kdump_header *ret,
					   struct diag *diag);

#endif
