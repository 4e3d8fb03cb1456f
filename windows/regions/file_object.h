/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FILE_OBJECT_H
#define WINDOWS_FILE_OBJECT_H

#include "windows/kernel/kernel.h"

/*
 * Open files: _FILE_OBJECT (wdm.h, and the public PDBs), and what the memory manager and the
 * cache manager hold of the file: _SECTION_OBJECT_POINTERS, shared by all who opened it.
 */
#define FILE_OBJECT_FIELDS(F)                                                           \
	F(FILE_OBJECT, TYPE, "_FILE_OBJECT", "Type", OPTIONAL)                          \
	F(FILE_OBJECT, SIZE, "_FILE_OBJECT", "Size", OPTIONAL)                          \
	F(FILE_OBJECT, DEVICE, "_FILE_OBJECT", "DeviceObject", OPTIONAL)                \
	F(FILE_OBJECT, POINTERS, "_FILE_OBJECT", "SectionObjectPointer", OPTIONAL)      \
	F(FILE_OBJECT, NAME, "_FILE_OBJECT", "FileName", OPTIONAL)                      \
	F(FILE_OBJECT, READ, "_FILE_OBJECT", "ReadAccess", OPTIONAL)                    \
	F(FILE_OBJECT, WRITE, "_FILE_OBJECT", "WriteAccess", OPTIONAL)                  \
	F(FILE_OBJECT, DELETE, "_FILE_OBJECT", "DeleteAccess", OPTIONAL)                \
	F(FILE_OBJECT, SHARED_READ, "_FILE_OBJECT", "SharedRead", OPTIONAL)             \
	F(FILE_OBJECT, SHARED_WRITE, "_FILE_OBJECT", "SharedWrite", OPTIONAL)           \
	F(FILE_OBJECT, SHARED_DELETE, "_FILE_OBJECT", "SharedDelete", OPTIONAL)         \
	F(FILE_OBJECT, DELETE_PENDING, "_FILE_OBJECT", "DeletePending", OPTIONAL)       \
	F(FILE_OBJECT, FLAGS, "_FILE_OBJECT", "Flags", OPTIONAL)                        \
	F(FILE_OBJECT, DATA, "_SECTION_OBJECT_POINTERS", "DataSectionObject", OPTIONAL) \
	F(FILE_OBJECT, CACHE, "_SECTION_OBJECT_POINTERS", "SharedCacheMap", OPTIONAL)   \
	F(FILE_OBJECT, IMAGE, "_SECTION_OBJECT_POINTERS", "ImageSectionObject", OPTIONAL)
DECLARE_FIELDS(file_object, FILE_OBJECT_FIELDS);

enum { FILE_ACCESS_TEXT_SIZE = 7 };

struct file_object {
	uint64_t va;
	const char *name;      /* FileName; NULL: none or absent */
	struct opt_u64 device; /* _DEVICE_OBJECT */
	struct opt_u64 flags;
	struct opt_u64 delete_pending;
	/* "RWDrwd": read, write, delete; in small letters what it shares with others; '-' for
	 * what is not granted. Empty: absent. */
	char access[FILE_ACCESS_TEXT_SIZE];
	struct opt_u64 pointers; /* _SECTION_OBJECT_POINTERS; absent: none */
	/* What the pointers lead to; absent: none. */
	struct opt_u64 data_section, shared_cache_map, image_section;
};

/* Bound once per kernel; safe across threads. */
struct file_object_reader {
	struct space *space;  /* borrowed: the kernel's */
	bool known;	      /* false: the profile lacks the layout */
	uint32_t object_size; /* of _FILE_OBJECT; 0: unknown */
	struct field fields[file_object_num_fields];
};

MUST_CHECK struct error *file_object_reader_init(struct kernel *k, struct file_object_reader *ret);
/* What is there; strings are in the arena. Where the layout is not known, just its address. False:
 * that is no file object, by its Type, or it is absent. */
MUST_CHECK bool file_object_read(const struct file_object_reader *r, uint64_t va, struct arena *a,
				 struct file_object *ret);
/* Do type, size, device, name and the granted rights fit a file object? For what tags alone led
 * to. */
bool file_object_is_plausible(const struct file_object_reader *r, uint64_t va);
/* FileName alone; NULL: none or absent. */
char *file_object_name(const struct file_object_reader *r, uint64_t va, struct arena *a);

#endif
