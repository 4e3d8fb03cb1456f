/* SPDX-License-Identifier: MIT */
#include "arch/amd64/paging.h"
#include "windows/locate/private.h"

/* --dtb: that root and no other. What else is known only helps to find the image under it;
 * --kernel-base alone is a condition that locator_examine() puts on every strategy. */
struct error *locate_by_options(struct locator *l)
{
	struct root root = { .what = "--dtb", .pa = dtb_to_root(l->options->dtb) };
	struct hints hints;
	uint64_t pa, cr3, entry;
	struct error *err = locator_collect(l);

	if (err)
		return err;
	if (!l->options->has_dtb)
		return locator_note(l, GOT_NOTHING, "no --dtb given");
	root.levels = locator_levels(l);
	hints = l->hints;
	if (low_stub_find(l->mem, &pa, &cr3, &entry))
		hints_add(&hints, "start block entry", entry);
	return locator_try(l, &root, &hints, true);
}
