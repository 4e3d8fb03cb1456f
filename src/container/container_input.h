/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_CONTAINER_INPUT_H
#define CONTAINER_CONTAINER_INPUT_H

#include "container/container.h"

/* What each container's open() works with; for the files of this folder alone. */
struct container_input {
	const char *name;	 /* of the container */
	const struct file *file; /* packed; outlives what is decoded of it */
	const char *path;	 /* of the file, for messages and for what is decoded of it */
	struct block_cache *cache;
	struct diag *diag;
	const struct container_options *options;
	uint64_t max_unpacked; /* the option or its default */
};

extern const struct container_ops gzip_container;
extern const struct container_ops xz_container;
extern const struct container_ops zstd_container;
extern const struct container_ops lz4_container;
extern const struct container_ops bzip2_container;
extern const struct container_ops zip_container;
extern const struct container_ops hpak_container;
extern const struct container_ops zdmp_container;
extern const struct container_ops zlib_container;

/* A copy of an open file on the heap, which takes it; also on failure. */
MUST_CHECK struct error *file_to_heap(struct file *file, struct file **ret);
void heap_file_cleanup(struct file **f); /* closes and frees it; for CLEANUP() */

/* LIMIT when a container yields or claims more than it may. */
MUST_CHECK struct error *container_check_size(const struct container_input *in, uint64_t size);
/* For container_ops.check(): what decoding CONTAINER_TRIAL_SIZE bytes from the beginning says, of
 * which `got` were decoded; none of it counts once all were, or the file has ended. */
enum { CONTAINER_TRIAL_SIZE = 4 << 10 };
MUST_CHECK struct error *container_trial(struct error *err, size_t got, bool file_ended);
/* The longest stretch that is decoded at once: several fit what --max-memory leaves. */
uint64_t container_max_block(const struct container_input *in);

#endif
