/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_KNOWN_H
#define FORMATS_KNOWN_H

#include "formats/format.h"

/*
 * Files that are recognised so that nobody takes them for raw memory, and that no format reads.
 * A format that learns to read one bids on it and takes its row out.
 */
struct known_format {
	uint16_t offset, length; /* of the magic, in bytes */
	const char *magic;
	const char *name;   /* what the file is, a noun: "EWF image (.E01)" */
	const char *advice; /* what to do instead, in one sentence without a full stop */
};

extern const struct known_format known_formats[];
extern const size_t num_known_formats;

/* The one whose magic the file has, with the bits verified; or NULL. */
const struct known_format *known_format(const struct probe_input *in, unsigned *bits_ret);

#endif
