/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SHARED_DATA_H
#define WINDOWS_SHARED_DATA_H

#include "memory/space.h"

/*
 * KUSER_SHARED_DATA, the page that the kernel shows to every process. Its layout is part of the
 * user-mode ABI (ntddk.h): the members below have been where they are since Windows 2000, but
 * for NtBuildNumber, which Windows 10 added in a reserved field (zero before).
 */
#define KUSER_SHARED_DATA_VA UINT64_C(0xfffff78000000000)

struct shared_data {
	uint64_t system_time;	 /* FILETIME of the last clock tick; 0: torn */
	uint64_t interrupt_time; /* 100 ns since boot; 0: torn */
	uint32_t build;		 /* 0: not told */
	uint32_t major, minor;
	uint32_t product_type; /* NtProductType, VER_NT_*; 0: not valid */
	uint32_t suite_mask;   /* VER_SUITE_* */
};

/* False when the page is absent or does not look like it (no known major version). */
bool shared_data_read(struct space *s, struct shared_data *ret);

#endif
