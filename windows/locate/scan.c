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

void scan_add(struct scan_job *job, uint64_t pa, unsigned kind)
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
	return count;
}

void scan_begin(struct scan *scan, struct locator *l, const char *label, scan_page_fn *fn,
		const void *arg)
{
	*scan = (struct scan){ .l = l, .fn = fn, .arg = arg, .budget = FIRST_STEP };
	progress_begin(&scan->progress, label, physmem_captured_bytes(l->mem), l->options->quiet);
}

struct error *scan_step(struct scan *scan)
{
	struct scan_job *jobs = calloc(MAX_JOBS, sizeof(*jobs));
	struct error *err;

	if (!jobs)
		return &error_no_memory;
	size_t count = cut_jobs(scan, jobs);

	err = workers_run(scan->l->options->threads, count, run_job, jobs);
	scan->count = 0;
	for (size_t i = 0; !err && i < count; i++) {
		err = array_reserve(&scan->hits, &scan->capacity, scan->count + jobs[i].count,
				    sizeof(*scan->hits), (size_t)MAX_JOBS * MAX_JOB_HITS,
				    "scan hits");
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

void scan_end(struct scan *scan)
{
	progress_end(&scan->progress);
	free(scan->hits);
	scan->hits = NULL;
}
