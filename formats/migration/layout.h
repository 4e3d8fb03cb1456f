/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_MIGRATION_LAYOUT_H
#define FORMATS_MIGRATION_LAYOUT_H

#include "formats/format.h"
#include "formats/migration/devices.h"
#include "formats/migration/ram.h"

/*
 * Where a PC's RAM blocks are in physical memory, which the stream does not say: main memory
 * begins at 0, and what does not fit below the hole for devices goes on at 4 GiB. How much is
 * below is what the firmware reads from the clock's CMOS memory; without it, what QEMU gives a
 * machine of that type (QEMU hw/i386/pc.c, pc_piix.c, pc_q35.c). Where a processor sees a device
 * instead, as at 0xa0000, what is below it is memory all the same (SMRAM).
 */

/* Blocks that layout_place() may place: main memory and the firmware's ROM. */
bool layout_is_wanted(const char *block_name);

struct layout_input {
	struct ram *ram;
	const char *machine;		      /* its type; "": not known */
	const struct stream_devices *devices; /* NULL: not known */
	const struct file *file;
	const char *memory_map; /* of main memory; NULL: not given */
	struct diag *diag;
};

/* Errors: UNSUPPORTED when it is no PC, or nothing says where memory is split or which blocks are
 * main memory; CORRUPT, USAGE. */
MUST_CHECK struct error *layout_place(const struct layout_input *in);

#endif
