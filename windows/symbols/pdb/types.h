/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PDB_TYPES_H
#define WINDOWS_PDB_TYPES_H

#include "windows/symbols/pdb/name_table.h"
#include "windows/symbols/pdb/records.h"
#include "windows/symbols/type_info.h"

/*
 * The type stream (TPI). Layout: llvm/docs/PDB/TpiStream.rst, CodeViewTypes.rst and
 * microsoft-pdb's include/cvinfo.h. A type is named by its index: below 0x1000 a simple type,
 * else the number of its record. One walk over the records when the stream is opened notes where
 * each begins and the names of structures, unions and enumerations, which takes less time than
 * checking the stream's own hash table would.
 *
 * As a struct type_ref a type index is its own number; 0 is "no type" there too.
 */
enum { PDB_MAX_TYPES = 1 << 24 };

struct pdb_types {
	struct record_stream records;
	uint32_t first_index; /* of the first record */
	uint32_t *offsets;    /* owned; of the records */
	size_t count, capacity;
	struct name_table names; /* of definitions, to their indices */
};

/* A stream of 0 bytes has no types. On success pdb_types_deinit() frees. CORRUPT, LIMIT,
 * UNSUPPORTED. */
MUST_CHECK struct error *pdb_types_init(struct pdb_types *ret, const struct msf_stream *stream);
void pdb_types_deinit(struct pdb_types *types); /* a zeroed one is fine */

/* As in struct type_graph_ops. */
bool pdb_types_find(const struct pdb_types *types, const char *name, struct type_node *ret);
bool pdb_types_node(const struct pdb_types *types, struct type_ref type, struct type_node *ret);
void pdb_types_each_member(const struct pdb_types *types, struct type_ref definition,
			   member_visit_fn *visit, void *arg);
void pdb_types_each_constant(const struct pdb_types *types, struct type_ref definition,
			     constant_visit_fn *visit, void *arg);
void pdb_types_each_name(const struct pdb_types *types, name_visit_fn *visit, void *arg);

#endif
