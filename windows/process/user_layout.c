/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "windows/process/user_process.h"

/*
 * What programs and their loader agree on does not change: these offsets are the same in all 64-bit
 * Windows since Vista, and serve where no symbols are at hand. A 64-bit kernel's symbols name the
 * 32-bit structures of a WoW64 process only in part, so that theirs always come from here. Source:
 * phnt's ntpebteb.h, ntldr.h and ntrtl.h (winsiderss/systeminformer) and the PDBs of 32-bit
 * Windows 7, 8.1 and 10. The loader's record grew in the middle when the dependency graph
 * (DdagNode) came with Windows 8.
 */
enum { NONE = 0xffff };

static const struct {
	uint16_t field;
	uint16_t size, offset; /* native; offset NONE: it depends on the build */
	uint16_t size32;
	uint16_t offset32[2]; /* without DdagNode, with it */
} rows[] = {
	{ USER_WOW64_PEB, 8, 0x00, 0, { NONE, NONE } },
	{ USER_PEB_BEING_DEBUGGED, 1, 0x02, 1, { 0x02, 0x02 } },
	{ USER_PEB_IMAGE_BASE, 8, 0x10, 4, { 0x08, 0x08 } },
	{ USER_PEB_LDR, 8, 0x18, 4, { 0x0c, 0x0c } },
	{ USER_PEB_PARAMETERS, 8, 0x20, 4, { 0x10, 0x10 } },
	{ USER_LDR_LOAD_LIST, 16, 0x10, 8, { 0x0c, 0x0c } },
	{ USER_LDR_MEMORY_LIST, 16, 0x20, 8, { 0x14, 0x14 } },
	{ USER_LDR_INIT_LIST, 16, 0x30, 8, { 0x1c, 0x1c } },
	{ USER_MODULE_LOAD_LINKS, 16, 0x00, 8, { 0x00, 0x00 } },
	{ USER_MODULE_MEMORY_LINKS, 16, 0x10, 8, { 0x08, 0x08 } },
	{ USER_MODULE_INIT_LINKS, 16, 0x20, 8, { 0x10, 0x10 } },
	{ USER_MODULE_BASE, 8, 0x30, 4, { 0x18, 0x18 } },
	{ USER_MODULE_ENTRY_POINT, 8, 0x38, 4, { 0x1c, 0x1c } },
	{ USER_MODULE_SIZE, 4, 0x40, 4, { 0x20, 0x20 } },
	{ USER_MODULE_PATH, 16, 0x48, 8, { 0x24, 0x24 } },
	{ USER_MODULE_NAME, 16, 0x58, 8, { 0x2c, 0x2c } },
	{ USER_MODULE_LOAD_COUNT, 2, NONE, 2, { 0x38, NONE } },
	{ USER_MODULE_TIME_DATE_STAMP, 4, 0x80, 4, { 0x44, 0x44 } },
	{ USER_MODULE_DDAG_NODE, 8, NONE, 4, { NONE, 0x50 } },
	{ USER_MODULE_LOAD_TIME, 8, NONE, 8, { 0x70, 0x88 } },
	{ USER_MODULE_LOAD_REASON, 4, NONE, 4, { NONE, 0x94 } },
	{ USER_DDAG_LOAD_COUNT, 4, NONE, 4, { NONE, 0x0c } },
	{ USER_PARAMETERS_FLAGS, 4, 0x08, 4, { 0x08, 0x08 } },
	{ USER_CURRENT_DIRECTORY, 16, 0x38, 8, { 0x24, 0x24 } },
	{ USER_DLL_PATH, 16, 0x50, 8, { 0x30, 0x30 } },
	{ USER_IMAGE_PATH, 16, 0x60, 8, { 0x38, 0x38 } },
	{ USER_COMMAND_LINE, 16, 0x70, 8, { 0x40, 0x40 } },
	{ USER_ENVIRONMENT, 8, 0x80, 4, { 0x48, 0x48 } },
	{ USER_WINDOW_TITLE, 16, 0xb0, 8, { 0x70, 0x70 } },
	{ USER_DESKTOP, 16, 0xc0, 8, { 0x78, 0x78 } },
	{ USER_SHELL_INFO, 16, 0xd0, 8, { 0x80, 0x80 } },
	{ USER_ENVIRONMENT_SIZE, 8, 0x3f0, 4, { 0x290, 0x290 } },
};

static struct field field_at(uint16_t offset, uint16_t size)
{
	if (offset == NONE)
		return (struct field){ 0 };
	return (struct field){ .offset = offset, .size = size, .present = true };
}

static void fill_wow64(const struct field *native, struct field *ret)
{
	/* both kinds of record have a LoadTime: without one, its kind is not known */
	bool has_kind = native[USER_MODULE_LOAD_TIME].present;
	bool has_graph = native[USER_MODULE_DDAG_NODE].present;

	memset(ret, 0, user_num_fields * sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (has_kind || rows[i].offset32[0] == rows[i].offset32[1])
			ret[rows[i].field] = field_at(rows[i].offset32[has_graph], rows[i].size32);
	}
}

void user_layout_complete(struct field *native, struct field *wow64_ret)
{
	fill_wow64(native, wow64_ret);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!native[rows[i].field].present)
			native[rows[i].field] = field_at(rows[i].offset, rows[i].size);
	}
}
