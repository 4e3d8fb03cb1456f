/* SPDX-License-Identifier: MIT */
#include "windows/regions/file_cache.h"

#include "base/cursor.h"

DEFINE_FIELDS(file_cache, FILE_CACHE_FIELDS);

enum {
	VIEW_SHIFT = 18,
	LEVEL_SHIFT = 7,
	ARRAY_ENTRIES = 1 << LEVEL_SHIFT,
	POINTER_SIZE = 8,
	MAX_LEVELS = (63 - VIEW_SHIFT) / LEVEL_SHIFT + 1,
	OFFSET_FLAGS = 0xffff, /* the low bits of Overlay are a count of users */
};
/* NTFS ends there; what claims more is no cache map. */
#define MAX_FILE_SIZE (UINT64_C(1) << 58)

struct error *file_cache_reader_init(struct kernel *k, struct file_cache_reader *ret)
{
	struct file_cache_reader r = { .space = k->space };
	struct error *err;

	err = profile_bind(k->profile, file_cache_field_rows, file_cache_num_fields, r.fields);
	if (!err)
		*ret = r;
	return err;
}

bool file_cache_read(const struct file_cache_reader *r, uint64_t va, struct file_cache *ret)
{
	struct object o = object_at(r->space, va, r->fields);
	struct file_cache cache = { .va = va };

	if (!object_u64(&o, FILE_CACHE_SECTION_SIZE, &cache.section_size) ||
	    !object_u64(&o, FILE_CACHE_VACBS, &cache.vacbs) || cache.section_size > MAX_FILE_SIZE)
		return false;
	cache.file_size = object_opt(&o, FILE_CACHE_FILE_SIZE);
	cache.valid_length = object_opt(&o, FILE_CACHE_VALID_LENGTH);
	if (cache.file_size.present && cache.file_size.value > MAX_FILE_SIZE)
		return false;
	*ret = cache;
	return true;
}

/* An array on the way: entries [next, count) are still to be looked at. */
struct vacb_array {
	uint64_t entries[ARRAY_ENTRIES];
	uint64_t offset; /* in the file, of its first entry */
	unsigned shift;	 /* each entry stands for 1 << shift bytes */
	unsigned next, count;
};

struct vacb_walk {
	const struct file_cache_reader *r;
	const struct file_cache *cache;
	uint64_t lost;
	unsigned num_arrays;
	unsigned depth;
	struct vacb_array arrays[MAX_LEVELS];
};

/* The array of the first level, or one of 128 entries below it. */
static bool enter(struct vacb_walk *w, uint64_t va, uint64_t offset, unsigned shift)
{
	struct vacb_array *a = &w->arrays[w->depth];
	uint64_t left = (w->cache->section_size - offset + ((UINT64_C(1) << shift) - 1)) >> shift;
	unsigned count = left < ARRAY_ENTRIES ? (unsigned)left : ARRAY_ENTRIES;
	uint8_t bytes[ARRAY_ENTRIES * POINTER_SIZE];

	if (w->num_arrays == MAX_FILE_CACHE_ARRAYS ||
	    !space_try_read(w->r->space, va, bytes, count * POINTER_SIZE, NULL))
		return false;
	for (unsigned i = 0; i < count; i++)
		a->entries[i] = load_u64(bytes + i * POINTER_SIZE);
	a->offset = offset;
	a->shift = shift;
	a->next = 0;
	a->count = count;
	w->num_arrays++;
	w->depth++;
	return true;
}

static bool read_view(const struct vacb_walk *w, uint64_t va, uint64_t offset,
		      struct file_cache_view *ret)
{
	struct object o = object_at(w->r->space, va, w->r->fields);
	uint64_t map, at;

	ret->vacb = va;
	ret->offset = offset;
	if (!object_u64(&o, FILE_CACHE_VIEW_MAP, &map) ||
	    !object_u64(&o, FILE_CACHE_VIEW_OFFSET, &at) ||
	    !object_u64(&o, FILE_CACHE_VIEW_BASE, &ret->base))
		return false;
	return map == w->cache->va && (at & ~(uint64_t)OFFSET_FLAGS) == offset && ret->base;
}

static struct error *visit(struct vacb_walk *w, file_cache_view_fn *fn, void *arg)
{
	struct vacb_array *a = &w->arrays[w->depth - 1];
	uint64_t entry = a->entries[a->next], offset = a->offset;
	struct file_cache_view view;

	offset += (uint64_t)a->next++ << a->shift;
	if (!entry)
		return NULL;
	if (a->shift != VIEW_SHIFT) {
		w->lost += !enter(w, entry, offset, a->shift - LEVEL_SHIFT);
		return NULL;
	}
	if (read_view(w, entry, offset, &view))
		return fn(arg, &view);
	w->lost++;
	return NULL;
}

struct error *file_cache_each_view(const struct file_cache_reader *r,
				   const struct file_cache *cache, file_cache_view_fn *fn,
				   void *arg, uint64_t *lost_ret)
{
	struct vacb_walk w = { .r = r, .cache = cache };
	unsigned shift = VIEW_SHIFT;
	struct error *err = NULL;

	while (cache->section_size > UINT64_C(1) << (shift + LEVEL_SHIFT))
		shift += LEVEL_SHIFT;
	if (cache->section_size && cache->vacbs)
		w.lost += !enter(&w, cache->vacbs, 0, shift);
	while (!err && w.depth) {
		if (w.arrays[w.depth - 1].next == w.arrays[w.depth - 1].count)
			w.depth--;
		else
			err = visit(&w, fn, arg);
	}
	*lost_ret = w.lost;
	return err;
}
