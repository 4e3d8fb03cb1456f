/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/cursor.h"
#include "formats/crashdump/parts.h"

/*
 * Types 8, 9 and 10, as WinDbg's .dump /k, /ka and /f write them: a list of {page, count}, then
 * the pages of all ranges in that order. Source: kdmp-parser-rs src/structs.rs and src/parse.rs.
 */
enum rdmp_field {
	RDMP_OFFSET = CRASH_HEADER_SIZE,
	RDMP_HEADER_SIZE = 0x00, /* u32, 0x40 */
	RDMP_SIGNATURE = 0x04,
	RDMP_VALID_DUMP = 0x08,
	RDMP_METADATA_SIZE = 0x10, /* of the header and the ranges */
	RDMP_FIRST_PAGE = 0x18,	   /* file offset */
	RDMP_NUM_RANGES = 0x20,	   /* u32, type 10 only */
	RDMP_NUM_PAGES = 0x28,	   /* type 10 only */
	RDMP_RANGES = 0x30,
	RDMP_RANGE_SIZE = 16,
	RDMP_COMPLETE = 10,
};
#define SIGNATURE_RDMP UINT32_C(0x504d4452) /* "RDMP" */
#define VALID_DUMP     UINT32_C(0x504d5544) /* "DUMP" */

/* Checks the header; *ret: the ranges, up to the first page. */
static struct error *read_rdmp_header(const struct crash_dump *d, struct cursor *ret)
{
	const uint8_t *header = d->bytes + RDMP_OFFSET, *bytes;
	const uint64_t ranges = RDMP_OFFSET + RDMP_RANGES;
	struct error *err;

	if (d->file->size < ranges)
		return error_new(ERROR_CORRUPT, "RDMP header at 0x%x: truncated at 0x%" PRIx64,
				 (unsigned)RDMP_OFFSET, d->file->size);
	uint32_t signature = load_u32(header + RDMP_SIGNATURE);
	uint32_t valid = load_u32(header + RDMP_VALID_DUMP);
	if (signature != SIGNATURE_RDMP || valid != VALID_DUMP)
		return error_new(ERROR_CORRUPT,
				 "0x%x: expected 'RDMPDUMP', found 0x%08" PRIx32 " 0x%08" PRIx32,
				 (unsigned)(RDMP_OFFSET + RDMP_SIGNATURE), signature, valid);
	uint64_t first_page = load_u64(header + RDMP_FIRST_PAGE);
	if (first_page <= ranges)
		return error_new(ERROR_CORRUPT,
				 "0x%x: first page at 0x%" PRIx64
				 ", expected it behind the ranges at 0x%" PRIx64,
				 (unsigned)(RDMP_OFFSET + RDMP_FIRST_PAGE), first_page, ranges);
	if (first_page >= d->file->size)
		return error_new(ERROR_CORRUPT,
				 "truncated crash dump: its pages begin at 0x%" PRIx64
				 ", the file ends at 0x%" PRIx64,
				 first_page, d->file->size);
	/* The size counts 0x20 bytes of the header and the ranges, whole. */
	uint64_t size = load_u64(header + RDMP_METADATA_SIZE);
	if (size != first_page - RDMP_OFFSET - 0x20)
		diag_note(d->diag,
			  "0x%x: RDMP metadata size 0x%" PRIx64
			  " does not agree with the first page at 0x%" PRIx64,
			  (unsigned)(RDMP_OFFSET + RDMP_METADATA_SIZE), size, first_page);
	if ((err = file_bytes(d->file, ranges, first_page - ranges, &bytes)))
		return error_wrap(err, "RDMP ranges");
	cur_init(ret, bytes, (size_t)(first_page - ranges), ranges);
	return NULL;
}

/*
 * Only type 10 counts its ranges; the others end with page 0 or where the pages begin. After a
 * range that cannot be, nobody knows where the pages of the next one are.
 */
static struct error *add_ranges(struct crash_dump *d, struct cursor *c, uint64_t limit,
				bool counted, struct crash_pages *pages)
{
	struct crash_run run;
	struct error *err;

	while (pages->runs < limit && cur_left(c) >= RDMP_RANGE_SIZE) {
		uint64_t offset = cur_offset(c);
		if (!cur_u64(c, &run.first_gfn) || !cur_u64(c, &run.count))
			return cur_error(c, "RDMP ranges");
		if (!counted && run.first_gfn == 0)
			return NULL;
		if (!crash_run_is_valid(pages, &run)) {
			diag_partial(d->diag,
				     "0x%" PRIx64 ": range of 0x%" PRIx64 " pages from 0x%" PRIx64
				     " on is not possible, it and the rest are left out",
				     offset, run.count, run.first_gfn);
			return NULL;
		}
		if (pages->runs == CRASH_MAX_RANGES)
			return error_new(ERROR_LIMIT, "RDMP ranges: more than %d",
					 CRASH_MAX_RANGES);
		if ((err = crash_add_run(d, pages, &run)))
			return err;
	}
	return NULL;
}

struct error *crash_open_rdmp(struct crash_dump *d)
{
	struct cursor c;
	struct error *err;

	if ((err = read_rdmp_header(d, &c)))
		return err;
	const uint8_t *header = d->bytes + RDMP_OFFSET;
	bool counted = d->type == RDMP_COMPLETE;
	uint64_t limit = counted ? load_u32(header + RDMP_NUM_RANGES) : UINT64_MAX;
	struct crash_pages pages = { .offset = load_u64(header + RDMP_FIRST_PAGE) };
	if ((err = add_ranges(d, &c, limit, counted, &pages)))
		return err;
	if (!pages.runs)
		return error_new(ERROR_CORRUPT, "0x%x: no valid range of pages",
				 (unsigned)(RDMP_OFFSET + RDMP_RANGES));
	uint64_t stated = load_u64(header + RDMP_NUM_PAGES);
	if (counted && (pages.runs != limit || pages.pages != stated))
		diag_partial(d->diag,
			     "RDMP header names %" PRIu64 " pages in %" PRIu64
			     " ranges, its ranges are %" PRIu64 " pages in %zu",
			     stated, limit, pages.pages, pages.runs);
	if ((err = crash_end_runs(d, &pages)))
		return err;
	return crash_read_blobs(d, pages.offset);
}
