/* SPDX-License-Identifier: MIT */
/*
 * Physical memory byte for byte: the offset in the file is the physical address, unless the user
 * gives a map. Holes of the machine's address space are holes (or zeros, or ones) in the file; a
 * last page that is cut short keeps the bytes that it has.
 */
#include "formats/registry.h"

#include <inttypes.h>

#include "formats/memory_map.h"

/* Anything may be memory: the lowest bid there is. */
static unsigned raw_probe(const struct probe_input *in)
{
	return in->file_size ? 1 : 0;
}

static struct error *add_run(void *arg, const struct memory_map_run *run)
{
	const struct format_input *in = arg;
	const struct file *file = in->file;
	uint64_t length = run->end - run->start;
	uint64_t room = run->offset < file->size ? file->size - run->offset : 0;

	if (length > room) {
		diag_partial(in->diag,
			     "memory map: 0x%" PRIx64 "-0x%" PRIx64 " at 0x%" PRIx64
			     ": the file has 0x%" PRIx64 " bytes of it",
			     run->start, run->end, run->offset, room);
		length = room;
	}
	return length ? physmem_add_file(in->mem, run->start, length, file, run->offset) : NULL;
}

static struct error *raw_open(const struct format_input *in)
{
	in->info->format = "raw";
	in->info->machine = "amd64";
	if (in->memory_map)
		return memory_map_walk(in->memory_map, add_run, (void *)in);
	return physmem_add_file(in->mem, 0, in->file->size, in->file, 0);
}

const struct format_ops raw_format = {
	.name = "raw",
	.description = "physical memory byte for byte, any length, also sparse",
	.recognised = "whatever nothing else is",
	.takes_memory_map = true,
	.probe = raw_probe,
	.open = raw_open,
};
