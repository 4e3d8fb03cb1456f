/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_ACCESS_MASK_H
#define WINDOWS_ACCESS_MASK_H

#include "base/arena.h"

/*
 * The rights of an access mask on an object of a type ("File"), by their names in the public
 * headers (winnt.h, wdm.h, winuser.h, evntrace.h), joined with '|': FILE_GENERIC_READ|DELETE. What
 * several rights together are called comes first; bits that have no name are one number at the end.
 * type NULL, or one whose rights are not public: just the standard rights have names. An empty mask
 * is "0". NULL: memory is out.
 */
MUST_CHECK const char *access_mask_text(struct arena *a, const char *type, uint32_t mask);

#endif
