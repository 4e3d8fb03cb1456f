/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PLAUSIBLE_H
#define WINDOWS_PLAUSIBLE_H

#include "windows/object.h"

/* Could these bytes be what a field of a live or freed kernel object holds? For scans, which meet
 * anything. Fields that the build lacks are plausible, absent bytes are not. */

/* A FILETIME of the years 1995 to 2155, or none (0). */
bool plausible_time(struct object *o, unsigned field);
/* A LIST_ENTRY: two 8-aligned kernel addresses. */
bool plausible_list(struct object *o, unsigned field);
/* The same, or both 0: who takes an object out of its list may wipe its links as well. */
bool plausible_links(struct object *o, unsigned field);
/* An 8-aligned kernel address, or none (0). */
bool plausible_pointer(struct object *o, unsigned field);
/* A process or thread id: a nonzero value of a handle in one table (the two never differ in kind).
 */
bool plausible_id(struct object *o, unsigned field);

#endif
