/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_OBJECTS_PRIVATE_H
#define WINDOWS_OBJECTS_PRIVATE_H

#include "windows/kernel/kernel_address.h"
#include "windows/objects/object_directory.h"
#include "windows/objects/object_manager.h"
#include "windows/regions/section.h"
#include "windows/registry/kcb.h"
#include "windows/security/token.h"

enum { MAX_OBJECT_TYPES = 256 }; /* OBJECT_HEADER.TypeIndex is a byte */

/* A kernel object type, read when the first object of it is. */
struct object_type {
	bool tried;
	uint64_t va; /* 0: unknown, or no type has this index */
	const char *name;
};

struct object_types {
	uint64_t table; /* ObTypeIndexTable; 0: entries were learned one by one */
	bool known;	/* can an index be looked up? */
	bool has_cookie;
	uint8_t cookie; /* ObHeaderCookie */
	struct object_type items[MAX_OBJECT_TYPES];
};

/* Strings by the address of what they name: open addressing. A NULL name is known to be none. */
struct name_cache {
	struct cached_name {
		uint64_t va;
		const char *name;
	} * items;
	size_t count, size;
};

struct object_manager {
	struct kernel *k;
	struct arena arena; /* names of types and what the cache holds */
	struct field fields[object_manager_num_fields];
	struct object_types types;
	bool has_name_infos;
	uint32_t creator_size, name_size; /* of the optional headers */
	struct name_cache paths;
	struct object_directory root; /* kept for lookups: what is wrong with it is told once */
	uint64_t root_va;	      /* 0: not read yet */
	struct kcb_reader keys;
	struct section_reader sections;
	struct token_reader tokens;
};

/* A structure of the kernel. */
static inline struct object om_object(struct object_manager *om, uint64_t va)
{
	return object_at(om->k->space, va, om->fields);
}

/* Finds the table, or learns the types. */
struct error *object_types_find(struct object_manager *om);
/* The type of an index; NULL: none has it. */
const struct object_type *object_type_of(struct object_manager *om, uint8_t index);

/* As object_path(), of an object that was read with its name. */
const char *object_info_path(struct object_manager *om, const struct object_info *info,
			     struct arena *a);

bool name_cache_find(const struct name_cache *c, uint64_t va, const char **ret);
/* Keeps a copy in the manager's arena; when memory is out or the cache is full, nothing. */
void name_cache_add(struct object_manager *om, uint64_t va, const char *name);

#endif
