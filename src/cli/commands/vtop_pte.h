/* SPDX-License-Identifier: MIT */
#ifndef CLI_VTOP_PTE_H
#define CLI_VTOP_PTE_H

#include "base/opt.h"
#include "cli/command.h"
#include "memory/space.h"

/*
 * Page-table entries as a kernel debugger shows them: at which virtual address each is, by the
 * entry of the top table that leads to the top table itself, and what it says.
 */
struct pte_view {
	unsigned levels;	     /* of the page tables; 0: there are none */
	struct opt_u64 self_index;   /* of that entry */
	const struct kernel *kernel; /* NULL: what is not present is not decoded */
};

enum { PTE_WORD_SIZE = 12, PTE_DETAIL_SIZE = 96 };

struct pte_text {
	struct opt_u64 entry_va, pfn;
	/* "C" copy on write, "G" global, "L" large, "D" dirty, "A" accessed, "N" not cached,
	 * "T" write through, "U" or "K" for user or kernel, "W" or "R", "E" executable,
	 * "V" valid; '-' where it is not so. Empty: the entry is not valid. */
	char word[PTE_WORD_SIZE];
	char detail[PTE_DETAIL_SIZE]; /* of an entry that is not valid; may be empty */
};

/* From the tables of the space, else from MmPteBase. */
void pte_view_init(struct command_run *run, struct space *s, struct pte_view *ret);
/* w->steps[step] */
void pte_view_step(const struct pte_view *view, const struct walk *w, unsigned step,
		   struct pte_text *ret);

#endif
