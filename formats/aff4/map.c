/* SPDX-License-Identifier: MIT */
/*
 * A map (AFF4 standard, section 4): ranges of an address space, each of which is a range of
 * another stream.
 *
 *	NAME/map  {u64 offset, u64 length, u64 target offset, u32 target} of each
 *	NAME/idx  a line for each target: its IRI
 *
 * c-aff4 before the standard wrote the target offset before the length. Ranges do not overlap;
 * where they do the first one counts.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/aff4/private.h"
#include "memory/extent.h"

enum {
	ENTRY_SIZE = 28,
	MAX_MAP_SIZE = 1 << 30,
	MAX_IDX_SIZE = 16 << 20,
	MAX_TARGETS = 1 << 10,
	MAX_ZERO_RANGES = 16, /* passed by in one search for data */
	SOME_DATA = 4096,
};

static struct error *add_target(struct aff4_map *m, size_t *capacity, const char *line, size_t len)
{
	struct error *err;

	while (len && (line[len - 1] == '\r' || line[len - 1] == '/'))
		len--;
	if (len >= IRI_MAX)
		return error_new(ERROR_LIMIT, "target %zu has a name of %zu bytes", m->num_targets,
				 len);
	err = array_reserve(&m->targets, capacity, m->num_targets + 1, sizeof(*m->targets),
			    MAX_TARGETS, "targets of a map");
	if (err)
		return err;
	m->targets[m->num_targets] = strndup(line, len);
	if (!m->targets[m->num_targets])
		return &error_no_memory;
	m->num_targets++;
	return NULL;
}

static struct error *parse_targets(struct aff4_map *m, const char *text, size_t len)
{
	size_t capacity = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;
		struct error *err = add_target(m, &capacity, text, line);

		if (err)
			return err;
		line += end != NULL;
		text += line;
		len -= line;
	}
	return NULL;
}

struct error *aff4_map_read(struct aff4_volume *v, const struct aff4_object *o,
			    struct aff4_map *ret)
{
	struct aff4_map m = { .object = o, .old_order = o->types & AFF4_OLD_MAP };
	const uint8_t *text;
	size_t map_len, idx_len;
	struct error *err;

	if ((err = aff4_read_member(v, o->uri, "/map", MAX_MAP_SIZE, &m.entries, &map_len)) ||
	    (err = aff4_read_member(v, o->uri, "/idx", MAX_IDX_SIZE, &text, &idx_len)))
		return err;
	if (!m.entries || !text)
		return error_new(ERROR_CORRUPT,
				 "%s: expected its members map and idx in the volume", o->uri);
	if (map_len % ENTRY_SIZE)
		diag_partial(v->context.diag, "map %s: %zu bytes are left after %zu ranges", o->uri,
			     map_len % ENTRY_SIZE, map_len / ENTRY_SIZE);
	m.num_entries = map_len / ENTRY_SIZE;
	if ((err = parse_targets(&m, (const char *)text, idx_len))) {
		aff4_map_deinit(&m);
		return error_wrap(err, "%s", o->uri);
	}
	*ret = m;
	return NULL;
}

void aff4_map_deinit(struct aff4_map *m)
{
	for (size_t i = 0; i < m->num_targets; i++)
		free(m->targets[i]);
	free(m->targets);
	*m = (struct aff4_map){ 0 };
}

void aff4_map_range(const struct aff4_map *m, size_t index, struct aff4_range *ret)
{
	const uint8_t *at = m->entries + index * ENTRY_SIZE;
	uint64_t second = load_u64(at + 8), third = load_u64(at + 16);

	*ret = (struct aff4_range){
		.offset = load_u64(at),
		.length = m->old_order ? third : second,
		.target_offset = m->old_order ? second : third,
		.target = load_u32(at + 24),
	};
}

/* A map as a file. */
struct map_file {
	struct aff4_volume *volume; /* a reference: targets' names */
	struct block_cache *cache;
	uint64_t size;
	struct extent_list ranges;   /* sealed; tag: index of the target */
	const struct file **targets; /* NULL: not there */
	const struct file *gap;	     /* likewise */
};

static void destroy(void *arg)
{
	struct map_file *m = arg;

	extent_list_deinit(&m->ranges);
	free(m->targets);
	aff4_volume_close(m->volume);
	free(m);
}

/* The stretch that begins at offset: of a range, or the gap before the next one. */
static const struct file *find_stretch(const struct map_file *m, uint64_t offset,
				       uint64_t *target_offset_ret, uint64_t *end_ret)
{
	size_t index = extent_list_find(&m->ranges, offset);
	const struct extent *e = index < m->ranges.count ? &m->ranges.items[index] : NULL;

	if (e && e->start <= offset) {
		*target_offset_ret = e->offset + (offset - e->start);
		*end_ret = e->last + 1;
		return m->targets[e->tag];
	}
	*target_offset_ret = offset;
	*end_ret = e ? e->start : m->size;
	return m->gap;
}

/* What a view holds: one of a target, or a copy of parts of several. */
struct held {
	struct file_view view;
	void *scratch;
};

static struct error *view_part(const struct map_file *m, uint64_t offset, size_t len,
			       struct file_view *ret, size_t *part_ret)
{
	uint64_t from, end;
	const struct file *target = find_stretch(m, offset, &from, &end);
	size_t part = len < end - offset ? len : (size_t)(end - offset);
	struct error *err;

	if (!target)
		return error_new(ERROR_CORRUPT,
				 "offset 0x%" PRIx64
				 " of the map: the volume does not have its bytes",
				 offset);
	if ((err = file_view(target, from, part, ret)))
		return error_wrap(err, "offset 0x%" PRIx64 " of the map: %s", offset, target->path);
	*part_ret = part;
	return NULL;
}

static struct error *copy_parts(const struct map_file *m, uint64_t offset, uint8_t *out, size_t len)
{
	for (size_t part = 0; len; out += part, offset += part, len -= part) {
		struct file_view v;
		struct error *err = view_part(m, offset, len, &v, &part);

		if (err)
			return err;
		memcpy(out, v.bytes, part);
		file_view_release(&v);
	}
	return NULL;
}

static void release(void *arg, void *pin)
{
	const struct map_file *m = arg;
	struct held *h = pin;

	file_view_release(&h->view);
	block_cache_release(m->cache, h->scratch);
	free(h);
}

static struct error *view(void *arg, uint64_t offset, size_t len, const uint8_t **ret, void **pin)
{
	const struct map_file *m = arg;
	struct held *h = calloc(1, sizeof(*h));
	uint64_t from, end;
	uint8_t *copy;
	size_t part;
	struct error *err;

	if (!h)
		return &error_no_memory;
	find_stretch(m, offset, &from, &end);
	if (len <= end - offset) {
		if (!(err = view_part(m, offset, len, &h->view, &part)))
			*ret = h->view.bytes;
	} else if (!(err = block_cache_scratch(m->cache, len, &copy, &h->scratch))) {
		err = copy_parts(m, offset, copy, len);
		*ret = copy;
	}
	if (err)
		release(arg, h);
	else
		*pin = h;
	return err;
}

/* Of many ranges of zeros in a row some are called data, so that no search is long. */
static bool next_data(void *arg, uint64_t offset, uint64_t *start_ret, uint64_t *end_ret)
{
	const struct map_file *m = arg;

	for (unsigned i = 0; offset < m->size; i++) {
		uint64_t from, end, start, stop;
		const struct file *target = find_stretch(m, offset, &from, &end);
		bool found = target && file_next_data(target, from, &start, &stop);

		if (found && start - from < end - offset) {
			*start_ret = offset + (start - from);
			*end_ret = stop - from < end - offset ? offset + (stop - from) : end;
			return true;
		}
		if (!target || i == MAX_ZERO_RANGES) {
			*start_ret = offset;
			*end_ret = end - offset < SOME_DATA ? end : offset + SOME_DATA;
			return true;
		}
		offset = end;
	}
	return false;
}

static struct error *open_targets(struct aff4_volume *v, struct map_file *m,
				  const struct aff4_map *map)
{
	const char *gap = map->object->gap_stream ? map->object->gap_stream : AFF4_NAMESPACE "Zero";
	struct error *err;

	m->targets = calloc(map->num_targets + 1, sizeof(*m->targets));
	if (!m->targets)
		return &error_no_memory;
	for (size_t i = 0; i < map->num_targets; i++) {
		if (v->context.only_known && aff4_is_unknown(map->targets[i]))
			continue;
		err = aff4_open_stream(v, map->targets[i], &m->targets[i]);
		if (err && aff4_must_stop(err))
			return err;
		if (err)
			diag_error(v->context.diag, err, "map %s", map->object->uri);
	}
	if (v->context.only_known && aff4_is_unknown(gap))
		return NULL;
	err = aff4_open_stream(v, gap, &m->gap);
	if (!err || aff4_must_stop(err))
		return err;
	diag_error(v->context.diag, err, "gaps of map %s", map->object->uri);
	return NULL;
}

/* A range that its target has, cut to it; false when nothing is left. */
static bool clip(const struct aff4_map *map, const struct file *target, uint64_t limit,
		 struct aff4_range *r)
{
	uint64_t room;

	if (r->target >= map->num_targets || r->offset >= limit || !r->length)
		return false;
	if (r->length > limit - r->offset)
		r->length = limit - r->offset;
	if (!target)
		return true;
	room = r->target_offset < target->size ? target->size - r->target_offset : 0;
	if (r->length > room)
		r->length = room;
	return r->length != 0;
}

static struct error *add_ranges(struct map_file *m, const struct aff4_map *map, struct diag *diag)
{
	uint64_t cut = 0;
	struct error *err;

	for (size_t i = 0; i < map->num_entries; i++) {
		struct aff4_range r, whole;
		bool left;

		aff4_map_range(map, i, &r);
		whole = r;
		left = clip(map, r.target < map->num_targets ? m->targets[r.target] : NULL, m->size,
			    &r);
		cut += !left || r.length != whole.length;
		if (!left)
			continue;
		err = extent_list_add(&m->ranges, &(struct extent){
							  .start = r.offset,
							  .last = r.offset + (r.length - 1),
							  .offset = r.target_offset,
							  .tag = r.target,
						  });
		if (err)
			return err;
	}
	if (cut)
		diag_partial(diag,
			     "map %s: %" PRIu64 " of %zu ranges are not in their target, or not "
			     "in the map's size",
			     map->object->uri, cut, map->num_entries);
	return extent_list_seal(&m->ranges);
}

/* Where the last range ends, for maps that do not say how long they are. */
static uint64_t end_of_ranges(const struct aff4_map *map)
{
	uint64_t end = 0;

	for (size_t i = 0; i < map->num_entries; i++) {
		struct aff4_range r;
		uint64_t last;

		aff4_map_range(map, i, &r);
		if (!__builtin_add_overflow(r.offset, r.length, &last) && last <= INT64_MAX &&
		    last > end)
			end = last;
	}
	return end;
}

static struct error *prepare(struct aff4_volume *v, struct map_file *m, const struct aff4_map *map)
{
	struct error *err;

	if (m->size > INT64_MAX)
		return error_new(ERROR_LIMIT,
				 "size of %" PRIu64 " bytes: expected at most %" PRIi64, m->size,
				 INT64_MAX);
	err = block_cache_reserve(v->context.cache, map->num_entries * sizeof(struct extent),
				  "the ranges of an AFF4 map");
	if (err || (err = open_targets(v, m, map)) || (err = add_ranges(m, map, v->context.diag)))
		return err;
	if (m->ranges.overlap)
		diag_partial(v->context.diag, "map %s: %" PRIu64 " bytes are given more than once",
			     map->object->uri, m->ranges.overlap);
	return NULL;
}

struct error *aff4_map_open(struct aff4_volume *v, const struct aff4_object *o, struct file *ret)
{
	static const struct file_ops ops = {
		.view = view,
		.release = release,
		.next_data = next_data,
		.destroy = destroy,
	};
	struct map_file *m = calloc(1, sizeof(*m));
	struct aff4_map map = { 0 };
	struct error *err;

	if (!m)
		return &error_no_memory;
	m->volume = aff4_volume_reference(v);
	m->cache = v->context.cache;
	err = aff4_map_read(v, o, &map);
	if (!err) {
		m->size = o->has_size ? o->size : end_of_ranges(&map);
		err = prepare(v, m, &map);
	}
	aff4_map_deinit(&map);
	if (err) {
		destroy(m);
		return err;
	}
	if ((err = file_create(ret, o->uri, m->size, m->cache, &ops, m)))
		return err;
	ret->is_internal = true;
	return NULL;
}
