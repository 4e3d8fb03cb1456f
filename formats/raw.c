/* SPDX-License-Identifier: MIT */
/*
 * Physical memory byte for byte: the offset in the file is the physical address. Holes of the
 * machine's address space are holes (or zeros, or ones) in the file; a last page that is cut
 * short keeps the bytes that it has.
 */
#include "formats/registry.h"

/* Anything may be memory: the lowest bid there is. */
static unsigned raw_probe(const struct probe_input *in)
{
	return in->file_size ? 1 : 0;
}

static struct error *raw_open(const struct file *file, struct physmem *mem, struct virtmem *virt,
			      struct dump_info *info, struct diag *diag)
{
	(void)virt;
	(void)diag;
	info->format = "raw";
	info->machine = "amd64";
	return physmem_add_file(mem, 0, file->size, file, 0);
}

const struct format_ops raw_format = {
	.name = "raw",
	.description = "physical memory byte for byte, any length, also sparse",
	.probe = raw_probe,
	.open = raw_open,
};
