/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_REGISTRY_H
#define FORMATS_REGISTRY_H

#include "formats/format.h"

/* One const object per format, each at the end of its file. */
extern const struct format_ops raw_format;
extern const struct format_ops elf_format;
extern const struct format_ops crashdump_format;

#endif
