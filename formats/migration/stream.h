/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_MIGRATION_STREAM_H
#define FORMATS_MIGRATION_STREAM_H

#include "base/diag.h"
#include "formats/file_reader.h"
#include "formats/migration/ram.h"

/*
 * QEMU's migration stream (layout: QEMU migration/savevm.c, migration/ram.c and
 * docs/devel/migration): "QEVM", version 3, then sections, all numbers big-endian. The iterated
 * sections come first, of which only "ram" is read: names and lengths of all RAM blocks, then
 * pages in any order, some of them more than once. Then one full section a device, the end, and
 * a description of the devices in JSON.
 */
enum stream_section {
	STREAM_EOF = 0x00,
	STREAM_START = 0x01,
	STREAM_PART = 0x02,
	STREAM_END = 0x03,
	STREAM_FULL = 0x04,
	STREAM_SUBSECTION = 0x05,
	STREAM_DESCRIPTION = 0x06,
	STREAM_CONFIGURATION = 0x07,
	STREAM_COMMAND = 0x08,
	STREAM_FOOTER = 0x7e,
};
enum { STREAM_NAME_SIZE = 256 };

struct stream {
	struct file_reader reader;
	struct ram *ram; /* borrowed */
	struct diag *diag;
	bool (*is_wanted)(const char *block_name);
	/* what reading has found */
	char machine[STREAM_NAME_SIZE]; /* "pc-i440fx-7.2"; "" where the stream does not say */
	uint64_t devices;		/* file offset of the first device's section; 0: none */
	bool is_mapped;			/* pages are in a place of their own in the file */
	bool has_footers;		/* sections end in footers: QEMU 2.4 and later */
	bool is_complete;		/* RAM's last section was there to its end */
};

/* "QEVM" and the version at the reader's position. Errors: CORRUPT, UNSUPPORTED. */
MUST_CHECK struct error *stream_read_header(struct stream *s);
/* All sections up to the devices. Where the stream is damaged what came before counts, and diag
 * says so. Errors: CORRUPT before the first page, UNSUPPORTED, LIMIT, NO_MEMORY. */
MUST_CHECK struct error *stream_read_memory(struct stream *s);

/* A section's header after its type: id, and for START and FULL the rest. */
struct stream_section_header {
	uint32_t id, instance, version;
	char name[STREAM_NAME_SIZE];
};
MUST_CHECK struct error *stream_read_section(struct file_reader *r, uint8_t type,
					     struct stream_section_header *ret);
MUST_CHECK struct error *stream_read_footer(struct file_reader *r, uint32_t id);

#endif
