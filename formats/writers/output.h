/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_OUTPUT_H
#define FORMATS_WRITERS_OUTPUT_H

#include "base/sha256.h"

/*
 * A file that is being written. It has no name until output_finish() gives it its own: what fails
 * or is interrupted leaves no file behind. Where the file system has no files without a name it has
 * a hidden one beside the target (".NAME.PID-0.part"), which goes away, too, but for SIGKILL and a
 * fault of the program or of the snapshot's disk. What is never written reads as zeros and is a
 * hole where the file system has such. For one thread. Errors are OS with the path, or LIMIT.
 */
struct output;

/* Bytes of one file with its holes: what file systems take. */
#define OUTPUT_MAX_SIZE (UINT64_C(1) << 43)

struct output_options {
	bool replace; /* a file of that name goes away; else it is an error */
	bool hash;    /* SHA-256 of the file, taken on a thread beside the writing */
	bool lz4;     /* an LZ4 frame of independent 4 MiB blocks around it: output_is_ordered() */
};

MUST_CHECK struct error *output_create(const char *path, const struct output_options *options,
				       struct output **ret);
/* Gives up, and removes what was written, unless it was finished. NULL ok. */
void output_destroy(struct output *o);
void output_cleanup(struct output **o); /* for CLEANUP() */

/* How long the file will be, before the first byte of it. */
MUST_CHECK struct error *output_set_size(struct output *o, uint64_t size);
/* Bytes may be written at lower offsets than others before them: to be said before the first,
 * unless output_is_ordered(). The size need not be known before. */
void output_set_unordered(struct output *o);
/* Can nothing but order be had (LZ4)? */
bool output_is_ordered(const struct output *o);
/* Overlaps nothing that was written before. */
MUST_CHECK struct error *output_write(struct output *o, uint64_t offset, const void *bytes,
				      size_t len);

/* The same, with holes for its pages of zeros. */
MUST_CHECK struct error *output_write_sparse(struct output *o, uint64_t offset, const void *bytes,
					     size_t len);

struct output_result {
	uint64_t size;		     /* of the file */
	uint8_t sha256[SHA256_SIZE]; /* with options.hash */
};
/* All is written: gives the file its name. Then, too, output_destroy() frees it. */
MUST_CHECK struct error *output_finish(struct output *o, struct output_result *ret);

#endif
