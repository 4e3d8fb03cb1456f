/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

/* Every command's row, one per cmd_<name>.c; commands.c lists them. */
extern const struct command cmd_cpus, cmd_info, cmd_modules, cmd_ps, cmd_read, cmd_symbols,
	cmd_symbols_add, cmd_type, cmd_vtop;

#endif
