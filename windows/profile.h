/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PROFILE_H
#define WINDOWS_PROFILE_H

#include "base/arena.h"
#include "base/diag.h"
#include "windows/pe.h"

/*
 * Structure layouts and global addresses of one kernel build, from sources in order: what the
 * user gave (--symbols), then the store of symbols that were added, then the built-in table.
 * Read-only once open; safe across threads.
 */
struct field {
	uint32_t offset;
	uint32_t size; /* bytes: 1, 2, 4, 8 for numbers; the whole size for aggregates */
	uint8_t bit_pos, bit_size; /* bit_size 0: not a bit field */
	bool present;
};

enum field_need { OPTIONAL, REQUIRED };

/* A field that a module uses, resolved once. Alternatives are separated by '|' in type and in
 * name ("HandleCount|FreeLists.HandleCount"); a dot enters a nested or anonymous member; type
 * and name alternatives are tried in order, all names of the first type first. */
struct field_row {
	const char *type, *name;
	enum field_need need;
};
/*
 * Rows beside their user:
 *	#define PROCESS_FIELDS(F) \
 *		F(PROCESS, PID, "_EPROCESS", "UniqueProcessId", REQUIRED) ...
 *	DECLARE_FIELDS(process, PROCESS_FIELDS)   in the header: enum of PROCESS_PID, ...
 *	DEFINE_FIELDS(process, PROCESS_FIELDS)    in the .c: process_field_rows[]
 * windows/fields.h lists all such macros once, for the built-in table's generator.
 */
#define FIELD_ENUM_(prefix, id, type, name, need) prefix##_##id,
#define FIELD_ROW_(prefix, id, type, name, need)  { type, name, need },
#define DECLARE_FIELDS(module, FIELDS)                                  \
	enum module##_field{ FIELDS(FIELD_ENUM_) module##_num_fields }; \
	extern const struct field_row module##_field_rows[]
#define DEFINE_FIELDS(module, FIELDS) \
	const struct field_row module##_field_rows[] = { FIELDS(FIELD_ROW_) }

/* Which PDB symbols are of. */
struct symbol_identity {
	uint8_t guid[16];
	uint32_t age;
	const char *pdb_name; /* borrowed from the source */
};

/* Where a profile's answers come from. */
struct profile_source;
struct type_info_ops;
struct profile_source_ops {
	const char *kind; /* "pdb", "isf", "store", "builtin" */
	bool (*type_size)(const struct profile_source *src, const char *type, uint32_t *ret);
	/* One type and one path, no alternatives. */
	bool (*field)(const struct profile_source *src, const char *type, const char *path,
		      struct field *ret);
	bool (*symbol)(const struct profile_source *src, const char *name, uint64_t *rva_ret);
	/* NULL: the source is no symbol file. */
	const struct symbol_identity *(*identity)(const struct profile_source *src);
	const struct type_info_ops *info; /* windows/symbols/type_info.h; NULL: answers only */
	void (*destroy)(struct profile_source *src);
};
struct profile_source {
	const struct profile_source_ops *ops;
};

/* Which kernel we need a profile for. */
struct profile_key {
	bool has_guid;
	uint8_t guid[16];
	uint32_t age;
	const char *pdb_name;			 /* may be cut short; NULL if unknown */
	uint32_t build;				 /* 0 if unknown */
	uint32_t time_date_stamp, size_of_image; /* 0 if unknown */
	bool la57; /* the kernel for five-level paging, ntkrla57.exe, whose layouts differ */
};

struct profile;
struct symbol_store;
struct profile_options {
	const char *const *symbols; /* --symbols paths, in order */
	size_t num_symbols;
	const struct symbol_store *store; /* windows/symbols/symbol_store.h; NULL: none */
	bool no_builtin;
};

/*
 * Opens the sources that fit key. A symbol path is a file, a symbol-store tree
 * (name.pdb/GUIDAGE/name.pdb) or a Volatility tree (windows/ntkrnlmp.pdb/GUID-AGE.json.xz or
 * its parent). A file that is for another kernel is an error that names both GUIDs; a tree
 * without the GUID is a note. With the built-in table: exact GUID, else same build, else the
 * nearest build (a note). NOT_FOUND when no source is left.
 */
MUST_CHECK struct error *profile_open(const struct profile_key *key,
				      const struct profile_options *options, struct diag *diag,
				      struct profile **ret);
/* A profile of one source that is for exactly this kernel; takes the source, also on failure.
 * The description is the source's kind. */
MUST_CHECK struct error *profile_from_source(struct profile_source *source, uint32_t build,
					     struct profile **ret);
void profile_close(struct profile *p); /* NULL ok */

/* The sources in the order in which they are asked; borrowed until profile_close(). *exact_ret: is
 * it for exactly this kernel? Symbols of others are not this kernel's. */
size_t profile_num_sources(const struct profile *p);
const struct profile_source *profile_source_at(const struct profile *p, size_t index,
					       bool *exact_ret);

/* "pdb:PATH", "isf:PATH", "store:GUID-AGE", "builtin:exact", "builtin:build 19041",
 * "builtin:nearest 18362": info.symbols. */
const char *profile_description(const struct profile *p);
/* Does the layout belong to exactly this kernel (GUID matched)? */
bool profile_is_exact(const struct profile *p);
/* The build number of the layout in use; 0 if unknown. A GUID alone can tell the build. */
uint32_t profile_build(const struct profile *p);
/* The kernel file's full version, "10.0.19041.1526", where the built-in table knows the GUID;
 * else NULL. Borrowed until profile_close(). */
const char *profile_version(const struct profile *p);

bool profile_type_size(const struct profile *p, const char *type, uint32_t *ret);
/* type and name as in struct field_row, alternatives allowed. */
bool profile_field(const struct profile *p, const char *type, const char *name, struct field *ret);
/* The same, saying which source answered; NULL if none does. Borrowed until profile_close(). */
const struct profile_source *profile_field_source(const struct profile *p, const char *type,
						  const char *name, struct field *ret);
/* RVA of a global; only from sources of exactly this GUID. */
bool profile_symbol(const struct profile *p, const char *name, uint64_t *rva_ret);

/* Resolves rows into fields[n]. ERROR_NOT_FOUND lists every missing REQUIRED row. */
MUST_CHECK struct error *profile_bind(const struct profile *p, const struct field_row *rows,
				      size_t n, struct field *fields);

/* The globals that the project uses, kept by the built-in table: name per row. */
extern const char *const profile_globals[];
extern const size_t profile_num_globals;

#endif
