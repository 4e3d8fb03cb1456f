/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/workers.h"
#include "windows/locate/private.h"

enum {
	JOB_BYTES = 16 << 20,
	FIRST_STEP = 64 << 20,
	LAST_STEP = 1 << 30,
	MAX_JOBS = LAST_STEP / JOB_BYTES + 1,
	MAX_JOB_HITS = 64,
};

/* One worker's stretch [start, end) of physical addresses, and what it met there. */
struct scan_job {
	struct scan *scan;
	uint64_t start, end;
	struct scan_hit hits[MAX_JOB_HITS];
	size_t count;
	bool dropped;
};

void scan_add(struct scan_job *job, uint64_t pa, uint32_t kind)
{
	if (job->count == MAX_JOB_HITS)
		job->dropped = true;
	else
		job->hits[job->count++] = (struct scan_hit){ .pa = pa, .kind = kind };
}

static void scan_range(struct scan_job *job, struct physmem *mem, uint64_t pa, uint64_t end)
{
	while (pa < end) {
		uint64_t page = pa & ~(uint64_t)PAGE_MASK;
		struct page_view view;
		uint64_t next = page + PAGE_SIZE;

		if (physmem_view(mem, pa, &view, NULL)) {
			job->scan->fn(job, job->scan->arg, page, &view);
			next = page + view.end;
			page_release(&view);
		}
		if (next <= pa)
			break;
		pa = next;
	}
}

static struct error *run_job(void *arg, size_t index)
{
	struct scan_job *job = &((struct scan_job *)arg)[index];
	struct physmem *mem = job->scan->l->mem;
	struct mem_range range;
	uint64_t pa = job->start;

	while (pa < job->end && physmem_next(mem, pa, true, &range) && range.start < job->end) {
		uint64_t end = range.end < job->end ? range.end : job->end;

		scan_range(job, mem, range.start, end);
		progress_add(&job->scan->progress, end - range.start);
		pa = end;
	}
	return NULL;
}

/* Cuts the next `budget` captured bytes into jobs; the number of jobs. */
static size_t cut_jobs(struct scan *scan, struct scan_job *jobs)
{
	uint64_t pa = scan->next, left = scan->budget, room = 0;
	struct mem_range range;
	size_t count = 0;

	while (left > 0 && (count < MAX_JOBS || room > 0)) {
		if (!physmem_next(scan->l->mem, pa, true, &range)) {
			scan->end = true;
			break;
		}
		if (room == 0) {
			jobs[count].scan = scan;
			jobs[count++].start = range.start;
			room = JOB_BYTES;
		}
		uint64_t take = range.end - range.start;

		take = take < room ? take : room;
		take = take < left ? take : left;
		pa = range.start + take;
		jobs[count - 1].end = pa;
		room -= take;
		left -= take;
	}
	scan->next = pa;
	scan->l->recall->scanned += scan->budget - left;
	return count;
}

void scan_begin(struct scan *scan, struct locator *l, const char *label, scan_page_fn *fn,
		const void *arg)
{
	*scan = (struct scan){ .l = l, .fn = fn, .arg = arg, .budget = FIRST_STEP };
	scan->index = l->recall->num_scans;
	recall_begin_scan(l->recall, l->snap);
	progress_begin(&scan->progress, label, physmem_captured_bytes(l->mem), l->options->quiet);
}

static struct error *reserve_hits(struct scan *scan, size_t count, size_t limit)
{
	return array_reserve(&scan->hits, &scan->capacity, count, sizeof(*scan->hits), limit,
			     "scan hits");
}

/* The next stretch of memory. */
static struct error *step_over_memory(struct scan *scan)
{
	struct scan_job *jobs = calloc(MAX_JOBS, sizeof(*jobs));
	struct error *err;

	if (!jobs)
		return &error_no_memory;
	size_t count = cut_jobs(scan, jobs);

	err = workers_run(scan->l->options->threads, count, run_job, jobs);
	scan->count = 0;
	for (size_t i = 0; !err && i < count; i++) {
		err = reserve_hits(scan, scan->count + jobs[i].count,
				   (size_t)MAX_JOBS * MAX_JOB_HITS);
		if (err)
			break;
		if (jobs[i].count)
			memcpy(scan->hits + scan->count, jobs[i].hits,
			       jobs[i].count * sizeof(*scan->hits));
		scan->count += jobs[i].count;
		scan->dropped |= jobs[i].dropped;
	}
	if (scan->budget < LAST_STEP)
		scan->budget *= 4;
	free(jobs);
	return err;
}

static bool met_again(const struct scan_job *job, const struct scan_hit *hit)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->hits[i].pa == hit->pa && job->hits[i].kind == hit->kind)
			return true;
	return false;
}

/* Just the pages of the hits of an earlier scan; those that are met again. */
static struct error *step_over_known(struct scan *scan)
{
	const struct scan_log *log = &scan->l->recall->log;
	const struct scan_hit *known;
	size_t count = scan_log_hits(log, scan->index, &known);
	struct error *err = reserve_hits(scan, count, SCAN_LOG_MAX_HITS);
	struct scan_job *jobs;

	if (err)
		return err;
	if (!(jobs = calloc(count + 1, sizeof(*jobs))))
		return &error_no_memory;
	scan->count = 0;
	scan->end = true;
	for (size_t i = 0; i < count; i++) {
		jobs[i].scan = scan;
		jobs[i].start = known[i].pa & ~(uint64_t)PAGE_MASK;
		jobs[i].end = jobs[i].start + PAGE_SIZE;
	}
	err = workers_run(scan->l->options->threads, count, run_job, jobs);
	for (size_t i = 0; !err && i < count; i++)
		if (met_again(&jobs[i], &known[i]))
			scan->hits[scan->count++] = known[i];
	scan->dropped = scan->index < log->num_scans && log->dropped[scan->index];
	free(jobs);
	return err;
}

struct error *scan_step(struct scan *scan)
{
	struct recall *recall = scan->l->recall;
	struct error *err;

	if (recall->state == RECALL_KNOWN)
		return step_over_known(scan);
	err = step_over_memory(scan);
	if (err || recall->state != RECALL_NEW)
		return err;
	return scan_log_add(&recall->log, scan->hits, scan->count, scan->dropped);
}

void scan_end(struct scan *scan)
{
	progress_end(&scan->progress);
	free(scan->hits);
	scan->hits = NULL;
}
