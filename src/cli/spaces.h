/* SPDX-License-Identifier: MIT */
#ifndef CLI_SPACES_H
#define CLI_SPACES_H

#include "cli/command.h"
#include "memory/space.h"

/*
 * Which address space a command means, by its options: --physical, --pid, --dtb, --cpu; else the
 * kernel's own; else, where no Windows kernel is found, that of processor 0.
 */

/* Option rows of every command that takes addresses. --pid and --dtb are common. */
#define SPACE_OPTION_ROWS                                                                      \
	{ "cpu", 0, OPTION_U64, "N", "the address space that processor N was in (its CR3)" },  \
	{                                                                                      \
		"levels", 0, OPTION_U64, "4|5",                                                \
			"levels of the page tables (default: by the kernel or by CR4, else 4)" \
	}

struct chosen_space {
	struct space *space;
	bool owned;
};

MUST_CHECK struct error *chosen_space_init(struct command_run *run, struct chosen_space *ret);
void chosen_space_deinit(struct chosen_space *s);
/* Levels of the page tables by CR4.LA57; false where CR4 is not known. */
bool registers_levels(const struct registers *regs, unsigned *ret);
/* For struct command: with --physical or --cpu no kernel is asked for. */
bool space_without_kernel(const struct option_values *options);

#endif
