/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_ZIP_PRIVATE_H
#define CONTAINER_ZIP_PRIVATE_H

#include "container/zip.h"

/* A member that zip_read() decoded or copied. */
struct zip_kept {
	struct zip_kept *next;
	uint8_t bytes[];
};

struct zip {
	const struct file *file;
	struct block_cache *cache;
	struct zip_member *members; /* [count], in the directory's order */
	uint32_t *by_name;	    /* indexes of members; of equal names the last one last */
	size_t count;
	const char *comment; /* borrowed from the file */
	size_t comment_len;
	uint64_t directory_offset; /* no member reaches beyond */
	struct zip_kept *kept;
};

enum {
	ZIP_LOCAL_SIZE = 30, /* of the local header without name and extra field */
	ZIP_ENCRYPTED = 1 << 0,
};

#endif
