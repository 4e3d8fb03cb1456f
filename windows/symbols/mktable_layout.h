/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_MKTABLE_LAYOUT_H
#define WINDOWS_MKTABLE_LAYOUT_H

#include "windows/profile.h"

/*
 * Layouts of builds that have no symbol file, as text (windows/symbols/layouts/NAME.layout):
 *
 *	# comment; the first ones name the source: repository, commit, file
 *	layout BUILD[.REVISION] [la57] [like BUILD]
 *	type NAME SIZE
 *	PATH OFFSET SIZE [POSITION:WIDTH] [derived]
 *
 * A file is for each of its `layout` lines: a build and the revision of the kernel that was read
 * (0: the source does not state it), or with la57 the kernel for five-level paging. `like` takes
 * from another build whatever type the file does not give, and its revision if none is stated. A
 * field belongs to the type above it; sizes and offsets are bytes, 0x hexadecimal or decimal;
 * POSITION and WIDTH are bits in a number of SIZE bytes. `derived` marks what no source shows but
 * follows from what sources show. A field that is not listed is absent.
 */
enum {
	LAYOUT_MAX_TEXT = 1 << 20, /* bytes of a file */
	LAYOUT_MAX_FIELDS = 1 << 14,
	LAYOUT_MAX_TARGETS = 64,
};

struct layout_target {
	unsigned build, revision, like; /* like 0: none */
	bool has_revision, la57;
};

struct layout_field {
	const char *type, *path; /* path "": the type, its size in field.size */
	struct field field;
	bool derived;
};

struct layout_file {
	struct profile_source source; /* type_size and field; its destroy() frees the file */
	struct arena arena;
	struct layout_target targets[LAYOUT_MAX_TARGETS];
	struct layout_field *fields; /* sorted by type and path */
	size_t num_targets, num_fields;
};

/* text is not needed afterwards; name is for messages ("NAME:LINE: ..."). CORRUPT, LIMIT. */
MUST_CHECK struct error *layout_parse(const char *text, size_t len, const char *name,
				      struct layout_file **ret);
MUST_CHECK struct error *layout_open(const char *path, struct layout_file **ret);

#endif
