/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_KEY_H
#define WINDOWS_REGISTRY_KEY_H

#include "windows/registry/hive.h"

/* Keys and the lists of their subkeys (windows/registry/regf.h has the layouts). */

enum registry_key_flag {
	KEY_IS_VOLATILE = 1 << 0,
	KEY_HIVE_EXIT = 1 << 1,	 /* another hive is mounted here */
	KEY_HIVE_ENTRY = 1 << 2, /* the root key of a hive */
	KEY_NO_DELETE = 1 << 3,
	KEY_SYM_LINK = 1 << 4, /* its value SymbolicLinkValue is the path of another key */
	KEY_COMP_NAME = 1 << 5,
	KEY_PREDEF_HANDLE = 1 << 6, /* stands for a predefined HKEY: it has no values */
	KEY_VIRT_MIRRORED = 1 << 7,
};

/* What a key of a differencing hive (a container's) does to the same key of the hive below it; each
 * hive is listed for itself, and nothing is merged. */
enum registry_layer {
	LAYER_MERGE, /* both are one key; so is every key of other hives */
	LAYER_TOMBSTONE,
	LAYER_SUPERSEDE_LOCAL,
	LAYER_SUPERSEDE_TREE,
};

enum {
	MAX_CELLS = 1 << 20 /* subkeys or values of one key; HKCR has some 10,000 subkeys */
};

struct registry_key {
	const struct hive *hive;
	uint32_t cell;
	uint64_t va;	  /* of the key node */
	const char *name; /* its own; owned by the arena given */
	unsigned flags;	  /* enum registry_key_flag */
	enum registry_layer layer;
	uint64_t last_write_time; /* FILETIME */
	uint32_t parent;	  /* cell; of a hive's root key it says nothing */
	uint32_t num_subkeys[NUM_STORAGES], subkey_lists[NUM_STORAGES];
	uint32_t num_values, value_list;
	uint32_t security, class_cell; /* cells; CELL_NONE: none */
	uint16_t class_length;	       /* bytes of UTF-16 */
	uint64_t exit_hive;	       /* KEY_HIVE_EXIT: address of the _CMHIVE, its root cell */
	uint32_t exit_cell;
};

/* The key at a cell. False: it is none, or cannot be read. */
MUST_CHECK bool registry_key_read(const struct hive *h, uint32_t cell, struct arena *a,
				  struct registry_key *ret, struct hive_fault *fault);
/* Its class name. False: it has none (fault->why NULL), or it cannot be read. */
MUST_CHECK bool registry_key_class(const struct registry_key *key, struct arena *a,
				   const char **ret, struct hive_fault *fault);

/* Numbers of cells, each once. */
struct cell_list {
	uint32_t *cells; /* owned */
	size_t count, capacity;
	/* Entries of the list that could not be followed, and why the first could not. */
	size_t num_faults;
	struct hive_fault first_fault;
};
void cell_list_deinit(struct cell_list *list); /* a zeroed one is fine */

/* The subkeys' cells: the stable ones in the order of their index, then the volatile ones. */
MUST_CHECK struct error *registry_key_subkeys(const struct registry_key *key,
					      struct cell_list *ret);
/* The values' cells, in the order in which they were made. */
MUST_CHECK struct error *registry_key_values(const struct registry_key *key, struct cell_list *ret);

#endif
