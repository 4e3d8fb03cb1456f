/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_LIME_RANGES_H
#define FORMATS_LIME_RANGES_H

#include "formats/format.h"

/*
 * LiME and AVML files are ranges of physical memory, each behind a header of 32 bytes: magic,
 * version, first and last physical address, eight reserved bytes. How the bytes behind it are
 * stored, and so where they end, is the kind's own. Source of the layout: LiME, doc/README.md;
 * AVML, src/image.rs.
 */
enum { LIME_HEADER_SIZE = 32 };

struct lime_range {
	uint64_t offset; /* of the header, in the file */
	uint64_t data;	 /* of the first byte after it */
	uint64_t start;	 /* physical address */
	uint64_t length; /* bytes of memory; 0: none */
};

struct lime_kind {
	const char *name; /* for messages */
	const char *magic;
	uint32_t version;
	/*
	 * Takes in a range, and says where in the file the next header should be; or, when damage
	 * ends the range before its time, where that is, and in *why what it is.
	 */
	struct error *(*take)(void *arg, const struct lime_range *range, uint64_t *next_ret,
			      struct error **why);
	/* Do the bytes behind a header that was found by searching look like its range? */
	bool (*looks_right)(void *arg, const struct lime_range *range);
};

/* 64 bits when the file begins with a header of this kind; of other versions, 32. */
unsigned lime_probe(const struct lime_kind *kind, const struct probe_input *in);

/* The header at an offset; false when there is none of this kind. Errors of reading count as such.
 */
bool lime_header_at(const struct lime_kind *kind, const struct file *file, uint64_t offset,
		    struct lime_range *ret);

/*
 * All ranges of the file, in its order. Where a header is damaged the next good one is searched
 * for, and what lies between is reported as lost. Errors: what take() says; CORRUPT or
 * UNSUPPORTED when the first header is bad; LIMIT.
 */
MUST_CHECK struct error *lime_each_range(const struct lime_kind *kind,
					 const struct format_input *in, void *arg);

/* How much of a range's length a machine can have; reports the rest as lost. */
uint64_t lime_clip(const struct lime_range *range, struct diag *diag);

#endif
