/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_STAMP_H
#define WINDOWS_STAMP_H

#include "windows/pe.h"

/*
 * TimeDateStamp of an image: when it was linked, or, where the build is reproducible, a hash of it.
 * The image's debug directory then has an entry of type REPRO (PE/COFF specification, "Debug
 * Type"); without the headers only stamps that are no plausible date are known to be hashes.
 */
enum stamp_kind {
	STAMP_ABSENT, /* there is none, or it is 0 */
	STAMP_DATE,
	STAMP_HASH,
	STAMP_UNSURE, /* it could be a date; the headers that would tell are absent */
};

/* pe: the image's headers, NULL if they are absent. now: FILETIME of the snapshot, 0: unknown. */
enum stamp_kind stamp_kind_of(struct space *s, const struct pe_image *pe, uint32_t stamp,
			      uint64_t now);
/* FILETIME of a stamp, seconds since 1970. */
uint64_t stamp_time(uint32_t stamp);
/* "date", "hash", "unsure"; NULL for STAMP_ABSENT. */
const char *stamp_kind_name(enum stamp_kind kind);

#endif
