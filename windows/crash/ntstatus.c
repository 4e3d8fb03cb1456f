/* SPDX-License-Identifier: MIT */
#include "windows/crash/ntstatus.h"

static const struct ntstatus_row {
	uint32_t status;
	const char *name;
} rows[] = {
#include "windows/crash/ntstatus_names.inc"
};

const char *ntstatus_name(uint32_t status)
{
	size_t low = 0, high = ARRAY_SIZE(rows);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows[middle].status == status)
			return rows[middle].name;
		if (rows[middle].status < status)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *ntstatus_name_64(uint64_t status)
{
	uint64_t high = status >> 32;

	if (high && !(high == UINT32_MAX && status >> 31 & 1))
		return NULL;
	return ntstatus_name((uint32_t)status);
}
