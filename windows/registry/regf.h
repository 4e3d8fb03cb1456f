/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_REGF_H
#define WINDOWS_REGISTRY_REGF_H

/*
 * The hive file format, "regf", whose bins a loaded hive keeps in memory as they are in the file
 * (msuhanov, "Windows registry file format specification"). It is a file format, the same on every
 * build: its offsets stand here, not in a profile.
 *
 *	file    base block (4096 bytes), then bins one behind the other
 *	bin     header, then cells without gaps; a multiple of 4096 bytes
 *	cell    i32 size of all of it, negative while in use, a multiple of 8; then its content
 *
 * A cell is named by its offset from the first bin; bit 31 is set for the volatile bins, which have
 * no file.
 */
enum {
	REGF_SIGNATURE = 0x66676572, /* "regf" */
	REGF_SIZE = 4096,
	REGF_SEQUENCE1 = 4,
	REGF_SEQUENCE2 = 8,
	REGF_MAJOR = 20,
	REGF_MINOR = 24,
	REGF_FORMAT = 32,
	REGF_ROOT_CELL = 36,
	REGF_LENGTH = 40, /* of all bins */
	REGF_CLUSTER = 44,
	REGF_CHECKSUM = 508, /* of all u32 before it, by XOR; neither 0 nor ~0 */
	REGF_MAJOR_1 = 1,
	REGF_FORMAT_MEMORY = 1,
	REGF_CLUSTER_1 = 1,
	/* the first minor version with hashes in indexes (lh) and with big data */
	REGF_MINOR_WITH_BIG_DATA = 4,
};

enum {
	BIN_SIGNATURE = 0x6e696268, /* "hbin" */
	BIN_HEADER_SIZE = 32,
	BIN_FILE_OFFSET = 4, /* from the first bin */
	BIN_SIZE = 8,
	BIN_ALIGNMENT = 4096,
};

#define CELL_NONE     UINT32_C(0xffffffff)
#define CELL_VOLATILE UINT32_C(0x80000000)
enum {
	CELL_HEADER_SIZE = 4,
	MIN_CELL_SIZE = 8,
};

/* Key node. */
enum {
	NK_SIGNATURE = 0x6b6e,	    /* "nk" */
	NK_EXIT_SIGNATURE = 0x6b6c, /* "lk": another hive is mounted here; only in memory */
	NK_FLAGS = 2,
	NK_LAST_WRITE = 4,
	NK_LAYER = 13, /* Windows 10: low two bits, enum registry_layer */
	NK_PARENT = 16,
	NK_SUBKEY_COUNTS = 20, /* stable, volatile */
	NK_SUBKEY_LISTS = 28,
	NK_VALUE_COUNT = 36,
	NK_VALUE_LIST = 40,
	NK_SECURITY = 44,
	NK_CLASS = 48,
	NK_NAME_LENGTH = 72,
	NK_CLASS_LENGTH = 74,
	NK_NAME = 76,
	/* of an "lk", over the lists */
	NK_EXIT_CELL = 28,
	NK_EXIT_HIVE = 36,
};

/* Lists of subkeys: u16 signature, u16 count, entries. */
enum {
	INDEX_LEAF = 0x696c,	  /* "li": cells */
	INDEX_FAST_LEAF = 0x666c, /* "lf": {cell, first four letters of the name} */
	INDEX_HASH_LEAF = 0x686c, /* "lh": {cell, hash of the name} */
	INDEX_ROOT = 0x6972,	  /* "ri": cells of other lists */
	INDEX_COUNT = 2,
	INDEX_ENTRIES = 4,
};

/* Value. */
enum {
	VALUE_SIGNATURE = 0x6b76, /* "vk" */
	VALUE_NAME_LENGTH = 2,
	VALUE_DATA_LENGTH = 4,
	VALUE_DATA = 8,
	VALUE_TYPE = 12,
	VALUE_FLAGS = 16,
	VALUE_NAME = 20,
	VALUE_COMPRESSED_NAME = 1,
	VALUE_TOMBSTONE = 2,
	MAX_RESIDENT_DATA = 4,
};
#define VALUE_RESIDENT UINT32_C(0x80000000)

/* Data of more than one segment: the value's data cell is {u16 "db", u16 count, u32 list cell}. */
enum {
	BIG_DATA_SIGNATURE = 0x6264,
	BIG_DATA_COUNT = 2,
	BIG_DATA_LIST = 4,
	BIG_DATA_SIZE = 8,
	BIG_DATA_SEGMENT = 16344,
};

#endif
