/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_LOCATE_H
#define WINDOWS_LOCATE_H

#include "formats/format.h"
#include "memory/space.h"
#include "windows/pe.h"

/*
 * Finding the kernel: strategies in order of cost, one small function each, in one table. Every
 * candidate (root, levels, base) is validated before it is used; `located_by` names the
 * strategy that won, the trail tells all the stories.
 */
struct location_cache;
struct locate_options {
	bool has_dtb, has_kernel_base;
	uint64_t dtb, kernel_base;
	bool quiet;	  /* no progress line in long scans */
	unsigned threads; /* for scans; 0 = all CPUs */
	/* What scans met is kept there (windows/locate/location_cache.h); NULL: it is not. */
	const struct location_cache *cache;
};

/* What was tried: one line each, in order; owned by the location's arena. */
struct locate_trail {
	const char *strategy;
	const char *text; /* "cr3 0x1ad000, lstar 0x...: no MZ page in 32 MiB below" */
	bool won;
};

struct kernel_location {
	struct arena arena;
	uint64_t root;	 /* DTB without flag bits; 0 on triage dumps that have no usable one */
	unsigned levels; /* 4 or 5 */
	uint64_t base;
	uint64_t size; /* SizeOfImage; 0 if unknown */
	bool has_pe;
	struct pe_image pe; /* valid if has_pe */
	bool has_codeview;
	struct codeview codeview;
	const char *located_by; /* strategy name */
	const char *how_sure;	/* what agreed: "MZ, PE, CodeView, self-map" */
	struct locate_trail *trail;
	size_t num_trail;
};

/*
 * Needs physical memory (not for triage dumps). On failure ERROR_NOT_FOUND whose message lists
 * what was tried, the best candidates and why each was rejected (several lines, each indented
 * after the first). Options that name a DTB or a base are validated, not believed.
 */
MUST_CHECK struct error *kernel_locate(const struct snapshot *snap,
				       const struct locate_options *options, struct diag *diag,
				       struct kernel_location *ret);
/* Scans down from address, page by page, up to 32 MiB, skipping absent pages, for an image that is
 * the kernel: its CodeView name begins with "ntkr" or "ntoskrnl" (ntfs.pdb is not enough), or,
 * where that is absent, its export name or sections say so. No underflow. */
bool find_kernel(struct space *s, uint64_t address, struct pe_image *pe_ret,
		 struct codeview *codeview_ret, bool *has_codeview);
void kernel_location_deinit(struct kernel_location *loc);
/* Strategy names in order, for help and README; NULL-terminated. */
extern const char *const locate_strategy_names[];

#endif
