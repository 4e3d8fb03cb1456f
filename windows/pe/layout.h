/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PE_LAYOUT_H
#define WINDOWS_PE_LAYOUT_H

#include "windows/pe.h"

/*
 * Where the bytes of an image's file are while it is loaded. Of the file, headers and sections are
 * mapped, each section as far as its pages go; what follows the last section (an overlay, a
 * signature) is not.
 */
enum { PE_MAX_FILE_RANGES = PE_MAX_SECTIONS + 1 };

struct pe_file_range {
	uint64_t offset; /* in the file */
	uint64_t size;	 /* of the file */
	uint64_t rva;
	uint64_t mapped; /* bytes from the front on that are at rva; at most size */
};

struct pe_file_layout {
	struct pe_file_range ranges[PE_MAX_FILE_RANGES]; /* by offset, disjoint, never empty */
	size_t count;
};

/* By the headers alone. [base + rva, + mapped) is within the image. */
void pe_file_layout(const struct pe_image *pe, struct pe_file_layout *ret);

#endif
