/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_VAD_TREE_H
#define WINDOWS_VAD_TREE_H

#include "windows/regions/vad.h"

/* What vad.c and vad_list.c share: one node of a tree and where it should be. */
enum { VAD_MAX_BYTES = 0x100 };

/* A descriptor's own bytes, with its pool header, read at once where they are all there. */
struct vad_bytes {
	struct object object; /* for what is not: field by field */
	size_t size;	      /* of the descriptor; 0: they are not */
	uint32_t header;      /* bytes before it */
	uint8_t bytes[VAD_MAX_BYTES + sizeof(uint64_t)];
};

struct vad_node {
	struct vad vad;
	struct vad_bytes bytes;
	uint64_t left, right;
	bool has_range; /* start and last are a range of user addresses */
};

/* Where a link leads and what the tree's order demands of what is there. */
struct vad_place {
	uint64_t node, parent;
	uint64_t low, high; /* addresses, inclusive; low > high: nothing fits */
};

/* Works out r->known and the links from r->fields as bound. */
void vad_reader_bind(struct vad_reader *r);
/* Root node (0: no regions) and what the root must name as its parent. */
MUST_CHECK bool vad_tree_root(const struct vad_reader *r, uint64_t eprocess, uint64_t *root_ret,
			      uint64_t *parent_ret, struct fault *fault);
/* Can a node be there at all? */
bool vad_is_pointer(uint64_t va);
/* Links, range, parent and tag. */
MUST_CHECK bool vad_read_node(const struct vad_reader *r, uint64_t va, struct vad_node *ret,
			      struct fault *fault);
/* The other fields of the descriptor itself. */
void vad_read_rest(struct vad_node *node);
bool vad_has_tag(const struct vad *vad);
bool vad_node_points_back(const struct vad_node *node, uint64_t parent);
bool vad_node_is_believed(const struct vad_node *node, const struct vad_place *place);
void vad_child_places(const struct vad_node *node, const struct vad_place *place,
		      struct vad_place *left_ret, struct vad_place *right_ret);

#endif
