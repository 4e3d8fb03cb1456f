/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROCESSORS_H
#define CLI_PROCESSORS_H

#include "cli/command.h"
#include "memory/registers.h"
#include "memory/space.h"

/*
 * The processors that a command is about: those that the kernel knows; where there is no kernel,
 * or it does not show them, those whose registers the snapshot's format holds.
 */
#define PROCESSOR_OPTION_ROW                                   \
	{                                                      \
		"cpu", 0, OPTION_U64, "N", "processor N alone" \
	}

struct processor {
	unsigned number;
	struct registers registers;
	uint32_t saved_groups; /* groups that came from the kernel's copy, see windows/kernel/cpu.h
				*/
	struct space *space;   /* borrowed from the list; NULL: it has none */
};

struct processor_list {
	struct processor *items; /* of the run's arena */
	size_t count;
	bool owns_spaces;
};

/* With --cpu: that processor, or NOT_FOUND. That a processor has no space is a note. */
MUST_CHECK struct error *processor_list_init(struct command_run *run, struct processor_list *ret);
void processor_list_deinit(struct processor_list *list);

#endif
