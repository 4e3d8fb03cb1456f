/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_KNOWN_H
#define FORMATS_KNOWN_H

#include "formats/format.h"

/*
 * Files that are recognised so that nobody takes them for raw memory, and that no format reads.
 * A format that learns to read one bids on it and takes its row out.
 */

/* The name of what the file is ("LiME memory image") with the bits verified, or NULL. */
const char *known_format(const struct probe_input *in, unsigned *bits_ret);

#endif
