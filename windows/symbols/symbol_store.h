/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SYMBOL_STORE_H
#define WINDOWS_SYMBOL_STORE_H

#include "windows/profile.h"

/*
 * A folder of symbols that were read before, in the form of windows/symbols/symbol_cache.h:
 *
 *	GUID-AGE.sym	   of files that the user added: found without being named
 *	read/SIZE-SUM.sym  of files that were slow to read, by the size and checksum of their
 *			   content; the oldest goes when there are too many
 *
 * Files appear under their names complete or not at all, and are never changed: any number of
 * processes may add at once. One that is damaged or of another version is as if it were not there.
 */
struct symbol_store {
	const char *folder; /* need not exist yet */
	bool verbose;	    /* note what could not be kept */
};
enum { SYMBOL_STORE_MAX_READ = 64 }; /* files; some 4 MiB each */

/* $XDG_CACHE_HOME/ntscope/symbols, else $HOME/.cache/ntscope/symbols (the XDG base directory
 * specification: paths must be absolute). In the arena; NULL if neither is set, or without memory.
 */
char *symbol_store_default_folder(struct arena *a);

/* What was added for exactly this GUID and age; NULL if there is nothing, with a note if it is
 * damaged. */
MUST_CHECK struct error *symbol_store_find(const struct symbol_store *store,
					   const struct profile_key *key, struct diag *diag,
					   struct profile_source **ret);

/* Opens a symbol file; what is slow to read is kept and found again. store may be NULL. Nothing is
 * wrong when it cannot be kept. */
MUST_CHECK struct error *symbol_store_open_file(const struct symbol_store *store, const char *path,
						struct diag *diag, struct profile_source **ret);

/* Reads a PDB or ISF file and adds it, in place of what there was for its GUID and age. Returns the
 * source as it will be found. */
MUST_CHECK struct error *symbol_store_add(const struct symbol_store *store, const char *path,
					  struct profile_source **ret);
/* The path of what is found for this identity; owned (free), NULL without memory. */
char *symbol_store_path(const struct symbol_store *store, const uint8_t guid[16], uint32_t age);

#endif
