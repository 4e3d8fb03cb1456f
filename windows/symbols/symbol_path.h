/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SYMBOL_PATH_H
#define WINDOWS_SYMBOL_PATH_H

#include "windows/profile.h"

/*
 * What the user gives as --symbols: a file, or a tree in which the kernel's file is named by its
 * GUID and age. Both well-known shapes of trees are understood, at any of their levels:
 *
 *	[windows/][ntkrnlmp.pdb/]GUID-AGE.json[.xz]	Volatility 3; age in decimal
 *	[ntkrnlmp.pdb/]GUIDAGE/ntkrnlmp.pdb		symbol store; age in hexadecimal
 *
 * File names come from a fixed list and the GUID, never from strings in the snapshot.
 */
struct symbol_request {
	const struct profile_key *key;
	const struct symbol_store *store; /* keeps what is slow to read; NULL: nothing is kept */
	struct diag *diag;
};
struct symbol_match {
	struct profile_source *source; /* owned; NULL: a tree without this kernel */
	char *path;		       /* owned; the file that was read */
	bool exact;		       /* its GUID is the kernel's */
};

/*
 * Errors: OS, CORRUPT; UNSUPPORTED for a file that is for another kernel (names both GUIDs);
 * UNSUPPORTED for a compressed PDB and for files of unknown content. A kernel whose GUID is
 * unknown takes any kernel's file with a note and finds nothing in a tree.
 */
MUST_CHECK struct error *symbol_path_open(const char *path, const struct symbol_request *request,
					  struct symbol_match *ret);

#endif
