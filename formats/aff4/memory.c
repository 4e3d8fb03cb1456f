/* SPDX-License-Identifier: MIT */
/*
 * A map as physical memory: its offsets are addresses. Ranges of streams that the volume does not
 * have are absent, and so are those whose bytes nobody knows.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "formats/aff4/private.h"

/* Of bytes that a stream repeats without end (other than zeros): more is no machine's memory but
 * work without end. */
#define MAX_REPEATED_BYTES (UINT64_C(64) << 30)

/* What the ranges of a map add up to. */
struct totals {
	uint64_t unknown;	/* bytes that the writer could not read */
	uint64_t cut;		/* ranges that are not in their target or in the machine */
	uint64_t lost;		/* bytes of targets that could not be opened */
	uint64_t repeated;	/* bytes of streams without end */
	uint64_t first_cut;	/* index of the first range that is cut */
	uint64_t repeated_over; /* bytes left out for the limit */
};

struct memory {
	const struct format_input *in;
	struct aff4_volume *volume;
	struct aff4_map map;
	const struct file **targets; /* NULL: not there, or nobody knows its bytes */
	bool *tried;		     /* to open a target */
	struct totals totals;
};

/* The target of a range, opened when the first range leads to it: targets that nothing leads to may
 * be anywhere. */
static struct error *open_target(struct memory *m, uint32_t index)
{
	struct error *err;

	if (m->tried[index] || aff4_is_unknown(m->map.targets[index]))
		return NULL;
	m->tried[index] = true;
	err = aff4_open_stream(m->volume, m->map.targets[index], &m->targets[index]);
	if (!err || aff4_must_stop(err))
		return err;
	diag_error(m->in->diag, err, "map %s", m->map.object->uri);
	return NULL;
}

static bool is_endless(const struct file *f)
{
	uint64_t start, end;

	return f->size == INT64_MAX && file_next_data(f, 0, &start, &end);
}

static void saturating_add(uint64_t *sum, uint64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = UINT64_MAX;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bytes [r->target_offset, + length) of the file, as far as it and the machine have them. */
static struct error *add_range(struct memory *m, const struct file *target,
			       const struct aff4_range *r, uint64_t index)
{
	struct totals *t = &m->totals;
	uint64_t room = r->target_offset < target->size ? target->size - r->target_offset : 0;
	uint64_t space = r->offset < PHYSMEM_MAX_END ? PHYSMEM_MAX_END - r->offset : 0;
	uint64_t length = min_u64(min_u64(r->length, room), space);

	if (length < r->length && !t->cut++)
		t->first_cut = index;
	if (is_endless(target)) {
		uint64_t left = MAX_REPEATED_BYTES - t->repeated;

		saturating_add(&t->repeated_over, length > left ? length - left : 0);
		length = min_u64(length, left);
		t->repeated += length;
	}
	if (!length)
		return NULL;
	return physmem_add_file(m->in->mem, r->offset, length, target, r->target_offset);
}

static struct error *add_entry(struct memory *m, size_t index)
{
	struct totals *t = &m->totals;
	struct aff4_range r;
	struct error *err;

	aff4_map_range(&m->map, index, &r);
	if (r.target >= m->map.num_targets) {
		if (!t->cut++)
			t->first_cut = index;
		return NULL;
	}
	if ((err = open_target(m, r.target)))
		return err;
	if (m->targets[r.target])
		return error_wrap(add_range(m, m->targets[r.target], &r, index),
				  "range %zu of the map", index);
	saturating_add(aff4_is_unknown(m->map.targets[r.target]) ? &t->unknown : &t->lost,
		       r.length);
	return NULL;
}

static struct error *add_ranges(struct memory *m)
{
	struct error *err = NULL;

	m->targets = calloc(m->map.num_targets + 1, sizeof(*m->targets));
	m->tried = calloc(m->map.num_targets + 1, sizeof(*m->tried));
	if (!m->targets || !m->tried)
		return &error_no_memory;
	for (size_t i = 0; i < m->map.num_entries && !err; i++)
		err = add_entry(m, i);
	return err;
}

/* Only what the map says of its gaps: where it says nothing they are no memory. */
static struct error *add_gaps(struct memory *m)
{
	const struct aff4_object *o = m->map.object;
	struct aff4_range r = { .length = o->size };
	const struct file *gap;
	struct error *err;

	if (!o->gap_stream || !o->size || aff4_is_unknown(o->gap_stream))
		return NULL;
	err = aff4_open_stream(m->volume, o->gap_stream, &gap);
	if (!err)
		return add_range(m, gap, &r, m->map.num_entries);
	if (aff4_must_stop(err))
		return err;
	diag_error(m->in->diag, err, "gaps of map %s", o->uri);
	return NULL;
}

static void report(const struct memory *m)
{
	const struct totals *t = &m->totals;
	struct diag *diag = m->in->diag;

	if (t->unknown)
		diag_note(diag, "the writer could not read 0x%" PRIx64 " bytes: not captured",
			  t->unknown);
	if (t->lost)
		diag_partial(diag, "0x%" PRIx64 " bytes of memory are in streams that are missing",
			     t->lost);
	if (t->cut)
		diag_partial(diag,
			     "%" PRIu64 " of %zu ranges of the map are not in their target or in "
			     "any machine (first: number %" PRIu64 ")",
			     t->cut, m->map.num_entries, t->first_cut);
	if (t->repeated_over)
		diag_partial(diag,
			     "0x%" PRIx64 " bytes that a stream repeats without end are left out",
			     t->repeated_over);
}

struct error *aff4_add_memory(const struct format_input *in, struct aff4_volume *v,
			      const struct aff4_object *o)
{
	struct memory m = { .in = in, .volume = v };
	struct error *err = aff4_map_read(v, o, &m.map);

	if (err)
		return err;
	/* What physmem keeps of each range. */
	err = block_cache_reserve(in->cache, m.map.num_entries * 64, "the ranges of an AFF4 map");
	if (!err && !(err = add_ranges(&m)))
		err = add_gaps(&m);
	if (!err)
		report(&m);
	free(m.targets);
	free(m.tried);
	aff4_map_deinit(&m.map);
	return err;
}
