/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FILE_CACHE_H
#define WINDOWS_FILE_CACHE_H

#include "windows/kernel/kernel.h"

/*
 * The cache manager's views of a file: _SHARED_CACHE_MAP and its _VACBs, each of which shows 256
 * KiB of the file in the kernel's space (Windows Research Kernel, cache/cc.h: VACB_OFFSET_SHIFT,
 * VACB_LEVEL_SHIFT). Files up to 32 MiB have one array of VACBs, larger ones a tree of arrays of
 * 128 pointers.
 */
#define FILE_CACHE_FIELDS(F)                                                          \
	F(FILE_CACHE, FILE_SIZE, "_SHARED_CACHE_MAP", "FileSize", OPTIONAL)           \
	F(FILE_CACHE, SECTION_SIZE, "_SHARED_CACHE_MAP", "SectionSize", OPTIONAL)     \
	F(FILE_CACHE, VALID_LENGTH, "_SHARED_CACHE_MAP", "ValidDataLength", OPTIONAL) \
	F(FILE_CACHE, VACBS, "_SHARED_CACHE_MAP", "Vacbs", OPTIONAL)                  \
	F(FILE_CACHE, VIEW_BASE, "_VACB", "BaseAddress", OPTIONAL)                    \
	F(FILE_CACHE, VIEW_MAP, "_VACB", "SharedCacheMap", OPTIONAL)                  \
	F(FILE_CACHE, VIEW_OFFSET, "_VACB", "Overlay.FileOffset", OPTIONAL)
DECLARE_FIELDS(file_cache, FILE_CACHE_FIELDS);

#define FILE_CACHE_VIEW_SIZE UINT64_C(0x40000)
enum { MAX_FILE_CACHE_ARRAYS = 1 << 14 /* of one file: 32 GiB in views */ };

struct file_cache {
	uint64_t va; /* _SHARED_CACHE_MAP */
	struct opt_u64 file_size, valid_length;
	uint64_t section_size;
	uint64_t vacbs; /* the array, or the top one */
};

struct file_cache_view {
	uint64_t vacb;
	uint64_t base;	 /* kernel address of its first byte */
	uint64_t offset; /* in the file */
};

struct file_cache_reader {
	struct space *space; /* borrowed: the kernel's */
	struct field fields[file_cache_num_fields];
};

MUST_CHECK struct error *file_cache_reader_init(struct kernel *k, struct file_cache_reader *ret);
/* False: it is absent, or no cache map (impossible sizes). */
MUST_CHECK bool file_cache_read(const struct file_cache_reader *r, uint64_t va,
				struct file_cache *ret);

typedef struct error *file_cache_view_fn(void *arg, const struct file_cache_view *view);
/*
 * Calls fn for each view, in file order. VACBs that do not name this map or this offset, and
 * arrays that are absent, are passed over: *lost_ret counts them. Errors of fn end it.
 */
MUST_CHECK struct error *file_cache_each_view(const struct file_cache_reader *r,
					      const struct file_cache *cache,
					      file_cache_view_fn *fn, void *arg,
					      uint64_t *lost_ret);

#endif
