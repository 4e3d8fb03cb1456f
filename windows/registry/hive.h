/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_HIVE_H
#define WINDOWS_REGISTRY_HIVE_H

#include "windows/object.h"
#include "windows/registry/regf.h"

/*
 * A loaded hive (_CMHIVE, whose first member is an _HHIVE) and its cells. What a cell's number
 * means is said by a map per storage, the stable bins and the volatile ones: a directory of 1024
 * tables of 512 entries, one entry for 4096 bytes. An entry holds the address of its block, or
 * (Windows 10 and later) that of its bin and the block's offset in it. From Windows 10 1803 on,
 * stable bins are mapped in the user half of the process "Registry".
 */
#define HIVE_FIELDS(F)                                                         \
	F(HIVE, LINKS, "_CMHIVE", "HiveList", OPTIONAL)                        \
	F(HIVE, HHIVE, "_CMHIVE", "Hive", OPTIONAL)                            \
	F(HIVE, FILE_PATH, "_CMHIVE", "FileFullPath", OPTIONAL)                \
	F(HIVE, USER_NAME, "_CMHIVE", "FileUserName", OPTIONAL)                \
	F(HIVE, ROOT_PATH, "_CMHIVE", "HiveRootPath", OPTIONAL)                \
	F(HIVE, ROOT_KCB, "_CMHIVE", "RootKcb", OPTIONAL)                      \
	F(HIVE, SIGNATURE, "_HHIVE", "Signature", OPTIONAL)                    \
	F(HIVE, BASE_BLOCK, "_HHIVE", "BaseBlock", OPTIONAL)                   \
	F(HIVE, FLAT, "_HHIVE", "Flat", OPTIONAL)                              \
	F(HIVE, VERSION, "_HHIVE", "Version", OPTIONAL)                        \
	F(HIVE, STORAGE, "_HHIVE", "Storage", OPTIONAL)                        \
	F(HIVE, PROCESS_TUPLE, "_HHIVE", "ViewMap.ProcessTuple", OPTIONAL)     \
	F(HIVE, PROCESS, "_CMSI_PROCESS_TUPLE", "ProcessReference", OPTIONAL)  \
	F(HIVE, LENGTH, "_DUAL", "Length", OPTIONAL)                           \
	F(HIVE, MAP, "_DUAL", "Map", OPTIONAL)                                 \
	F(HIVE, DIRECTORY, "_HMAP_DIRECTORY", "Directory", OPTIONAL)           \
	F(HIVE, TABLE, "_HMAP_TABLE", "Table", OPTIONAL)                       \
	F(HIVE, BLOCK_ADDRESS, "_HMAP_ENTRY", "BlockAddress", OPTIONAL)        \
	F(HIVE, BLOCK_OFFSET, "_HMAP_ENTRY", "BlockOffset", OPTIONAL)          \
	F(HIVE, PERMANENT_BIN, "_HMAP_ENTRY", "PermanentBinAddress", OPTIONAL) \
	F(HIVE, TEMPORARY_BIN, "_HMAP_ENTRY", "TemporaryBinAddress", OPTIONAL)
DECLARE_FIELDS(hive, HIVE_FIELDS);

enum hive_storage { STORAGE_STABLE, STORAGE_VOLATILE, NUM_STORAGES };

enum { HIVE_BLOCK = 4096 };
#define HIVE_MAGIC UINT32_C(0xbee0bee0)

/* Which storage an offset or the number of a cell is of. */
static inline enum hive_storage hive_storage_of(uint32_t offset)
{
	return offset & CELL_VOLATILE ? STORAGE_VOLATILE : STORAGE_STABLE;
}

/* Where hives lie and how their structures look on this build. */
struct hive_memory {
	struct space *kernel;
	struct space *process; /* that has the bins below the kernel's half; NULL: not found */
	struct field fields[hive_num_fields];
	uint32_t storage_size, map_entry_size; /* bytes of a _DUAL, of an _HMAP_ENTRY; 0: unknown */
};
/* Binds the fields; process is left to the caller. */
MUST_CHECK struct error *hive_memory_init(const struct profile *p, struct space *kernel,
					  struct hive_memory *ret);

/* Why something of a hive cannot be read. */
struct hive_fault {
	uint32_t cell;	   /* or the offset of a bin */
	uint64_t va;	   /* of the first byte that is absent or wrong; 0: it has no address */
	const char *why;   /* "mapped but not captured", "outside of the hive", ... */
	const char *state; /* va_state_name() of bytes that are absent; NULL: it is not that */
};
/* "cell 0x20 at 0xffff...: mapped but not captured". NULL when memory is out. */
MUST_CHECK const char *hive_fault_text(struct arena *a, const struct hive_fault *fault);

struct hive {
	const struct hive_memory *memory; /* borrowed */
	uint64_t va;			  /* of its _CMHIVE */
	uint64_t hhive;			  /* of the _HHIVE in it */
	uint64_t base_block;		  /* address; 0: absent or none */
	struct opt_u64 version;		  /* minor version of the format */
	bool flat;			  /* the bins lie behind the base block, without a map */
	struct {
		bool present;
		uint32_t length; /* bytes; 0: it has no bins */
		uint64_t map;
	} storage[NUM_STORAGES];
	/* Borrowed from the arena given; NULL: absent or empty. */
	const char *file_path;	 /* NT path of its file */
	const char *user_name;	 /* path by which it was loaded */
	const char *root_path;	 /* of the key that it is mounted as */
	struct fault path_fault; /* why the last of them that is absent is so; va 0: none is */
};

/* Reads what the _CMHIVE at va says of itself. False: it is none, or cannot be read. */
MUST_CHECK bool hive_read(const struct hive_memory *memory, uint64_t va, struct arena *a,
			  struct hive *ret, struct hive_fault *fault);

/*
 * Where the byte at an offset of the hive is, CELL_VOLATILE for the second storage; good up to the
 * end of its block.
 */
MUST_CHECK bool hive_locate(const struct hive *h, uint32_t offset, struct space **space_ret,
			    uint64_t *va_ret, struct hive_fault *fault);
/* All of the len bytes at an offset, or false. */
MUST_CHECK bool hive_read_bytes(const struct hive *h, uint32_t offset, void *buf, size_t len,
				struct hive_fault *fault);

/* A cell in use. */
struct hive_cell {
	uint32_t cell;
	uint32_t size;	     /* bytes of its content, without the header */
	struct space *space; /* that its content begins in, and where */
	uint64_t va;
};
/* False: its header is absent, it is free, or it does not fit into the storage. */
MUST_CHECK bool hive_cell(const struct hive *h, uint32_t cell, struct hive_cell *ret,
			  struct hive_fault *fault);
/* Bytes of its content, all of them inside or false. */
MUST_CHECK bool hive_cell_read(const struct hive *h, const struct hive_cell *cell, uint32_t offset,
			       void *buf, size_t len, struct hive_fault *fault);

/* The cell of its root key, as the base block says; where that is absent, the first cell of the
 * first bin, which is the root of every hive that Windows makes. */
uint32_t hive_root_cell(const struct hive *h);

#endif
