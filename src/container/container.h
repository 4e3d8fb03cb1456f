/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_CONTAINER_H
#define CONTAINER_CONTAINER_H

#include "base/diag.h"
#include "base/file.h"

/*
 * Files inside compressed files and archives: what is in a .gz, .xz, .zst, .lz4, .bz2 or zip,
 * read at any offset. Where the compressed file allows it, an index of stretches that decode by
 * themselves is made once, and they are decoded when they are asked for; else all of it is decoded
 * once, to a temporary file that has no name.
 *
 * What is damaged is read up to the damage, which goes to diag. A file that only begins like a
 * container is none; that goes to diag as well.
 */
#define CONTAINER_DEFAULT_MAX_UNPACKED (UINT64_C(256) << 30)
enum { CONTAINER_MAX_NESTING = 2, CONTAINER_NAME_SIZE = 32 };

struct container_options {
	uint64_t max_unpacked; /* what one may claim or yield, in bytes; 0: the default */
	const char *member;    /* of an archive; NULL: the only one that can be meant */
	bool quiet;	       /* no progress line */
	bool as_it_stands;     /* the file is what is meant, whatever it looks like */
};

struct container_input;
struct container_ops {
	const char *name;	/* "gzip" */
	const char *recognised; /* how, for people */
	const char *library;	/* that decodes it; "": none is needed */
	bool built_in;		/* was that there when the program was built? */
	bool (*probe)(const uint8_t *head, size_t size);
	/* Is it rather a snapshot in a format of its own? NULL: no. */
	bool (*leaves)(const struct container_input *in);
	/* CORRUPT where the file only begins like one, as memory may by chance: nothing behind its
	 * first bytes fits. A file that is cut off fits. NULL: they suffice. */
	struct error *(*check)(const struct container_input *in);
	struct error *(*open)(const struct container_input *in, struct file *ret);
};

/* All of them, for lists. */
extern const struct container_ops *const container_registry[];
extern const size_t num_containers;

/* What container_open() went through, the outermost first. */
struct container_levels {
	const struct container_ops *ops[CONTAINER_MAX_NESTING];
	size_t count;
	char name[CONTAINER_NAME_SIZE]; /* "gzip", "gzip in zip"; "" */
	uint64_t packed_size;		/* bytes of the outermost */
};

/*
 * Replaces *file by what it contains, which may be a container again; a file that is none stays
 * as it is. `path` names it in messages; cache and diag are borrowed, the cache until the file is
 * closed. On failure the file is closed. Errors: UNSUPPORTED (by name: a library is missing, a
 * method unknown, nested too deep), USAGE (which member?), LIMIT (--max-unpacked, --max-memory,
 * no room for a temporary file), CORRUPT (nothing can be decoded).
 */
MUST_CHECK struct error *container_open(struct file *file, const char *path,
					struct block_cache *cache, struct diag *diag,
					const struct container_options *options,
					struct container_levels *ret);

#endif
