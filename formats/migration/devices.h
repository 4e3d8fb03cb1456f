/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_MIGRATION_DEVICES_H
#define FORMATS_MIGRATION_DEVICES_H

#include "base/block_cache.h"
#include "formats/migration/stream.h"

/*
 * The devices of a migration stream, read by the stream's own description of them (QEMU 2.3 and
 * later write one): JSON that lists devices in the order of their sections, with name and size
 * of each field (QEMU migration/savevm.c, migration/vmstate.c).
 */
enum { DEVICES_MAX = 1 << 14 };

struct stream_devices;
struct stream_device;

/*
 * stream: as stream_read_memory() left it, which has found devices. NULL in *ret where the stream
 * has no description, which diag notes, or it cannot be decoded. Where sections are not as
 * described the devices before them are kept, and diag says so. Errors: LIMIT, NO_MEMORY.
 */
MUST_CHECK struct error *stream_devices_read(const struct stream *stream, struct block_cache *cache,
					     struct stream_devices **ret);
void stream_devices_destroy(struct stream_devices *d);	/* NULL ok */
void stream_devices_cleanup(struct stream_devices **d); /* for CLEANUP() */

/* The device of that name that comes after `after` in the stream (NULL: the first one); NULL when
 * there is none. Borrowed from d. */
const struct stream_device *stream_devices_next(const struct stream_devices *d, const char *name,
						const struct stream_device *after);

/* Bytes [*offset, *offset + *size) of the file: one element of a device's field, and of that a
 * member (NULL: all of it). False when there is no such field. */
bool stream_device_field(const struct stream_device *device, const char *field, uint64_t element,
			 const char *member, uint64_t *offset, uint64_t *size);

#endif
