/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "formats/crashdump/parts.h"

bool crash_run_is_valid(const struct crash_pages *p, const struct crash_run *run)
{
	return run->count != 0 && run->first_gfn < CRASH_MAX_GFN &&
	       run->count <= CRASH_MAX_GFN - run->first_gfn &&
	       run->count <= CRASH_MAX_GFN - p->pages;
}

struct error *crash_add_run(struct crash_dump *d, struct crash_pages *p,
			    const struct crash_run *run)
{
	uint64_t length = run->count << PAGE_SHIFT;
	uint64_t captured = d->file->size - p->offset;

	if (captured > length)
		captured = length;
	p->pages += run->count;
	p->missing += run->count - (captured >> PAGE_SHIFT);
	p->runs++;
	if (!captured)
		return NULL;
	p->captured += captured;
	uint64_t offset = p->offset;
	p->offset += captured;
	return physmem_add_file(d->mem, run->first_gfn << PAGE_SHIFT, captured, d->file, offset);
}

struct error *crash_end_runs(struct crash_dump *d, const struct crash_pages *p)
{
	if (!p->captured)
		return error_new(ERROR_CORRUPT,
				 "truncated crash dump: its header names %" PRIu64
				 " pages in %zu runs, the file ends at 0x%" PRIx64
				 " before the first",
				 p->pages, p->runs, d->file->size);
	if (p->missing)
		diag_partial(d->diag,
			     "truncated at 0x%" PRIx64 ": %" PRIu64 " of %" PRIu64
			     " pages are beyond the end of the file",
			     d->file->size, p->missing, p->pages);
	return NULL;
}

/* Type 1: the pages of the physical memory block's runs, one after the other. */
struct error *crash_open_full(struct crash_dump *d)
{
	struct crash_pages pages = { .offset = CRASH_HEADER_SIZE };
	struct error *err;

	if (!d->num_runs)
		return error_new(
			ERROR_CORRUPT,
			"full crash dump without a valid run in its physical memory block");
	for (size_t i = 0; i < d->num_runs; i++) {
		if ((err = crash_add_run(d, &pages, &d->runs[i])))
			return err;
	}
	if ((err = crash_end_runs(d, &pages)))
		return err;
	return crash_read_blobs(d, pages.offset);
}
