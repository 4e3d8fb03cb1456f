/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "formats/writer.h"

const struct format_writer *const writer_registry[] = {
	&raw_writer,	      &elf_writer,  &crash_dump_writer,
	&crash_bitmap_writer, &lime_writer, &kdump_writer,
};
const size_t num_writers = ARRAY_SIZE(writer_registry);

const struct format_writer *writer_find(const char *name)
{
	for (size_t i = 0; i < num_writers; i++) {
		if (!strcmp(writer_registry[i]->name, name))
			return writer_registry[i];
	}
	return NULL;
}
