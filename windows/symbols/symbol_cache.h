/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SYMBOL_CACHE_H
#define WINDOWS_SYMBOL_CACHE_H

#include "windows/symbols/type_info.h"

/*
 * The project's own symbol file: all types and symbols of one PDB or ISF file, in a form that is
 * mapped and searched where it lies. It answers as the file that it was made of; what no named
 * type leads to is left out.
 *
 * Little-endian, no padding. A name is an offset into the strings; a type is 1 + the number of a
 * node, a definition 1 + the number of a definition, 0 being none. Sections follow the header in
 * this order, each as many records as the header says:
 *
 *	items        member: name, type, offset; or constant: name, 0, value
 *	symbols      by name, then RVA
 *	nodes        struct type_node, each different one once
 *	definitions  structures, unions, enumerations: first item, number of items
 *	types        those that a search by name finds: numbers of nodes, by name
 *	strings      each ends in NUL
 */
enum {
	SYMBOL_CACHE_VERSION = 1,
	SYMBOL_CACHE_MAGIC_SIZE = 8,
	SYMBOL_CACHE_CHECKED = 24, /* the checksum is of the bytes from here to the end */
	SYMBOL_CACHE_HEADER_SIZE = 96,
};
#define SYMBOL_CACHE_MAGIC "NTSSYM\r\n"

enum symbol_cache_header {
	HEADER_VERSION = 8, /* u32 */
	HEADER_PDB_NAME = 12,
	HEADER_CHECKSUM = 16, /* u64: CRC-64 of ECMA-182, as in the xz format */
	HEADER_FILE_SIZE = 24,
	HEADER_ORIGIN_SIZE = 32,
	HEADER_ORIGIN_CHECKSUM = 40,
	HEADER_GUID = 48,
	HEADER_AGE = 64,    /* u32, and so are the rest */
	HEADER_COUNTS = 68, /* of the sections in order, strings in bytes; then 0 */
};

enum symbol_cache_section {
	SECTION_ITEMS,
	SECTION_SYMBOLS,
	SECTION_NODES,
	SECTION_DEFINITIONS,
	SECTION_TYPES,
	SECTION_STRINGS,
	NUM_CACHE_SECTIONS
};
extern const uint8_t symbol_cache_record_size[NUM_CACHE_SECTIONS];

enum symbol_cache_record {
	ITEM_NAME = 0,
	ITEM_TYPE = 4,
	ITEM_VALUE = 8, /* u64 */
	SYMBOL_NAME = 0,
	SYMBOL_ANSWERS =
		4,	/* 1: what a search for the name finds; a name may come more than once */
	SYMBOL_RVA = 8, /* u64 */
	NODE_KIND = 0,	/* u8: enum type_kind */
	NODE_BIT_POS = 1,
	NODE_BIT_SIZE = 2,
	NODE_NAME = 4, /* of kinds that have one */
	NODE_TARGET = 8,
	NODE_DEFINITION = 12,
	NODE_SIZE = 16, /* u64 */
	NODE_COUNT = 24,
	DEFINITION_FIRST = 0,
	DEFINITION_COUNT = 4,
};

/* The file that the symbols were read from. */
struct symbol_origin {
	uint64_t size;
	uint64_t checksum; /* symbol_checksum() of its bytes */
};
uint64_t symbol_checksum(const uint8_t *bytes, size_t len);

/* src must have a graph of types and an identity. The bytes are owned (free). LIMIT. */
MUST_CHECK struct error *symbol_cache_write(const struct profile_source *src,
					    const struct symbol_origin *origin, uint8_t **ret,
					    size_t *len_ret);
/* Writes the checksum into a header; len >= SYMBOL_CACHE_HEADER_SIZE. */
void symbol_cache_seal(uint8_t *bytes, size_t len);

/*
 * bytes must last until the source's destroy(). kind (borrowed, as long) is what the source shall
 * call itself. UNSUPPORTED for another version, CORRUPT. Whatever the records say, nothing outside
 * of the bytes is read.
 */
MUST_CHECK struct error *symbol_cache_parse(const uint8_t *bytes, size_t len, const char *kind,
					    struct profile_source **ret);
/* The same of a file, which stays mapped until destroy(). */
MUST_CHECK struct error *symbol_cache_open(const char *path, const char *kind,
					   struct profile_source **ret);
/* Of a source of either. */
struct symbol_origin symbol_cache_origin(const struct profile_source *src);

#endif
