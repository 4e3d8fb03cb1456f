/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PDB_CODEVIEW_H
#define WINDOWS_PDB_CODEVIEW_H

#include "base/cursor.h"

/*
 * CodeView records of PDBs, decoded one at a time. Layouts and numbers: microsoft-pdb's
 * include/cvinfo.h, llvm's DebugInfo/CodeView/CodeViewTypes.def and CodeViewSymbols.def.
 */
enum leaf {
	LEAF_MODIFIER = 0x1001,
	LEAF_POINTER = 0x1002,
	LEAF_PROCEDURE = 0x1008,
	LEAF_MEMBER_FUNCTION = 0x1009,
	LEAF_FIELD_LIST = 0x1203,
	LEAF_BIT_FIELD = 0x1205,
	LEAF_ARRAY = 0x1503,
	LEAF_CLASS = 0x1504,
	LEAF_STRUCTURE = 0x1505,
	LEAF_UNION = 0x1506,
	LEAF_ENUM = 0x1507,
	LEAF_INTERFACE = 0x1519,
	/* inside field lists */
	LEAF_INDEX = 0x1404, /* the list goes on in another record */
	LEAF_ENUMERATE = 0x1502,
	LEAF_MEMBER = 0x150d,
};

enum symbol_kind {
	SYMBOL_LOCAL_DATA = 0x110c,
	SYMBOL_GLOBAL_DATA = 0x110d,
	SYMBOL_PUBLIC = 0x110e,
};

/* A simple type: index below 0x1000. */
struct simple_type {
	const char *name;     /* NULL: a kind we do not know */
	uint8_t size;	      /* bytes of a value; 0 for void */
	uint8_t pointer_size; /* not 0: a pointer of so many bytes to it */
};
enum { FIRST_TYPE_RECORD = 0x1000, SIMPLE_TYPE_MASK = 0xff };

struct simple_type simple_type(uint32_t index);

/* A structure, union or enumeration. */
struct tag_record {
	bool is_forward;		 /* declared here, defined by another record */
	uint32_t field_list, underlying; /* type indices; underlying of enumerations only */
	uint64_t size;			 /* 0 for enumerations */
	const char *name, *unique_name;	 /* unique_name may be NULL */
};
bool is_tag_record(uint16_t kind);
MUST_CHECK bool tag_record(uint16_t kind, struct cursor data, struct tag_record *ret);

/* One item of a field list. */
struct list_item {
	uint16_t kind;
	uint32_t type;	  /* of members; of LEAF_INDEX the next list */
	uint64_t number;  /* offset of members, value of enumerators (sign-extended) */
	const char *name; /* NULL for kinds without one */
};
/* False at the end, and at a kind whose length nobody knows. */
MUST_CHECK bool list_next(struct cursor *c, struct list_item *ret);

struct symbol_record {
	uint32_t offset;
	uint16_t section; /* from 1 */
	const char *name;
};
MUST_CHECK bool symbol_record(uint16_t kind, struct cursor data, struct symbol_record *ret);

/* A number of 2 bytes, or of a leaf that says its type. Sign-extended to 64 bits. */
MUST_CHECK bool numeric_leaf(struct cursor *c, uint64_t *ret);

#endif
