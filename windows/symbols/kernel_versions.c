/* SPDX-License-Identifier: MIT */
#include "windows/symbols/kernel_versions.h"

#include <stdlib.h>

#include "memory/physmem.h"

enum { MAJOR = 10 };

/* Generated: kernel_rows[], sorted by time stamp and pages, no two alike. */
#include "windows/symbols/kernel_versions.inc"

static int compare_rows(const void *a, const void *b)
{
	const struct kernel_version_row *x = a, *y = b;

	if (x->time_date_stamp != y->time_date_stamp)
		return x->time_date_stamp < y->time_date_stamp ? -1 : 1;
	return (x->pages > y->pages) - (x->pages < y->pages);
}

bool kernel_version_find(uint32_t time_date_stamp, uint32_t size_of_image,
			 struct kernel_version *ret)
{
	struct kernel_version_row key = { .time_date_stamp = time_date_stamp };
	const struct kernel_version_row *row;

	if (size_of_image % PAGE_SIZE || size_of_image >> PAGE_SHIFT > UINT16_MAX)
		return false;
	key.pages = (uint16_t)(size_of_image >> PAGE_SHIFT);
	row = bsearch(&key, kernel_rows, ARRAY_SIZE(kernel_rows), sizeof(key), compare_rows);
	if (!row)
		return false;
	*ret = (struct kernel_version){
		.major = MAJOR,
		.build = row->build,
		.revision = row->revision,
		.la57 = row->la57,
	};
	return true;
}

size_t kernel_versions_count(void)
{
	return ARRAY_SIZE(kernel_rows);
}

const struct kernel_version_row *kernel_versions_at(size_t index)
{
	return &kernel_rows[index];
}
