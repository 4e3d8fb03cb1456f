/* SPDX-License-Identifier: MIT */
/* Physical memory byte for byte at its address; what is absent is a hole that reads as zeros. */
#include <inttypes.h>

#include "formats/writers/stream.h"

/* No machine has larger holes between its memory; damage and malice do. */
#define RAW_MAX_ABSENT (UINT64_C(1) << 40)

static struct error *put_chunk(void *arg, const struct stream_chunk *chunk)
{
	const struct write_job *job = arg;
	struct stream_piece piece = { 0 };
	struct error *err = NULL;

	while (!err && stream_next_piece(job->memory, chunk, &piece))
		err = output_write_sparse(job->out, piece.pa, piece.bytes, piece.len);
	return err;
}

static struct error *raw_write(const struct write_job *job)
{
	static const struct stream_ops ops = { .put = put_chunk };
	uint64_t end = write_memory_end(job->memory), absent = end - job->memory->bytes;
	struct error *err;

	if (absent > RAW_MAX_ABSENT)
		return error_new(
			ERROR_LIMIT,
			"raw: 0x%" PRIx64 " absent bytes below the highest address 0x%" PRIx64
			" pass the limit of 0x%" PRIx64 " (elf and lime need none of them)",
			absent, end, RAW_MAX_ABSENT);
	if ((err = output_set_size(job->out, end)) ||
	    (err = stream_each(job, &ops, (void *)(uintptr_t)job)))
		return err;
	/* with lost pages all is written again without them */
	if (absent && !job->lost->count)
		diag_note(job->diag,
			  "raw cannot tell absent from zero: 0x%" PRIx64
			  " bytes that are not in the snapshot read as zeros",
			  absent);
	return NULL;
}

const struct format_writer raw_writer = {
	.name = "raw",
	.suffix = ".raw",
	.format = "raw",
	.description = "physical memory byte for byte, with holes for what is absent",
	.flags = WRITER_FILLS_HOLES,
	.write = raw_write,
};
