/* SPDX-License-Identifier: MIT */
#ifndef MEMORY_LAYOUTS_H
#define MEMORY_LAYOUTS_H

#include <string.h>

#include "windows/regions/file_cache.h"
#include "windows/regions/section.h"
#include "windows/regions/vad_tree.h"

/* Layouts of the memory manager's structures, as the public PDBs have them, for trials without a
 * profile. */

/* As in 10: the root is a pointer at 8; left 0, right 8, parent 0x10; pages from 0x18. */
static const struct field vad_fields_10[vad_num_fields] = {
	[VAD_ROOT] = { 8, 8, 0, 0, true },
	[VAD_COUNT] = { 0x10, 8, 0, 0, true },
	[VAD_TREE_ROOT] = { 0, 8, 0, 0, true },
	[VAD_NODE] = { 0, 24, 0, 0, true },
	[VAD_NODE_LEFT] = { 0, 8, 0, 0, true },
	[VAD_NODE_RIGHT] = { 8, 8, 0, 0, true },
	[VAD_NODE_PARENT] = { 16, 8, 0, 0, true },
	[VAD_START] = { 0x18, 4, 0, 0, true },
	[VAD_END] = { 0x1c, 4, 0, 0, true },
	[VAD_START_HIGH] = { 0x20, 1, 0, 0, true },
	[VAD_END_HIGH] = { 0x21, 1, 0, 0, true },
	[VAD_COMMIT_HIGH] = { 0x22, 1, 0, 0, true },
	[VAD_TYPE] = { 0x30, 4, 4, 3, true },
	[VAD_PROTECTION] = { 0x30, 4, 7, 5, true },
	[VAD_PRIVATE] = { 0x30, 4, 20, 1, true },
	[VAD_COMMIT] = { 0x34, 4, 0, 31, true },
	[VAD_MEM_COMMIT] = { 0x34, 4, 31, 1, true },
	[VAD_SUBSECTION] = { 0x48, 8, 0, 0, true },
	[VAD_FIRST_PTE] = { 0x50, 8, 0, 0, true },
	[VAD_LAST_PTE] = { 0x58, 8, 0, 0, true },
	[VAD_SUBSECTION_AREA] = { 0, 8, 0, 0, true },
	[VAD_AREA_FILE] = { 0x40, 8, 0, 0, true },
	[VAD_POOL_TAG] = { 4, 4, 0, 0, true },
};

/* As in 7: a table with a node of its own at 8; parent 0, left 8, right 0x10. */
static const struct field vad_fields_7[vad_num_fields] = {
	[VAD_ROOT] = { 8, 64, 0, 0, true },	     [VAD_TREE_ROOT] = { 0, 8, 0, 0, true },
	[VAD_TABLE_NODE] = { 0, 40, 0, 0, true },    [VAD_TABLE_LEFT] = { 8, 8, 0, 0, true },
	[VAD_TABLE_RIGHT] = { 16, 8, 0, 0, true },   [VAD_TABLE_COUNT] = { 40, 8, 8, 56, true },
	[VAD_PARENT] = { 0, 8, 0, 0, true },	     [VAD_LEFT] = { 8, 8, 0, 0, true },
	[VAD_RIGHT] = { 16, 8, 0, 0, true },	     [VAD_START] = { 0x18, 8, 0, 0, true },
	[VAD_END] = { 0x20, 8, 0, 0, true },	     [VAD_TYPE] = { 0x28, 8, 52, 3, true },
	[VAD_PROTECTION] = { 0x28, 8, 56, 5, true }, [VAD_PRIVATE] = { 0x28, 8, 63, 1, true },
	[VAD_COMMIT] = { 0x28, 8, 0, 51, true },     [VAD_POOL_TAG] = { 4, 4, 0, 0, true },
};

/* As in 8: the table of 7, whose nodes are a member of the descriptor; no parent is known. */
static const struct field vad_fields_8[vad_num_fields] = {
	[VAD_ROOT] = { 8, 48, 0, 0, true },	    [VAD_TABLE_NODE] = { 0, 24, 0, 0, true },
	[VAD_TABLE_LEFT] = { 8, 8, 0, 0, true },    [VAD_TABLE_RIGHT] = { 16, 8, 0, 0, true },
	[VAD_TABLE_COUNT] = { 24, 8, 8, 56, true }, [VAD_NODE] = { 0, 24, 0, 0, true },
	[VAD_START] = { 0x18, 4, 0, 0, true },	    [VAD_END] = { 0x1c, 4, 0, 0, true },
	[VAD_PRIVATE] = { 0x28, 4, 15, 1, true },   [VAD_POOL_TAG] = { 4, 4, 0, 0, true },
};

enum vad_shape { SHAPE_7, SHAPE_8, SHAPE_10, NUM_SHAPES };
enum { FAKE_POOL_HEADER = 16, FAKE_AREA_SIZE = 0x80 };

static const struct field *const vad_shape_fields[NUM_SHAPES] = { vad_fields_7, vad_fields_8,
								  vad_fields_10 };

static inline void fake_vad_reader(struct vad_reader *ret, enum vad_shape shape, struct space *s)
{
	*ret = (struct vad_reader){ .space = s, .pool_header_size = FAKE_POOL_HEADER };
	memcpy(ret->fields, vad_shape_fields[shape], sizeof(ret->fields));
	vad_reader_bind(ret);
}

static const struct field section_fields[section_num_fields] = {
	[SECTION_AREA] = { 0x28, 8, 0, 0, true },
	[SECTION_SEGMENT] = { 0x28, 8, 0, 0, true },
	[SECTION_SEGMENT_AREA] = { 0, 8, 0, 0, true },
	[SECTION_SEGMENT_PTES] = { 8, 4, 0, 0, true },
	[SECTION_SEGMENT_SIZE] = { 0x18, 8, 0, 0, true },
	[SECTION_SEGMENT_FIRST_PTE] = { 0x40, 8, 0, 0, true },
	[SECTION_AREA_SEGMENT] = { 0, 8, 0, 0, true },
	[SECTION_AREA_IS_IMAGE] = { 0x38, 4, 5, 1, true },
	[SECTION_AREA_IS_FILE] = { 0x38, 4, 7, 1, true },
	[SECTION_AREA_FILE] = { 0x40, 8, 0, 0, true },
	[SECTION_AREA_VIEWS] = { 0x28, 8, 0, 0, true },
	[SECTION_AREA_REFERENCES] = { 0x18, 8, 0, 0, true },
	[SECTION_PART_AREA] = { 0, 8, 0, 0, true },
	[SECTION_PART_BASE] = { 8, 8, 0, 0, true },
	[SECTION_PART_NEXT] = { 0x10, 8, 0, 0, true },
	[SECTION_PART_PTES] = { 0x2c, 4, 0, 0, true },
	[SECTION_PART_SECTOR] = { 0x24, 4, 0, 0, true },
	[SECTION_PART_SECTORS] = { 0x28, 4, 0, 0, true },
	[SECTION_PART_SECTOR_HIGH] = { 0x20, 2, 6, 10, true },
	[SECTION_PART_END] = { 0x22, 2, 4, 12, true },
};

static const struct field cache_fields[file_cache_num_fields] = {
	[FILE_CACHE_FILE_SIZE] = { 8, 8, 0, 0, true },
	[FILE_CACHE_SECTION_SIZE] = { 0x20, 8, 0, 0, true },
	[FILE_CACHE_VALID_LENGTH] = { 0x28, 8, 0, 0, true },
	[FILE_CACHE_VACBS] = { 0x58, 8, 0, 0, true },
	[FILE_CACHE_VIEW_BASE] = { 0, 8, 0, 0, true },
	[FILE_CACHE_VIEW_MAP] = { 8, 8, 0, 0, true },
	[FILE_CACHE_VIEW_OFFSET] = { 0x10, 8, 0, 0, true },
};

#endif
