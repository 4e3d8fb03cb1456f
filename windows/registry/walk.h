/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_WALK_H
#define WINDOWS_REGISTRY_WALK_H

#include "base/diag.h"
#include "windows/registry/key.h"
#include "windows/registry/name.h"

/* A key and what is below it in its hive, parents before children, each key once. */
struct registry_walk {
	struct diag *diag;  /* what cannot be read, one line per key, as partial */
	unsigned max_depth; /* levels below the first key; at most MAX_KEY_DEPTH */
	/* depth: levels below the first key. path and the key's strings are the walk's until fn
	 * returns. Its error ends the walk. */
	struct error *(*fn)(struct registry_walk *w, const struct registry_key *key,
			    const char *path, unsigned depth);
	void *arg;
	bool stop; /* set by fn to end the walk */
};

/* cell: of the first key; path: the first key's. */
MUST_CHECK struct error *registry_walk_run(struct registry_walk *w, const struct hive *h,
					   uint32_t cell, const char *path);

#endif
