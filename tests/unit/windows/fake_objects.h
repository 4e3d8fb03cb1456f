/* SPDX-License-Identifier: MIT */
#ifndef FAKE_OBJECTS_H
#define FAKE_OBJECTS_H

#include "windows/kernel/kernel.h"

/*
 * A kernel of 32 KiB of memory with a namespace: its layouts (as in build 19041), its type table
 * with a cookie, and objects that tests put where they want. Criterion is not needed.
 */
enum {
	FAKE_OBJECTS_SIZE = 0x8000,
	/* RVAs of what fake_objects_init() puts there; objects may lie behind */
	FAKE_TYPE_TABLE = 0x0,
	FAKE_COOKIE = 0x800,
	FAKE_ROOT_VARIABLE = 0x808,
	FAKE_TYPES = 0x1000, /* OBJECT_TYPE, of 0x100 bytes each, by index */
	FAKE_ROOT = 0x2040,  /* the root directory's body */
	FAKE_FREE = 0x2400,

	FAKE_COOKIE_VALUE = 0x5a,
	FAKE_HEADER_SIZE = 0x30,
	FAKE_NAME_INFO_SIZE = 0x20,
	FAKE_CREATOR_INFO_SIZE = 0x20,
	FAKE_BUCKETS = 37,
};
/* Some kernels have these indices; the names are what matters. */
enum fake_type {
	FAKE_TYPE_TYPE = 2,
	FAKE_TYPE_DIRECTORY,
	FAKE_TYPE_LINK,
	FAKE_TYPE_PROCESS,
	FAKE_TYPE_THREAD,
	FAKE_TYPE_FILE,
	FAKE_TYPE_DEVICE,
	FAKE_TYPE_EVENT,
	FAKE_TYPE_PORT,
	FAKE_TYPE_REGISTRATION,
	FAKE_TYPE_END
};
#define FAKE_OBJECTS_BASE UINT64_C(0xfffff80000010000)

struct fake_objects {
	uint8_t bytes[FAKE_OBJECTS_SIZE];
	struct file file;
	struct virtmem *mem;
	struct kernel kernel;
	struct diag diag;
	bool without_table;  /* no symbol of the type table and the cookie */
	bool without_layout; /* no field is known */
};

/* Types, table, cookie, and an empty root directory. Strings are put from `free` downward. */
void fake_objects_init(struct fake_objects *f);
static inline uint64_t fake_at(uint32_t rva)
{
	return FAKE_OBJECTS_BASE + rva;
}
void fake_put(struct fake_objects *f, uint32_t rva, uint64_t value);
/* UNICODE_STRING at rva, its characters at buffer. */
void fake_put_string(struct fake_objects *f, uint32_t rva, uint32_t buffer, const char *text);
/* The header of the object whose body is at rva: its type, and with a name the name's header
 * (characters at the body - 0xb0) and the directory whose body is at that RVA (0: none). */
void fake_put_object(struct fake_objects *f, uint32_t rva, enum fake_type type, const char *name,
		     uint32_t directory);
/* The first entry of a bucket's chain, or the next of another entry. */
void fake_put_bucket(struct fake_objects *f, uint32_t directory, unsigned bucket, uint32_t entry);
void fake_put_entry(struct fake_objects *f, uint32_t entry, uint32_t next, uint32_t object);
/* Shows the bytes but for the page of this number (none: -1), and makes f->kernel of them. */
void fake_objects_open(struct fake_objects *f, int absent_page);
void fake_objects_close(struct fake_objects *f);

#endif
