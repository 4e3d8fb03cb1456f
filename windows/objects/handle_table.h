/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_HANDLE_TABLE_H
#define WINDOWS_HANDLE_TABLE_H

#include "windows/object.h"

/*
 * Handle tables: a tree of pages, TableCode's low two bits say how many levels of pointer pages
 * stand above the pages of entries (Windows Internals, "Handles and the process handle table").
 *
 *	TableCode ---> entries                         level 0
 *	TableCode ---> pointers ---> entries           level 1
 *	TableCode ---> pointers ---> pointers ---> entries   level 2
 *
 * An entry is {pointer, access}. Until Windows 8 the pointer is whole, with a lock bit and two
 * attributes in its low bits; later it is a bit field without the low four bits and the sign
 * (public PDBs: _HANDLE_TABLE_ENTRY). The first entry of every page is the table's own: it names no
 * object, and its value is no handle.
 */
#define HANDLE_FIELDS(F)                                                                      \
	F(HANDLE, TABLE_CODE, "_HANDLE_TABLE", "TableCode", OPTIONAL)                         \
	F(HANDLE, NEXT, "_HANDLE_TABLE", "NextHandleNeedingPool", OPTIONAL)                   \
	F(HANDLE, OBJECT, "_HANDLE_TABLE_ENTRY", "ObjectPointerBits|Object", OPTIONAL)        \
	F(HANDLE, ATTRIBUTES, "_HANDLE_TABLE_ENTRY", "Attributes|ObAttributes", OPTIONAL)     \
	F(HANDLE, ACCESS, "_HANDLE_TABLE_ENTRY", "GrantedAccessBits|GrantedAccess", OPTIONAL) \
	F(HANDLE, OF_PROCESS, "_EPROCESS", "ObjectTable", OPTIONAL)
DECLARE_FIELDS(handle, HANDLE_FIELDS);

/* What reading handle tables needs, bound once. */
struct handle_layout {
	struct field fields[handle_num_fields];
	uint32_t entry_size; /* of _HANDLE_TABLE_ENTRY; 0: unknown */
};
MUST_CHECK struct error *handle_layout_bind(const struct profile *p, struct handle_layout *ret);
/* Does the build tell where entries point? */
bool handle_layout_is_known(const struct handle_layout *l);

/* Attributes of a handle (ntdef.h: OBJ_PROTECT_CLOSE, OBJ_INHERIT, OBJ_AUDIT_OBJECT_CLOSE). */
enum handle_attribute {
	HANDLE_PROTECT = 1 << 0,
	HANDLE_INHERIT = 1 << 1,
	HANDLE_AUDIT = 1 << 2,
};

struct handle_entry {
	uint64_t handle; /* its value */
	uint64_t va;	 /* of the entry */
	/* Where the entry points: at the object's header; in PspCidTable at the object itself. */
	uint64_t pointer;
	struct opt_u64 attributes; /* enum handle_attribute */
	struct opt_u64 access;	   /* an access mask */
};

/* Handles that cannot be read. */
struct handle_gap {
	uint64_t first, last; /* values */
	struct fault fault;   /* the page of the table; VA_MAPPED: it is there, and not believed */
	const char *why;
};

enum handle_step { HANDLE_END, HANDLE_ENTRY, HANDLE_GAP };

enum { HANDLE_TABLE_LEVELS = 2 }; /* of pointer pages */

/* One pass over a table, in order of handle values. */
struct handle_walk {
	struct space *space;
	const struct handle_layout *layout;
	unsigned level;
	uint64_t root;	       /* the topmost page */
	uint64_t index, limit; /* entries: the next, and how many there may be */
	uint64_t leaf_va;      /* page of entries that leaf[] holds; 0: none */
	uint8_t leaf[PAGE_SIZE];
	struct pointer_page {
		uint64_t va; /* 0: not read yet */
		uint8_t bytes[PAGE_SIZE];
	} pages[HANDLE_TABLE_LEVELS]; /* the lowest first */
};

/*
 * Starts at the _HANDLE_TABLE at va. False: the layout of the build is unknown (fault->va 0), the
 * table is absent, or no table (VA_MAPPED). s and layout are borrowed.
 */
MUST_CHECK bool handle_walk_start(struct handle_walk *w, struct space *s,
				  const struct handle_layout *layout, uint64_t va,
				  struct fault *fault);
/*
 * The next entry in use, or the next range of handles whose page is absent, missing, or not
 * believed (the same page of pointers has it twice). Free entries are passed over. At most 2^24
 * entries, Windows' own limit.
 */
enum handle_step handle_walk_next(struct handle_walk *w, struct handle_entry *entry,
				  struct handle_gap *gap);

/*
 * Counts the entries in use of the table at va. False when the build's layout is unknown or a
 * page of the table is absent (then *fault says which): a count of what is left would be wrong.
 * fields: bound handle_field_rows; entry_size: size of _HANDLE_TABLE_ENTRY.
 */
bool handle_table_count(struct space *s, uint64_t va, const struct field *fields,
			uint32_t entry_size, uint64_t *ret, struct fault *fault);

#endif
