/* SPDX-License-Identifier: MIT */
#include "windows/pool/pool_scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/progress.h"
#include "base/workers.h"
#include "windows/pool/reverse_map.h"

DEFINE_FIELDS(pool, POOL_FIELDS);

enum {
	JOB_BYTES = 16 << 20,
	MAX_JOBS = 1 << 22,
	MAX_JOB_HITS = 1 << 16,	   /* of one job: several times what one tag can truly fill */
	MIN_BLOCK = 2 * POOL_UNIT, /* a header and something in it */
	MAX_UNITS = PAGE_SIZE / POOL_UNIT - 1,
	LANES = 4,	       /* headers that one instruction looks at */
	GROUPS = 4,	       /* of them that are */
	STEP = GROUPS * LANES, /* passed over together */
	/* bits of POOL_HEADER.PoolType: Volatility 3's pool header class for Vista and later */
	POOL_TYPE_PAGED = 1 << 0,
	POOL_TYPE_IN_USE = 1 << 1,
};

/* Compilers make vector instructions of it, or else plain code. */
typedef uint32_t tag_lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));

struct pool_scanner;

/* One worker's stretch [start, end) of physical addresses, and what it met there. */
struct pool_job {
	struct pool_scanner *scanner;
	uint64_t start, end;
	struct pool_hit *hits;
	size_t count, capacity;
	uint64_t dropped;
};

struct pool_scanner {
	struct physmem *mem;
	struct field fields[pool_num_fields];
	uint32_t tags[MAX_POOL_TAGS];
	size_t num_tags;
	uint32_t min_size;
	tag_lanes lanes[MAX_POOL_TAGS]; /* each tag, in all lanes */
	struct pool_job *jobs;
	size_t num_jobs, jobs_capacity;
	struct progress progress;
};

/* Where nothing names the fields: all builds in the built-in table have them here. */
static const struct field usual_fields[pool_num_fields] = {
	[POOL_BLOCK_SIZE] = { .offset = 2, .size = 1, .present = true },
	[POOL_BLOCK_TYPE] = { .offset = 3, .size = 1, .present = true },
	[POOL_BLOCK_TAG] = { .offset = 4, .size = 4, .present = true },
};

static uint32_t header_field(const struct pool_scanner *s, const uint8_t *header, unsigned field)
{
	const struct field *f = &s->fields[field];
	uint32_t value = f->size == 1	? header[f->offset]
			 : f->size == 2 ? load_u16(header + f->offset)
					: load_u32(header + f->offset);

	return f->bit_size ? value >> f->bit_pos & (UINT32_MAX >> (32 - f->bit_size)) : value;
}

static bool is_wanted(const struct pool_scanner *s, uint32_t tag)
{
	for (size_t i = 0; i < s->num_tags; i++) {
		if (s->tags[i] == tag)
			return true;
	}
	return false;
}

static struct error *look_at(struct pool_job *job, const uint8_t *header, uint64_t pa)
{
	const struct pool_scanner *s = job->scanner;
	uint32_t type = header_field(s, header, POOL_BLOCK_TYPE);
	uint32_t units = header_field(s, header, POOL_BLOCK_SIZE);
	struct pool_hit hit = {
		.pa = pa,
		.tag = header_field(s, header, POOL_BLOCK_TAG) & ~POOL_TAG_PROTECTED,
		.size = units * POOL_UNIT,
		.in_use = type & POOL_TYPE_IN_USE,
		.paged = type & POOL_TYPE_PAGED,
	};
	struct error *err;

	if (!is_wanted(s, hit.tag) || units > MAX_UNITS || hit.size < MIN_BLOCK ||
	    hit.size < s->min_size)
		return NULL;
	if (job->count == MAX_JOB_HITS) {
		job->dropped++;
		return NULL;
	}
	err = array_reserve(&job->hits, &job->capacity, job->count + 1, sizeof(*job->hits),
			    MAX_JOB_HITS, "pool blocks");
	if (!err)
		job->hits[job->count++] = hit;
	return err;
}

/* May one of STEP headers have a wanted tag? tags: of the first one's. */
static bool has_wanted(const struct pool_scanner *s, const uint8_t *tags)
{
	tag_lanes here[GROUPS], found = { 0 };

	for (unsigned i = 0; i < GROUPS; i++) {
		const uint8_t *t = tags + i * LANES * POOL_UNIT;

		here[i] = (tag_lanes){ load_u32(t), load_u32(t + POOL_UNIT),
				       load_u32(t + 2 * POOL_UNIT), load_u32(t + 3 * POOL_UNIT) };
		here[i] &= ~POOL_TAG_PROTECTED;
	}
	for (size_t i = 0; i < s->num_tags; i++) {
		tag_lanes tag = s->lanes[i];

		found |= (tag_lanes)(here[0] == tag) | (tag_lanes)(here[1] == tag) |
			 (tag_lanes)(here[2] == tag) | (tag_lanes)(here[3] == tag);
	}
	return found[0] | found[1] | found[2] | found[3];
}

/* The headers that lie whole in the captured part of one page. */
static struct error *scan_view(struct pool_job *job, uint64_t page, const struct page_view *view)
{
	const struct pool_scanner *s = job->scanner;
	uint32_t at = (view->begin + POOL_UNIT - 1) & ~(uint32_t)(POOL_UNIT - 1);
	uint32_t tag = s->fields[POOL_BLOCK_TAG].offset;
	struct error *err;

	while (at + POOL_UNIT <= view->end) {
		const uint8_t *header = view->bytes + (at - view->begin);

		if (at + STEP * POOL_UNIT <= view->end && !has_wanted(s, header + tag)) {
			at += STEP * POOL_UNIT;
			continue;
		}
		for (unsigned i = 0; i < STEP && at + POOL_UNIT <= view->end; i++) {
			if ((err = look_at(job, header + i * POOL_UNIT, page + at)))
				return err;
			at += POOL_UNIT;
		}
	}
	return NULL;
}

static struct error *scan_range(struct pool_job *job, uint64_t pa, uint64_t end)
{
	struct error *err = NULL;

	while (pa < end && !err) {
		uint64_t page = pa & ~(uint64_t)PAGE_MASK;
		uint64_t next = page + PAGE_SIZE;
		struct page_view view;

		if (physmem_view(job->scanner->mem, pa, &view, NULL)) {
			err = scan_view(job, page, &view);
			next = page + view.end;
			page_release(&view);
		}
		if (next <= pa)
			break;
		pa = next;
	}
	return err;
}

static struct error *run_job(void *arg, size_t index)
{
	struct pool_job *job = &((struct pool_job *)arg)[index];
	struct physmem *mem = job->scanner->mem;
	struct error *err = NULL;
	struct mem_range range;
	uint64_t pa = job->start;

	while (pa < job->end && !err && physmem_next(mem, pa, true, &range) &&
	       range.start < job->end) {
		uint64_t end = range.end < job->end ? range.end : job->end;

		err = scan_range(job, range.start, end);
		progress_add(&job->scanner->progress, end - range.start);
		pa = end;
	}
	return err;
}

/* Cuts captured memory into jobs of about JOB_BYTES, at page boundaries. */
static struct error *cut_jobs(struct pool_scanner *s)
{
	uint64_t pa = 0, room = 0;
	struct mem_range range;
	struct error *err;

	while (physmem_next(s->mem, pa, true, &range)) {
		uint64_t size = range.end - range.start;

		if (room == 0) {
			err = array_reserve(&s->jobs, &s->jobs_capacity, s->num_jobs + 1,
					    sizeof(*s->jobs), MAX_JOBS, "scan jobs");
			if (err)
				return err;
			s->jobs[s->num_jobs++] =
				(struct pool_job){ .scanner = s, .start = range.start };
			room = JOB_BYTES - (range.start & PAGE_MASK);
		}
		pa = size < room ? range.end : range.start + room;
		room -= pa - range.start;
		/* what is left would end the job in mid-page */
		if (room < PAGE_SIZE)
			room = 0;
		s->jobs[s->num_jobs - 1].end = pa;
	}
	return NULL;
}

/* All hits in order; what is over a limit is counted and left out. */
static struct error *collect(struct pool_scanner *s, struct diag *diag, struct pool_hits *ret)
{
	uint64_t total = 0, dropped = 0;

	for (size_t i = 0; i < s->num_jobs; i++)
		total += s->jobs[i].count;
	if (total > MAX_POOL_HITS)
		total = MAX_POOL_HITS;
	ret->items = total ? calloc(total, sizeof(*ret->items)) : NULL;
	if (total && !ret->items)
		return &error_no_memory;
	for (size_t i = 0; i < s->num_jobs; i++) {
		const struct pool_job *job = &s->jobs[i];
		size_t take =
			job->count < total - ret->count ? job->count : (size_t)(total - ret->count);

		if (take)
			memcpy(ret->items + ret->count, job->hits, take * sizeof(*ret->items));
		ret->count += take;
		dropped += job->count - take + job->dropped;
	}
	if (dropped)
		diag_partial(diag,
			     "pool scan: %" PRIu64 " more blocks with these tags are left out: "
			     "over %d in 16 MiB or %d in all",
			     dropped, MAX_JOB_HITS, MAX_POOL_HITS);
	return NULL;
}

/* Where the kernel maps the pages of the hits. */
static struct error *map_hits(struct kernel *k, struct pool_hits *hits)
{
	struct mapped_page *pages;
	size_t num_pages = 0;

	if (!hits->count)
		return NULL;
	pages = calloc(hits->count, sizeof(*pages));
	if (!pages)
		return &error_no_memory;
	for (size_t i = 0; i < hits->count; i++) {
		uint64_t page = hits->items[i].pa & ~(uint64_t)PAGE_MASK;

		if (!num_pages || pages[num_pages - 1].pa != page)
			pages[num_pages++].pa = page;
	}
	reverse_map_pages(k, pages, num_pages);
	for (size_t i = 0, page = 0; i < hits->count; i++) {
		struct pool_hit *hit = &hits->items[i];

		while (pages[page].pa != (hit->pa & ~(uint64_t)PAGE_MASK))
			page++;
		hit->va = pages[page].va;
		hit->va.value += hit->pa & PAGE_MASK;
	}
	free(pages);
	return NULL;
}

static struct error *begin(struct pool_scanner *s, struct kernel *k, const struct pool_query *query)
{
	struct error *err;

	if (!k->snap->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump has no physical memory to scan");
	if ((err = profile_bind(k->profile, pool_field_rows, pool_num_fields, s->fields)))
		return error_wrap(err, "pool scan");
	for (unsigned i = 0; i < pool_num_fields; i++) {
		struct field *f = &s->fields[i];

		if (!f->present)
			*f = usual_fields[i];
		if (f->size > sizeof(uint32_t) || f->offset > POOL_UNIT - f->size)
			return error_new(ERROR_CORRUPT,
					 "%s.%s: %u bytes at 0x%x in the symbols, expected at most "
					 "4 in the first 0x%x",
					 pool_field_rows[i].type, pool_field_rows[i].name, f->size,
					 f->offset, POOL_UNIT);
	}
	if (query->num_tags > MAX_POOL_TAGS)
		return error_new(ERROR_LIMIT, "%zu pool tags: at most %d at once", query->num_tags,
				 MAX_POOL_TAGS);
	s->mem = k->snap->mem;
	s->min_size = query->min_size;
	s->num_tags = query->num_tags;
	for (size_t i = 0; i < query->num_tags; i++) {
		s->tags[i] = query->tags[i] & ~POOL_TAG_PROTECTED;
		s->lanes[i] = s->tags[i] | (tag_lanes){ 0 };
	}
	return NULL;
}

static void end(struct pool_scanner *s)
{
	for (size_t i = 0; i < s->num_jobs; i++)
		free(s->jobs[i].hits);
	free(s->jobs);
}

struct error *pool_scan(struct kernel *k, const struct pool_query *query, struct pool_hits *ret)
{
	struct pool_scanner s = { 0 };
	struct pool_hits hits = { 0 };
	struct error *err;

	if ((err = begin(&s, k, query)))
		return err;
	progress_begin(&s.progress, "scanning for pool tags", physmem_captured_bytes(s.mem),
		       k->scan_quiet);
	if (!(err = cut_jobs(&s)) &&
	    !(err = workers_run(k->scan_threads, s.num_jobs, run_job, s.jobs)))
		err = collect(&s, k->diag, &hits);
	progress_end(&s.progress);
	end(&s);
	if (!err)
		err = map_hits(k, &hits);
	if (err)
		pool_hits_deinit(&hits);
	else
		*ret = hits;
	return err;
}

void pool_hits_deinit(struct pool_hits *hits)
{
	free(hits->items);
	memset(hits, 0, sizeof(*hits));
}
