/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_POOL_OBJECT_H
#define WINDOWS_POOL_OBJECT_H

#include "windows/pool/pool_scan.h"

/*
 * The kernel object in a pool block:
 *
 *	POOL_HEADER [padding] [optional headers] OBJECT_HEADER object
 *
 * InfoMask has a bit per optional header (Volatility 3's OBJECT_HEADER, ReactOS' obtypes.h);
 * the padding is whatever the allocation was aligned by.
 */
#define POOL_OBJECT_FIELDS(F)                                               \
	F(POOL_OBJECT, TYPE_INDEX, "_OBJECT_HEADER", "TypeIndex", OPTIONAL) \
	F(POOL_OBJECT, INFO_MASK, "_OBJECT_HEADER", "InfoMask", OPTIONAL)   \
	F(POOL_OBJECT, BODY, "_OBJECT_HEADER", "Body", OPTIONAL)
DECLARE_FIELDS(pool_object, POOL_OBJECT_FIELDS);

enum { POOL_OBJECT_INFOS = 7 }; /* bits of InfoMask whose header's size is known */

/*
 * How the header of an object of one type says which type it is: TypeIndex; from Windows 10 on
 * that XORed with a cookie and with bits 8 to 15 of the header's address. Learned from objects
 * that are known to be of the type, which takes no symbol.
 */
struct type_code {
	bool known;
	bool plain, mixed; /* which of both ways the known objects agree on */
	uint8_t plain_value, mixed_value;
};

struct pool_object_reader {
	struct kernel *k;
	struct field fields[pool_object_num_fields];
	uint32_t info_sizes[POOL_OBJECT_INFOS];
	struct space *physical; /* owned */
};

/* A place where an object may be: as the kernel sees it, else in physical memory. */
struct pool_place {
	struct space *space; /* borrowed */
	uint64_t address;    /* of the object in it */
	uint64_t pa;	     /* of the POOL_HEADER */
	bool is_virtual;     /* address is the object's own */
};

/* Is there an object at this place? */
typedef bool pool_object_fn(void *arg, const struct pool_place *place);

MUST_CHECK struct error *pool_object_begin(struct kernel *k, struct pool_object_reader *ret);
void pool_object_end(struct pool_object_reader *r);

/* Takes one object that is known to be of the type. */
void type_code_learn(const struct pool_object_reader *r, struct type_code *code, uint64_t object);

/*
 * Asks fn about each place in the block where the headers fit an object of the type, the one with
 * the least padding first, until it says yes. min_size: the object's own. False: nowhere. Without
 * a kernel address only what lies in the page of the POOL_HEADER is looked at.
 */
MUST_CHECK bool pool_object_find(const struct pool_object_reader *r, const struct pool_hit *hit,
				 const struct type_code *code, uint32_t min_size,
				 pool_object_fn *fn, void *arg, struct pool_place *ret);

#endif
