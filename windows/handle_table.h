/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_HANDLE_TABLE_H
#define WINDOWS_HANDLE_TABLE_H

#include "windows/object.h"

/*
 * Handle tables: a tree of pages, TableCode's low two bits say how many levels of pointer pages
 * stand above the pages of entries (Windows Internals, "Handles and the process handle table").
 */
#define HANDLE_FIELDS(F)                                                    \
	F(HANDLE, TABLE_CODE, "_HANDLE_TABLE", "TableCode", OPTIONAL)       \
	F(HANDLE, NEXT, "_HANDLE_TABLE", "NextHandleNeedingPool", OPTIONAL) \
	F(HANDLE, OBJECT, "_HANDLE_TABLE_ENTRY", "ObjectPointerBits|Object", OPTIONAL)
DECLARE_FIELDS(handle, HANDLE_FIELDS);

/*
 * Counts the entries in use of the table at va. False when the build's layout is unknown or a
 * page of the table is absent (then *fault says which): a count of what is left would be wrong.
 * fields: bound handle_field_rows; entry_size: size of _HANDLE_TABLE_ENTRY.
 */
bool handle_table_count(struct space *s, uint64_t va, const struct field *fields,
			uint32_t entry_size, uint64_t *ret, struct fault *fault);

#endif
