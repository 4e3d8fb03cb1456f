/* SPDX-License-Identifier: MIT */
/*
 * LiME, as the acquisition module of that name writes it in its "lime" format: each run behind a
 * header of its own (layout: LiME's doc/README.md and src/lime.h). Addresses in it are the first
 * and the last byte.
 */
#include "base/cursor.h"
#include "formats/writers/stream.h"

enum lime_header {
	LIME_MAGIC = 0x00, /* "EMiL" */
	LIME_VERSION = 0x04,
	LIME_START = 0x08,
	LIME_LAST = 0x10, /* and eight bytes of zeros */
	LIME_HEADER_SIZE = 0x20,
};
enum { LIME_MAGIC_VALUE = 0x4c694d45, LIME_VERSION_VALUE = 1 };

static struct error *put_header(const struct write_job *job, uint64_t offset,
				const struct write_run *run)
{
	uint8_t header[LIME_HEADER_SIZE] = { 0 };

	store_u32(header + LIME_MAGIC, LIME_MAGIC_VALUE);
	store_u32(header + LIME_VERSION, LIME_VERSION_VALUE);
	store_u64(header + LIME_START, run->start);
	store_u64(header + LIME_LAST, run->end - 1);
	return output_write(job->out, offset, header, sizeof(header));
}

static struct error *put_chunk(void *arg, const struct stream_chunk *chunk)
{
	const struct write_job *job = arg;
	struct stream_piece piece = { 0 };
	struct error *err = NULL;

	while (!err && stream_next_piece(job->memory, chunk, &piece)) {
		const struct write_run *run = &job->memory->runs[piece.run];
		uint64_t data = (piece.run + 1) * (uint64_t)LIME_HEADER_SIZE + run->stream;

		if (piece.pa == run->start)
			err = put_header(job, data - LIME_HEADER_SIZE, run);
		if (!err)
			err = output_write_sparse(job->out, data + (piece.pa - run->start),
						  piece.bytes, piece.len);
	}
	return err;
}

static struct error *lime_write(const struct write_job *job)
{
	static const struct stream_ops ops = { .put = put_chunk };
	uint64_t headers = job->memory->count * (uint64_t)LIME_HEADER_SIZE;
	struct error *err = output_set_size(job->out, headers + job->memory->bytes);

	return err ? err : stream_each(job, &ops, (void *)(uintptr_t)job);
}

const struct format_writer lime_writer = {
	.name = "lime",
	.suffix = ".lime",
	.format = "lime",
	.description = "LiME: each captured run behind a header with its addresses",
	.write = lime_write,
};
