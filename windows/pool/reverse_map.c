/* SPDX-License-Identifier: MIT */
#include "windows/pool/reverse_map.h"
#include "windows/kernel/kernel_address.h"

#include <inttypes.h>

enum { MAX_RANGES = 1 << 24 }; /* stretches of the kernel's half: 64 GiB of scattered pages */

/* With five levels the kernel's half begins lower; holes cost nothing. */

/* The first page at or after pa. */
static size_t lower_bound(const struct mapped_page *pages, size_t count, uint64_t pa)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pages[middle].pa < pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The bytes at pa that the range maps once. A range that repeats a table maps nothing that was
 * not listed before. */
static uint64_t mapped_length(const struct va_range *range)
{
	if (!range->has_pa)
		return 0;
	if (!range->repeat)
		return range->last - range->start + 1;
	return range->repeat == range->page_size ? range->page_size : 0;
}

void reverse_map_pages(struct kernel *k, struct mapped_page *pages, size_t count)
{
	uint64_t va = KERNEL_HALF;
	size_t left = count, ranges = 0;
	struct va_range range;

	for (; left && space_next(k->space, va, &range); va = range.last + 1) {
		uint64_t length = mapped_length(&range);
		size_t i = length ? lower_bound(pages, count, range.pa) : count;

		for (; i < count && pages[i].pa - range.pa < length; i++) {
			if (pages[i].va.present)
				continue;
			pages[i].va = opt_u64(range.start + (pages[i].pa - range.pa));
			left--;
		}
		if (++ranges == MAX_RANGES) {
			diag_partial(k->diag,
				     "kernel page tables: %d ranges, the rest from 0x%" PRIx64
				     " on is left out",
				     MAX_RANGES, range.last);
			return;
		}
		if (range.last == UINT64_MAX)
			return;
	}
}
