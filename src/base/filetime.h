/* SPDX-License-Identifier: MIT */
#ifndef BASE_FILETIME_H
#define BASE_FILETIME_H

#include "base/compiler.h"

/* Windows FILETIME: 100 ns ticks since 1601-01-01 00:00:00 UTC. */
enum { FILETIME_TEXT_SIZE = 32, FILETIME_SECOND = 10000000 };
#define FILETIME_OF_1970 UINT64_C(116444736000000000)

/* "2024-05-01T10:20:30.1234567Z". False (and ret untouched) for 0 and for times past the year
 * 9999, which are not times. Proleptic Gregorian, no leap seconds. */
MUST_CHECK bool filetime_format(uint64_t filetime, char ret[FILETIME_TEXT_SIZE]);

#endif
