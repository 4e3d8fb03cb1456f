/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_MIGRATION_PROCESSORS_H
#define FORMATS_MIGRATION_PROCESSORS_H

#include "formats/format.h"
#include "formats/migration/devices.h"

/* Registers of the stream's processors (QEMU target/i386/machine.c), and their number. Errors:
 * LIMIT, NO_MEMORY, what decoding the file says. */
MUST_CHECK struct error *processors_read(const struct stream_devices *devices,
					 const struct file *file, struct dump_info *info);

#endif
