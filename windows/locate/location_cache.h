/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_LOCATE_LOCATION_CACHE_H
#define WINDOWS_LOCATE_LOCATION_CACHE_H

#include "base/diag.h"
#include "formats/format.h"
#include "windows/locate/scan_log.h"

/*
 * A folder with what searches of whole snapshots met, one file each, named by the fingerprint of
 * the snapshot (FINGERPRINT.scan, in the form of windows/locate/scan_log.h). It tells where to look
 * and nothing else: the locator looks at those pages as if the scans had just come by, checks each
 * candidate as ever, and searches anew where that does not end as it did before. Only searches
 * that scan ask for it or add to it: the others take less time than reading a file.
 */
struct location_cache {
	const char *folder;   /* need not exist yet */
	uint64_t min_scanned; /* keep nothing of searches that read less, in bytes */
	struct diag *diag;    /* told what could not be kept or used; NULL: nobody is */
};
enum {
	LOCATION_CACHE_MAX_FILES = 256, /* the one used longest ago goes */
	LOCATION_CACHE_MIN_SCANNED = 8 << 20,
};

/*
 * Of the files that the snapshot consists of, as they are stored: sizes, times of change and some
 * pages (the first, the last, and others at even distances); what the formats made of them; and the
 * version of this program, which decides how a search goes on. Not of their names. Errors: what
 * reading says.
 */
MUST_CHECK struct error *snapshot_fingerprint(const struct snapshot *snap,
					      uint8_t ret[SHA256_SIZE]);

/* False: there is nothing, or nothing that can be used. */
MUST_CHECK bool location_cache_find(const struct location_cache *cache,
				    const uint8_t fingerprint[SHA256_SIZE], struct scan_log *ret);
/* Failing to keep it costs time only. The log is not cut. */
void location_cache_keep(const struct location_cache *cache, const uint8_t fingerprint[SHA256_SIZE],
			 const struct scan_log *log);

#endif
