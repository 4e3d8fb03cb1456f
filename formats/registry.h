/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_REGISTRY_H
#define FORMATS_REGISTRY_H

#include "formats/format.h"

/* One const object per format, each at the end of its file. */
extern const struct format_ops raw_format;
extern const struct format_ops elf_format;
extern const struct format_ops crashdump_format;
extern const struct format_ops kdump_format;
extern const struct format_ops flattened_format;
extern const struct format_ops lime_format;
extern const struct format_ops avml_format;
extern const struct format_ops vmware_format;
extern const struct format_ops migration_format;
extern const struct format_ops hiberfil_format;
extern const struct format_ops aff4_format;

#endif
