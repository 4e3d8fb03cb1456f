/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_STREAM_H
#define FORMATS_WRITERS_STREAM_H

#include "formats/writer.h"

/*
 * The stream of captured bytes of a job, read once: chunks are read, decoded and made into
 * something else on many threads, and written in order by one. The memory's hash is taken on
 * the way, on a thread of its own. A page that cannot be decoded is zeros here and goes to
 * job->lost: the caller then writes all again without it.
 */
enum { STREAM_CHUNK_SIZE = 256 << 10 }; /* whole pages */

struct stream_chunk {
	uint64_t stream;      /* offset of its first byte; a multiple of STREAM_CHUNK_SIZE */
	const uint8_t *bytes; /* patches are in */
	size_t len;	      /* STREAM_CHUNK_SIZE, but for the last one */
	uint8_t *made;	      /* ops.made_size bytes for what make() makes of it */
	unsigned worker;      /* make(): which thread this is, below stream_workers() */
};

struct stream_ops {
	size_t made_size; /* per chunk; 0: nothing is made */
	/* Any chunk, on any thread; may be NULL. */
	struct error *(*make)(void *arg, const struct stream_chunk *chunk);
	/* Chunk after chunk, on the caller's thread. */
	struct error *(*put)(void *arg, const struct stream_chunk *chunk);
};

MUST_CHECK struct error *stream_each(const struct write_job *job, const struct stream_ops *ops,
				     void *arg);

/* Threads that make() runs on. */
unsigned stream_workers(const struct write_job *job);

/* The stream as it is, from `offset` of the output on. */
MUST_CHECK struct error *stream_write(const struct write_job *job, uint64_t offset);

/* A part of a chunk that lies in one run. */
struct stream_piece {
	size_t run; /* index */
	uint64_t pa;
	const uint8_t *bytes;
	size_t len;
	size_t done; /* of the chunk, with this piece */
};
/* The first piece of a zeroed *piece, then the next; false at the end. */
bool stream_next_piece(const struct write_memory *m, const struct stream_chunk *chunk,
		       struct stream_piece *piece);

#endif
