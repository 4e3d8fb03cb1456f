/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PDB_MSF_H
#define WINDOWS_PDB_MSF_H

#include "base/error.h"

/*
 * The multi-stream file (MSF 7.00) that holds a PDB: blocks of one size, and streams that are
 * lists of blocks. Layout: llvm/docs/PDB/MsfFile.rst and microsoft-pdb's PDB/msf/msf.cpp.
 *
 *	superblock -> block map (numbers of the directory's blocks) -> directory
 *	directory: number of streams, their sizes, then their block numbers one after the other
 *
 * Only the directory is copied. Which blocks are free does not matter to a reader.
 */
enum {
	MSF_MAGIC_SIZE = 32,
	MSF_MIN_BLOCK = 512,
	MSF_MAX_BLOCK = 32768,
	MSF_MAX_STREAMS = 1 << 20,
};

struct msf {
	const uint8_t *bytes; /* borrowed */
	uint64_t len;
	uint32_t block_size, num_blocks;
	uint8_t *directory; /* owned */
	uint32_t num_streams;
	struct msf_stream *streams; /* owned */
};

/* Valid as long as its msf. */
struct msf_stream {
	const struct msf *msf;
	uint32_t size;	       /* bytes */
	const uint8_t *blocks; /* its block numbers in the directory, each good */
};

bool msf_probe(const uint8_t *bytes, size_t len);
/* Errors: CORRUPT, UNSUPPORTED (bytes of something else). On success msf_deinit() frees. */
MUST_CHECK struct error *msf_init(struct msf *ret, const uint8_t *bytes, size_t len);
void msf_deinit(struct msf *msf); /* a zeroed one is fine */

/* "what" names the stream in errors. NOT_FOUND if there is none of this number; CORRUPT if a
 * block lies outside the file or the stream is larger than the file. An absent stream (size -1)
 * is one of 0 bytes. */
MUST_CHECK struct error *msf_open_stream(const struct msf *msf, uint32_t number, const char *what,
					 struct msf_stream *ret);
/* The bytes [offset, offset + len) if they are one piece of the file; else NULL. The range must
 * lie in the stream. */
const uint8_t *msf_piece(const struct msf_stream *stream, uint32_t offset, uint32_t len);
/* Copies them, wherever they are. False if the range is not in the stream. */
MUST_CHECK bool msf_copy(const struct msf_stream *stream, uint32_t offset, uint32_t len, void *ret);

#endif
