/* SPDX-License-Identifier: MIT */
/*
 * Physical memory byte for byte: the offset in the file is the physical address, unless the user
 * gives a map. Holes of the machine's address space are holes (or zeros, or ones) in the file; a
 * last page that is cut short keeps the bytes that it has.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/registry.h"

/* Anything may be memory: the lowest bid there is. */
static unsigned raw_probe(const struct probe_input *in)
{
	return in->file_size ? 1 : 0;
}

enum { MAX_MAP_RUNS = 1 << 12 };

/* A hexadecimal number, with or without 0x, that ends at `end`. */
static bool parse_hex(const char **text, char end, uint64_t *ret)
{
	char *rest;

	if (!isxdigit((unsigned char)**text))
		return false;
	errno = 0;
	*ret = strtoull(*text, &rest, 16);
	if (errno || *rest != end)
		return false;
	*text = rest + (end != '\0');
	return true;
}

static struct error *add_run(const struct file *file, struct physmem *mem, uint64_t start,
			     uint64_t end, uint64_t offset, struct diag *diag)
{
	uint64_t length = end - start, room = offset < file->size ? file->size - offset : 0;

	if (length > room) {
		diag_partial(diag,
			     "memory map: 0x%" PRIx64 "-0x%" PRIx64 " at 0x%" PRIx64
			     ": the file has 0x%" PRIx64 " bytes of it",
			     start, end, offset, room);
		length = room;
	}
	return length ? physmem_add_file(mem, start, length, file, offset) : NULL;
}

/* START-END@OFFSET,... */
static struct error *add_map(const struct file *file, struct physmem *mem, const char *map,
			     struct diag *diag)
{
	const char *at = map;

	for (unsigned i = 0; i < MAX_MAP_RUNS; i++) {
		const char *piece = at, *comma = strchr(at, ',');
		uint64_t start, end, offset;
		struct error *err;

		if (!parse_hex(&at, '-', &start) || !parse_hex(&at, '@', &end) ||
		    !parse_hex(&at, comma ? ',' : '\0', &offset) || start >= end)
			return error_new(ERROR_USAGE,
					 "memory map: expected START-END@OFFSET in hexadecimal, "
					 "found '%s'",
					 piece);
		if ((err = add_run(file, mem, start, end, offset, diag)) || !comma)
			return err;
	}
	return error_new(ERROR_LIMIT, "memory map: more than %d runs", MAX_MAP_RUNS);
}

static struct error *raw_open(const struct format_input *in)
{
	in->info->format = "raw";
	in->info->machine = "amd64";
	if (in->memory_map)
		return add_map(in->file, in->mem, in->memory_map, in->diag);
	return physmem_add_file(in->mem, 0, in->file->size, in->file, 0);
}

const struct format_ops raw_format = {
	.name = "raw",
	.description = "physical memory byte for byte, any length, also sparse",
	.probe = raw_probe,
	.open = raw_open,
};
