/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_PIECES_H
#define CONTAINER_PIECES_H

#include "container/container_input.h"

/*
 * A file that consists of stretches, each of which decodes by itself: zstd frames, LZ4 and xz
 * blocks, BGZF members.
 */
struct piece {
	uint64_t offset; /* in the packed file */
	uint32_t len;
	uint32_t tag; /* its container's */
};
enum { PIECE_ZERO = 1u << 31 }; /* tag: known to decode to zeros */

struct pieces_ops {
	/* All of in to all of out. On any thread. */
	struct error *(*decode)(void *arg, const struct piece *piece, const uint8_t *in,
				uint8_t *out, size_t out_len);
	void (*destroy)(void *arg);
};

struct pieces;
/* Takes arg (destroyed also on failure). */
MUST_CHECK struct error *pieces_create(const struct container_input *in,
				       const struct pieces_ops *ops, void *arg,
				       struct pieces **ret);
void pieces_cleanup(struct pieces **p); /* destroys them, unless they were opened */
/* Is content of that length short enough to be decoded at once? */
bool pieces_fit(const struct pieces *p, uint64_t out_len);
/*
 * *ret false, and nothing is added, when the piece is too long to be decoded at once. Errors:
 * LIMIT (max_unpacked, or memory for the index). out_len > 0; the piece lies in the file.
 */
MUST_CHECK struct error *pieces_add(struct pieces *p, const struct piece *piece, uint64_t out_len,
				    bool *ret);
uint64_t pieces_size(const struct pieces *p); /* decoded, so far */
/* Takes p, also on failure. */
MUST_CHECK struct error *pieces_open(struct pieces *p, struct file *ret);

/* The bytes of a piece in one run: looked at, or copied where the file cannot show them. */
struct piece_view {
	const uint8_t *bytes;
	struct file_view view;
	struct block_cache *cache;
	void *copy;
};
MUST_CHECK struct error *piece_view(const struct file *file, struct block_cache *cache,
				    const struct piece *piece, struct piece_view *ret);
void piece_view_release(struct piece_view *v);

#endif
