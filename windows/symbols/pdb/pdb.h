/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PDB_PDB_H
#define WINDOWS_PDB_PDB_H

#include "windows/profile.h"

/*
 * Program databases, the symbol files of Microsoft's linker and of lld: of the image they belong
 * to, the types and the addresses of public symbols and of variables. The file stays mapped, and
 * bytes are read where they are. Layout: llvm/docs/PDB and microsoft-pdb.
 *
 * A PDB may have no types; it then answers for symbols only. Base classes are not entered.
 */

/* Is this the start of a PDB (MSF 7.00)? */
bool pdb_probe(const uint8_t *bytes, size_t len);
/* bytes must last until the source's destroy(). UNSUPPORTED (another machine or version),
 * CORRUPT with stream and offset, LIMIT. pdb_name is copied. */
MUST_CHECK struct error *pdb_parse(const uint8_t *bytes, size_t len, const char *pdb_name,
				   struct profile_source **ret);
/* The same of a file, which stays open until destroy(). */
MUST_CHECK struct error *pdb_open(const char *path, struct profile_source **ret);
/* Of a source of either: the GUID of the information stream and the age of the debug
 * information stream, which are those of the image's CodeView record; pdb_name is the file's. */
const struct symbol_identity *pdb_identity(const struct profile_source *src);

#endif
