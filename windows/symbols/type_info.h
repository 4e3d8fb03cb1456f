/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_TYPE_INFO_H
#define WINDOWS_TYPE_INFO_H

#include "windows/profile.h"

/*
 * What a source of symbols knows beyond single answers: its types with their members, and its
 * symbols. Sources that have types as a graph (PDB, ISF) implement struct type_graph_ops, and
 * everything else is done here once: paths ("Pcb.Header.Type"), sizes, bit fields, descriptions.
 * The built-in table knows fields by path only and describes its types itself.
 *
 * All strings are borrowed from the source or the caller's arena.
 */
enum type_kind {
	TYPE_NONE, /* unknown, or a type without a size */
	TYPE_BASE,
	TYPE_STRUCT, /* classes too */
	TYPE_UNION,
	TYPE_ENUM,
	TYPE_POINTER,
	TYPE_ARRAY,
	TYPE_BIT_FIELD,
	TYPE_FUNCTION,
};

/* A place in a source's types; its meaning is the source's own. */
struct type_ref {
	uintptr_t id; /* 0: none */
};

struct type_node {
	enum type_kind kind;
	const char *name; /* of base types, structures, unions and enumerations; else NULL */
	uint64_t size;	  /* bytes; of an array 0 if only count is known; of bit fields 0 */
	uint64_t count;	  /* elements of an array; 0 if only size is known */
	uint8_t bit_pos, bit_size;
	struct type_ref target;	    /* of pointers, arrays and bit fields */
	struct type_ref definition; /* of structures, unions and enumerations; may be missing */
};

/* A direct member of a structure or union. */
struct member_ref {
	const char *name;
	uint64_t offset;
	struct type_ref type;
};

typedef bool member_visit_fn(void *arg, const struct member_ref *member);
typedef bool constant_visit_fn(void *arg, const char *name, int64_t value);
typedef bool name_visit_fn(void *arg, const char *name);
typedef bool symbol_visit_fn(void *arg, const char *name, uint64_t rva);

/* Every visit returns false to end the walk. What is malformed is left out. */
struct type_graph_ops {
	/* A structure, union or enumeration by its name. */
	bool (*find)(const struct profile_source *src, const char *name, struct type_node *ret);
	bool (*node)(const struct profile_source *src, struct type_ref type, struct type_node *ret);
	void (*each_member)(const struct profile_source *src, struct type_ref definition,
			    member_visit_fn *visit, void *arg);
	void (*each_constant)(const struct profile_source *src, struct type_ref definition,
			      constant_visit_fn *visit, void *arg);
};

struct type_info;
struct type_info_ops {
	/* Names of structures, unions and enumerations, unnamed ones left out; in no order, and
	 * one may come twice. */
	void (*each_type)(const struct profile_source *src, name_visit_fn *visit, void *arg);
	/* In no order; a name may come twice. */
	void (*each_symbol)(const struct profile_source *src, symbol_visit_fn *visit, void *arg);
	/* One of the two. */
	const struct type_graph_ops *graph;
	struct error *(*describe)(const struct profile_source *src, const char *name,
				  struct arena *a, struct type_info *ret);
};

enum {
	TYPE_MAX_MEMBERS = 1 << 16, /* described of one type; the kernel's largest has 400 */
	TYPE_MAX_NAME = 256,	    /* bytes of one name in a path, its NUL included */
};

struct type_member {
	const char *name; /* from the built-in table a path, "Pcb.DirectoryTableBase" */
	uint32_t offset;
	uint64_t size; /* bytes; 0: unknown, or a function */
	uint8_t bit_pos, bit_size;
	uint64_t count; /* elements of an array, all its dimensions multiplied; else 0 */
	/* "unsigned long", "_LIST_ENTRY", "pointer to _EPROCESS", "[15] unsigned char";
	 * NULL: unknown. */
	const char *type;
	/* The structure or union that it is, or that its elements are; else of kind TYPE_NONE. */
	struct type_node structure;
};
struct type_constant {
	const char *name;
	int64_t value;
};
struct type_info {
	enum type_kind kind;	     /* TYPE_STRUCT, TYPE_UNION, TYPE_ENUM */
	uint64_t size;		     /* 0: unknown */
	struct type_member *members; /* by offset, then bit; in the arena */
	size_t num_members;
	struct type_constant *constants; /* by value; in the arena */
	size_t num_constants;
};

/* Is any type described here? A kernel's PDB may come without them. */
bool type_known(const struct profile_source *src);
void type_each(const struct profile_source *src, name_visit_fn *visit, void *arg);
/* NOT_FOUND, LIMIT. */
MUST_CHECK struct error *type_describe(const struct profile_source *src, const char *name,
				       struct arena *a, struct type_info *ret);
/* The same of a member's structure. */
MUST_CHECK struct error *type_describe_node(const struct profile_source *src,
					    const struct type_node *node, struct arena *a,
					    struct type_info *ret);

/* For sources with a graph: what struct profile_source_ops asks. A path enters structure and
 * union members, and the first element of arrays; a name that is not among the direct members
 * is looked for in those of unnamed type, nearest level first. */
bool type_graph_field(const struct profile_source *src, const char *type, const char *path,
		      struct field *ret);
bool type_graph_size(const struct profile_source *src, const char *type, uint32_t *ret);
/* Bytes of a type; false for what has no size. */
bool type_bytes(const struct profile_source *src, struct type_ref type, uint64_t *ret);
/* By offset, then bit; the larger first. */
void type_sort_members(struct type_member *members, size_t count);
/* Does the name stand for "no name in the source", as "<unnamed-tag>" does? */
bool type_is_unnamed(const char *name);
/* The structure or union that a type is, through arrays and not through pointers. */
bool type_structure(const struct profile_source *src, struct type_ref type, struct type_node *ret);

/* A source's symbols by address. Borrows the source's strings. */
struct symbol_index;
struct symbol {
	const char *name;
	uint64_t rva;
};
enum { SYMBOL_INDEX_MAX = 1 << 24 };

MUST_CHECK struct error *symbol_index_create(const struct profile_source *src,
					     struct symbol_index **ret);
void symbol_index_destroy(struct symbol_index *index); /* NULL ok */
/* By RVA, then name; each pair once. */
const struct symbol *symbol_index_all(const struct symbol_index *index, size_t *count_ret);
/* The nearest symbol at or below the RVA; of several there, the first by name. NULL if none. */
const struct symbol *symbol_index_nearest(const struct symbol_index *index, uint64_t rva);

#endif
