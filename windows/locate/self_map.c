/* SPDX-License-Identifier: MIT */
#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "windows/locate/private.h"

/*
 * Windows maps its page tables through an entry of the top table that points to the table
 * itself, at an index that is random since Windows 10 1607. Each process' top table has it, a user
 * root of KVA shadow too, and tables of the dead that nobody has overwritten yet.
 */
enum { MAX_CANDIDATES = 256 };

static void find_self_map(struct scan_job *job, const void *arg, uint64_t pa,
			  const struct page_view *view)
{
	const uint64_t mask = PTE_PFN_MASK | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	const uint64_t want = pa | PTE_PRESENT | PTE_WRITE;

	(void)arg;
	if (view->begin != 0 || view->end != PAGE_SIZE)
		return;
	for (unsigned i = PAGE_SIZE / 2; i < PAGE_SIZE; i += 8)
		if ((load_u64(view->bytes + i) & mask) == want) {
			scan_add(job, pa, 0);
			return;
		}
}

/* The best so far; one with System's own root cannot be beaten. */
struct best {
	bool found;
	struct root root;
	struct outcome outcome;
	unsigned examined;
};

static bool is_certain(const struct best *best)
{
	return best->found && best->outcome.finding.evidence & 1 << EVIDENCE_SYSTEM;
}

static struct error *examine_hits(struct locator *l, const struct scan *scan, struct hints *hints,
				  struct best *best)
{
	for (size_t i = 0; i < scan->count; i++) {
		struct root root = { .what = "self-map", .levels = locator_levels(l) };
		struct outcome outcome;
		bool found;

		if (is_certain(best) || best->examined == MAX_CANDIDATES)
			break;
		best->examined++;
		root.pa = scan->hits[i].pa;
		struct error *err = locator_examine(l, &root, hints, true, &outcome, &found);

		if (err)
			return err;
		if (!found)
			continue;
		hints_add(hints, "kernel", outcome.finding.pe.base);
		if (best->found && __builtin_popcount(outcome.finding.evidence) <=
					   __builtin_popcount(best->outcome.finding.evidence))
			continue;
		best->found = true;
		best->root = root;
		best->outcome = outcome;
	}
	return NULL;
}

struct error *locate_by_self_map(struct locator *l)
{
	struct best best = { .found = false };
	struct hints hints;
	struct scan scan;
	struct error *err = locator_collect(l);

	if (err)
		return err;
	hints = l->hints;
	scan_begin(&scan, l, "looking for page tables", find_self_map, NULL);
	while (!err && !scan.end && !best.found && best.examined < MAX_CANDIDATES) {
		err = scan_step(&scan);
		if (!err)
			err = examine_hits(l, &scan, &hints, &best);
	}
	scan_end(&scan);
	if (err)
		return err;
	if (best.found)
		return locator_accept(l, &best.root, &best.outcome);
	return locator_note(l, GOT_NOTHING,
			    best.examined ? "%u pages with a self-referencing entry, none of which "
					    "maps a kernel%s"
					  : "%u pages with a self-referencing entry%s",
			    best.examined,
			    best.examined == MAX_CANDIDATES || scan.dropped ? " (limit reached)"
									    : "");
}
