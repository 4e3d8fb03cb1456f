/* SPDX-License-Identifier: MIT */
#include "formats/registry.h"

const struct format_ops *const format_registry[] = {
	&raw_format,
	&elf_format,
	&crashdump_format,
};
const size_t num_formats = ARRAY_SIZE(format_registry);
