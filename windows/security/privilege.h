/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PRIVILEGE_H
#define WINDOWS_PRIVILEGE_H

#include "base/compiler.h"

/* Privileges are numbers of 1 to 63: bits of a token's masks, low parts of LUIDs. */
enum { MAX_PRIVILEGE = 63 };
/* "SeDebugPrivilege"; NULL: no public one has this number. */
const char *privilege_name(unsigned number);

#endif
