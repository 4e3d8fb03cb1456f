/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/cursor.h"
#include "formats/crashdump/layout.h"
#include "formats/page_bitmap.h"
#include "formats/writers/crash_header.h"
#include "formats/writers/stream.h"

/*
 * Windows crash dumps of the types whose every page is told by the header: 1, the captured runs one
 * after the other, and 5, a bitmap of the captured pages and the pages in order.
 */
enum {
	TYPE_FULL = 1,
	TYPE_BITMAP = 5,
	BITS_PER_BYTE = 8,
	BITS_PER_WORD = 64,
	BITMAP_PIECE = 4 << 10,
};

/* Debuggers begin at the kernel's page tables and find all else through KDBG. */
static struct error *find_facts(const struct write_job *job, struct crash_facts *ret)
{
	if (!job->memory->bytes)
		return error_new(ERROR_UNSUPPORTED, "there is no whole page to write");
	if (job->facts)
		*ret = *job->facts;
	else
		crash_facts_init(job->info, ret);
	if (ret->header)
		return NULL;
	if (!ret->hints.dtb)
		return error_new(
			ERROR_UNSUPPORTED,
			"a crash dump names the kernel's page tables: no kernel was found, "
			"and the snapshot is not a crash dump that would say where they "
			"are");
	if (!ret->hints.kdbg)
		diag_note(job->diag, "the kernel's debugger data block (KDBG) was not found: "
				     "debuggers that need it cannot read the crash dump");
	return NULL;
}

/* num_runs 0: the header stays as the facts have it. */
static struct error *write_header(const struct write_job *job, const struct crash_facts *facts,
				  uint32_t type, const struct mem_range *runs, size_t num_runs,
				  uint64_t size)
{
	uint8_t header[CRASH_HEADER_SIZE];
	struct error *err;

	if (job->info->num_blobs)
		diag_note(job->diag,
			  "data that drivers added to the crash dump is left out: %zu blocks",
			  job->info->num_blobs);
	crash_header_build(&(struct crash_header){ .facts = facts,
						   .type = type,
						   .runs = runs,
						   .num_runs = num_runs,
						   .size = size,
						   .comment = "ntscope " NTSCOPE_VERSION },
			   header);
	if ((err = output_set_size(job->out, size)))
		return err;
	return output_write(job->out, 0, header, CRASH_HEADER_SIZE);
}

static size_t copy_runs(const struct write_memory *memory, struct mem_range *ret)
{
	for (size_t i = 0; i < memory->count; i++)
		ret[i] = (struct mem_range){ memory->runs[i].start, memory->runs[i].end };
	return memory->count;
}

static struct error *write_full(const struct write_job *job)
{
	struct mem_range runs[CRASH_MAX_HEADER_RUNS];
	struct crash_facts facts;
	struct error *err;

	if ((err = find_facts(job, &facts)))
		return err;
	if (job->memory->count > CRASH_MAX_HEADER_RUNS)
		return error_new(ERROR_UNSUPPORTED,
				 "%zu stretches of memory, the header of a full crash dump has "
				 "room for %d: 'dmp-bitmap' has room for any number",
				 job->memory->count, CRASH_MAX_HEADER_RUNS);
	size_t num_runs = copy_runs(job->memory, runs);
	if ((err = write_header(job, &facts, TYPE_FULL, runs, num_runs,
				CRASH_HEADER_SIZE + job->memory->bytes)))
		return err;
	return stream_write(job, CRASH_HEADER_SIZE);
}

/* One bit a page, in pieces; what is between two of them is never written and thus 0. */
struct bits {
	struct output *out;
	uint64_t size;	/* of the bitmap, in bytes */
	uint64_t first; /* byte of it that piece begins with */
	bool used;
	uint8_t piece[BITMAP_PIECE];
};

static const struct bitmap_form form = BITMAP_FORM_WIDE;

static struct error *flush_bits(struct bits *b)
{
	uint64_t offset = CRASH_HEADER_SIZE + form.bits + b->first;
	uint64_t len = b->size - b->first < BITMAP_PIECE ? b->size - b->first : BITMAP_PIECE;
	struct error *err;

	if (!b->used)
		return NULL;
	err = output_write(b->out, offset, b->piece, (size_t)len);
	memset(b->piece, 0, BITMAP_PIECE);
	b->used = false;
	return err;
}

/* Sets bits [gfn, end), which are above all that were set before. */
static struct error *set_bits(struct bits *b, uint64_t gfn, uint64_t end)
{
	struct error *err;

	while (gfn < end) {
		uint64_t byte = gfn / BITS_PER_BYTE, at = byte % BITMAP_PIECE;

		if (byte - at != b->first && (err = flush_bits(b)))
			return err;
		b->first = byte - at;
		b->used = true;
		if (gfn % BITS_PER_BYTE == 0 && end - gfn >= BITS_PER_BYTE) {
			b->piece[at] = 0xff;
			gfn += BITS_PER_BYTE;
		} else {
			b->piece[at] |= (uint8_t)(1 << gfn % BITS_PER_BYTE);
			gfn++;
		}
	}
	return NULL;
}

static struct error *write_bits(const struct write_job *job, uint64_t size)
{
	struct bits b = { .out = job->out, .size = size };
	struct error *err;

	for (size_t i = 0; i < job->memory->count; i++) {
		const struct write_run *run = &job->memory->runs[i];

		if ((err = set_bits(&b, run->start >> PAGE_SHIFT, run->end >> PAGE_SHIFT)))
			return err;
	}
	return flush_bits(&b);
}

static struct error *write_bitmap_header(const struct write_job *job, uint64_t num_bits,
					 uint64_t first_page)
{
	uint8_t header[BITMAP_FORM_MAX_SIZE] = { 0 };

	store_u32(header, BITMAP_SIGNATURE_FULL);
	store_u32(header + BITMAP_VALID_DUMP, BITMAP_VALID_MARK);
	store_u64(header + form.first_page, first_page);
	store_u64(header + form.num_pages, job->memory->bytes >> PAGE_SHIFT);
	store_u64(header + form.num_bits, num_bits);
	return output_write(job->out, CRASH_HEADER_SIZE, header, sizeof(header));
}

/*
 * The physical memory block tells of the machine here, not of the file: as the header that is
 * carried over has it, or the kernel. Where neither says, what was captured is all that is known.
 */
static size_t find_machine_runs(const struct write_job *job, const struct crash_facts *facts,
				struct mem_range *ret)
{
	if (facts->header && crash_header_has_runs(facts->header))
		return 0;
	if (facts->num_machine_runs && facts->num_machine_runs <= CRASH_MAX_HEADER_RUNS) {
		memcpy(ret, facts->machine_runs, facts->num_machine_runs * sizeof(*ret));
		return facts->num_machine_runs;
	}
	return job->memory->count <= CRASH_MAX_HEADER_RUNS ? copy_runs(job->memory, ret) : 0;
}

static struct error *write_bitmap(const struct write_job *job)
{
	struct mem_range runs[CRASH_MAX_HEADER_RUNS];
	struct crash_facts facts;
	struct error *err;

	if ((err = find_facts(job, &facts)))
		return err;
	/* readers take the bits in words */
	uint64_t num_pages = write_memory_end(job->memory) >> PAGE_SHIFT;
	uint64_t num_bits = (num_pages + BITS_PER_WORD - 1) & ~(uint64_t)(BITS_PER_WORD - 1);
	uint64_t size = num_bits / BITS_PER_BYTE;
	uint64_t first_page = CRASH_HEADER_SIZE + form.bits + size;
	first_page = (first_page + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
	if (num_bits > PAGE_BITMAP_MAX_BITS)
		return error_new(ERROR_LIMIT,
				 "memory at 0x%" PRIx64 ", the bitmap of a crash dump ends at "
				 "0x%" PRIx64 " at the latest",
				 write_memory_end(job->memory) - 1,
				 PAGE_BITMAP_MAX_BITS << PAGE_SHIFT);
	size_t num_runs = find_machine_runs(job, &facts, runs);
	if ((err = write_header(job, &facts, TYPE_BITMAP, runs, num_runs,
				first_page + job->memory->bytes)) ||
	    (err = write_bitmap_header(job, num_bits, first_page)) || (err = write_bits(job, size)))
		return err;
	return stream_write(job, first_page);
}

const struct format_writer crash_dump_writer = {
	.name = "dmp",
	.suffix = ".dmp",
	.format = "crash-dump",
	.description = "Windows crash dump, full (type 1): for WinDbg; up to 43 stretches of "
		       "memory",
	.flags = WRITER_WHOLE_PAGES | WRITER_REGISTERS | WRITER_WANTS_KERNEL,
	.write = write_full,
};

const struct format_writer crash_bitmap_writer = {
	.name = "dmp-bitmap",
	.suffix = ".dmp",
	.format = "crash-dump",
	.description = "Windows crash dump with a bitmap of its pages (type 5): for WinDbg, of "
		       "any memory",
	.flags = WRITER_WHOLE_PAGES | WRITER_REGISTERS | WRITER_WANTS_KERNEL,
	.write = write_bitmap,
};
