/* SPDX-License-Identifier: MIT */
#include "formats/registry.h"

const struct format_ops *const format_registry[] = {
	&raw_format,	   &elf_format,	     &crashdump_format, &kdump_format,
	&flattened_format, &lime_format,     &avml_format,	&vmware_format,
	&migration_format, &hiberfil_format, &aff4_format,
};
const size_t num_formats = ARRAY_SIZE(format_registry);
