/* SPDX-License-Identifier: MIT */
#ifndef CLI_CODE_CELLS_H
#define CLI_CODE_CELLS_H

#include "cli/command.h"
#include "windows/kernel_tables/code_names.h"

/* What tables of routines say of each: the columns of module (as it is listed), offset and symbol.
 */
#define CODE_MODULE_HELP                                                                        \
	"kernel module that it is in; \"unloaded NAME\": where that one was; \"driver "         \
	"\\Driver\\NAME\": in no listed module, but in that driver object's image; absent: in " \
	"none of these"
#define CODE_SYMBOL_HELP "what symbols or exports call that address"

struct code_cells {
	struct cell module, offset, symbol;
};

/* All absent where the code lies in nothing that is known. */
MUST_CHECK struct error *code_cells_of(struct command_run *run, const struct code_place *place,
				       struct code_cells *ret);
/* The same of an address, which may be absent. *place_ret may be NULL. prefer: see code_find(). */
MUST_CHECK struct error *code_cells_find(struct command_run *run, struct code_names *names,
					 struct opt_u64 va, const char *prefer,
					 struct code_place *place_ret, struct code_cells *ret);

#endif
