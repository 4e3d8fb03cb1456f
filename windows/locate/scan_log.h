/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_LOCATE_SCAN_LOG_H
#define WINDOWS_LOCATE_SCAN_LOG_H

#include "base/error.h"
#include "base/sha256.h"

/*
 * What the scans of one search for the kernel met, in their order, and where the search ended; and
 * the file in which this is kept:
 *
 *	 0  magic, u32 version, u32 scans, u32 hits, u32 zero
 *	24  fingerprint of the snapshot
 *	56  the end of the search
 *	..  a u32 each scan: its number of hits, the top bit if it dropped some
 *	..  each hit: u64 physical address, u32 kind
 *	..  SHA-256 of all that
 *
 * Little-endian. Another version is not read: the next search writes its own.
 */
struct scan_hit {
	uint64_t pa;
	uint32_t kind; /* the scan's own */
};

enum {
	SCAN_LOG_VERSION = 1,
	SCAN_LOG_MAX_SCANS = 64,
	SCAN_LOG_MAX_HITS = 4096,
	SCAN_LOG_MAX_BYTES = 64 << 10,
	SCAN_LOG_VERSION_AT = 8,
};

struct scan_log {
	size_t num_scans, num_hits;
	size_t ends[SCAN_LOG_MAX_SCANS]; /* where each scan's hits end */
	bool dropped[SCAN_LOG_MAX_SCANS];
	struct scan_hit *hits; /* owned */
	size_t capacity;
	bool is_cut;		  /* there was more than it holds: worth nothing */
	uint8_t end[SHA256_SIZE]; /* a sum of what was found and of all that was told of it */
};

void scan_log_deinit(struct scan_log *log); /* zeroed is fine */
/* The next scan. */
void scan_log_begin(struct scan_log *log);
/* Hits of the scan that began last; dropped: it had more. */
MUST_CHECK struct error *scan_log_add(struct scan_log *log, const struct scan_hit *hits,
				      size_t count, bool dropped);
/* The hits of a scan, the first being number 0; none if there was no such scan. */
size_t scan_log_hits(const struct scan_log *log, size_t scan, const struct scan_hit **ret);

/* The file's bytes; owned (free). The log is not cut. */
MUST_CHECK struct error *scan_log_write(const struct scan_log *log,
					const uint8_t fingerprint[SHA256_SIZE], uint8_t **ret,
					size_t *len_ret);
/* Errors: CORRUPT, UNSUPPORTED (another version), NOT_FOUND (of another snapshot). */
MUST_CHECK struct error *scan_log_parse(const uint8_t *bytes, size_t len,
					const uint8_t fingerprint[SHA256_SIZE],
					struct scan_log *ret);
/* Makes the checksum at the end right, for tests. len is at least SHA256_SIZE. */
void scan_log_seal(uint8_t *bytes, size_t len);

#endif
