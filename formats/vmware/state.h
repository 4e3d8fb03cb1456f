/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_VMWARE_STATE_H
#define FORMATS_VMWARE_STATE_H

#include "base/diag.h"
#include "formats/file_reader.h"

/*
 * VMware's snapshot state, .vmss and .vmsn (layout: crash's vmware_vmss.c and .h, by VMware;
 * volatility's vmware.py): a magic number, a version, a table of named groups, and in each group
 * tags up to an empty one. A tag has a name, up to three indices ("CR64" of processor 0, register
 * 3) and a value, or a block with sizes of its own and padding before it. All little-endian.
 */
enum {
	STATE_MAGIC_SIZE = 4,
	STATE_NAME_SIZE = 256,
	STATE_MAX_INDICES = 3,
};

struct state_tag {
	char name[STATE_NAME_SIZE];
	size_t num_indices;
	uint32_t indices[STATE_MAX_INDICES];
	uint64_t offset, size; /* of the value in the file; nobody says that it is there */
	bool is_block, is_compressed;
};

bool state_is_magic(const uint8_t bytes[STATE_MAGIC_SIZE]);

/* Calls visit for each tag of the first group of that name; what it returns ends the walk.
 * *found_ret: whether there is one. Errors: CORRUPT, LIMIT, UNSUPPORTED (no magic of these). */
MUST_CHECK struct error *state_walk(const struct file *file, const char *group,
				    struct error *(*visit)(void *arg, const struct state_tag *tag),
				    void *arg, bool *found_ret);
/* The tag's value of 1 to 8 bytes, little-endian, at `at` in it; false where it has none. */
MUST_CHECK bool state_value(const struct file *file, const struct state_tag *tag, uint64_t at,
			    size_t size, uint64_t *ret);

#endif
