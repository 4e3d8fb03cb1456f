/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SECONDARY_DATA_H
#define WINDOWS_SECONDARY_DATA_H

#include "base/compiler.h"

/* What the data is that Windows' own drivers, and a few others, add to crash dumps; tag as in
 * struct dump_blob. NULL: nothing public says. */
const char *secondary_data_name(const uint8_t tag[16]);

#endif
