/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_ISF_H
#define WINDOWS_ISF_H

#include "windows/profile.h"

/*
 * Intermediate symbol files, the JSON that Volatility 3 makes of a PDB (format:
 * volatility3/schemas/schema-6.2.0.json and its predecessors), plain or xz-compressed.
 */
enum {
	ISF_MAX_TEXT = 64 << 20,  /* bytes of JSON; kernels have 3 to 10 MiB */
	ISF_MAX_VALUES = 4 << 20, /* objects, arrays and list items; kernels have 0.3 million */
};

/* Is this the start of something that isf_parse() reads? Decides by content. */
bool isf_probe(const uint8_t *bytes, size_t len);
/*
 * Bytes of a whole file; not needed afterwards. CORRUPT (with the offset in the JSON), LIMIT.
 * The source holds some ten times the JSON's size until its destroy().
 */
MUST_CHECK struct error *isf_parse(const uint8_t *bytes, size_t len, struct profile_source **ret);
MUST_CHECK struct error *isf_open(const char *path, struct profile_source **ret);
/* metadata.windows.pdb of a source that isf_parse() made. */
const struct symbol_identity *isf_identity(const struct profile_source *src);

#endif
