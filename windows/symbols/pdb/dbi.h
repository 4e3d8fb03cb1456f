/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PDB_DBI_H
#define WINDOWS_PDB_DBI_H

#include "windows/symbols/pdb/msf.h"

/*
 * The debug information stream (DBI): the age that the image's CodeView record has, and which
 * streams hold symbol records, section headers and the map of rearranged code (OMAP). Layout:
 * llvm/docs/PDB/DbiStream.rst and microsoft-pdb's PDB/dbi/dbi.h; OMAP: cvinfo.h and MSDN's
 * "OMAP" structure of imagehlp.
 */
enum { PDB_MAX_SECTIONS = 4096 };

struct pdb_dbi {
	uint32_t age;
	uint16_t machine; /* IMAGE_FILE_MACHINE_*; 0 if unknown */
	struct msf_stream symbols;
	uint32_t *sections; /* owned; RVAs that symbols' section numbers (from 1) stand for */
	uint32_t num_sections;
	struct msf_stream omap; /* from those RVAs to the image's; of 0 bytes: the same */
};

/* On success pdb_dbi_deinit() frees. CORRUPT, LIMIT, UNSUPPORTED. */
MUST_CHECK struct error *pdb_dbi_init(struct pdb_dbi *ret, const struct msf *msf,
				      const struct msf_stream *stream);
void pdb_dbi_deinit(struct pdb_dbi *dbi); /* a zeroed one is fine */

/* The RVA of an offset in a section; false if there is no such section, or the code at that
 * place was removed from the image. */
bool pdb_dbi_rva(const struct pdb_dbi *dbi, uint16_t section, uint32_t offset, uint64_t *ret);

#endif
