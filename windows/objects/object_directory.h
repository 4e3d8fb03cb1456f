/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_OBJECT_DIRECTORY_H
#define WINDOWS_OBJECT_DIRECTORY_H

#include "windows/objects/object_manager.h"

/*
 * Directories of the object namespace: an array of hash buckets, each a chain of entries {next,
 * object} (public PDBs: OBJECT_DIRECTORY, OBJECT_DIRECTORY_ENTRY).
 */
#define DIRECTORY_FIELDS(F)                                                  \
	F(DIRECTORY, BUCKETS, "_OBJECT_DIRECTORY", "HashBuckets", OPTIONAL)  \
	F(DIRECTORY, NEXT, "_OBJECT_DIRECTORY_ENTRY", "ChainLink", OPTIONAL) \
	F(DIRECTORY, ENTRY_OBJECT, "_OBJECT_DIRECTORY_ENTRY", "Object", OPTIONAL)
DECLARE_FIELDS(directory, DIRECTORY_FIELDS);

enum { MAX_DIRECTORY_ENTRIES = 1 << 20 };

struct directory_entry {
	uint64_t va; /* OBJECT_DIRECTORY_ENTRY */
	uint64_t object;
};

struct object_directory {
	struct directory_entry *items; /* owned; in order of bucket and chain */
	size_t count;
};

/*
 * The entries of the directory whose body is at va. Chains that break (an entry is absent, or runs
 * in a loop) cost what follows in them; diag says so as partial, with `what` as the directory's
 * name. UNSUPPORTED where the build's layout is unknown, NO_MEMORY.
 */
MUST_CHECK struct error *object_directory_read(struct kernel *k, uint64_t va, const char *what,
					       struct object_directory *ret);
void object_directory_deinit(struct object_directory *d);

/* The root of the namespace: ObpRootDirectoryObject, by symbol or the debugger's data block.
 * NOT_FOUND; FAULT where the variable is absent. */
MUST_CHECK struct error *object_root_directory(const struct kernel *k, uint64_t *ret);

/*
 * The object at a path ("\Driver\Tcpip"; "\" is the root), by the names in the directories; case
 * does not matter, symbolic links are not followed. NOT_FOUND, USAGE for no path.
 */
MUST_CHECK struct error *object_lookup(struct object_manager *om, const char *path, uint64_t *ret);

/* One object of the namespace. */
struct namespace_object {
	struct object_info info;
	const char *path; /* NULL: its name is absent, or one above it */
	uint64_t entry;	  /* of the directory that has it; 0: where the walk started */
	unsigned depth;	  /* below where the walk started */
};
/* Strings live until the call returns. */
typedef struct error *namespace_fn(void *arg, const struct namespace_object *object);

/*
 * Every object below start (a directory, or any object: then just that one), which comes first;
 * directories before what they hold, in their own order. A directory that was there before, or
 * nests too deep, is not entered again; diag says what could not be read.
 */
MUST_CHECK struct error *namespace_walk(struct object_manager *om, uint64_t start, const char *path,
					namespace_fn *fn, void *arg);

#endif
