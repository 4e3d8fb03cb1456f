/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_NTSTATUS_H
#define WINDOWS_NTSTATUS_H

#include "base/compiler.h"

/* The name of an NTSTATUS, "STATUS_ACCESS_VIOLATION"; NULL: none is known. Static. */
const char *ntstatus_name(uint32_t status);
/* The same of a status as bug checks carry it in 64 bits: sign-extended, or with high bits 0. */
const char *ntstatus_name_64(uint64_t status);

#endif
