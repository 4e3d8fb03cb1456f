/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

/* Every command's row, one per cmd_<name>.c; commands.c lists them. */
extern const struct command cmd_analyze, cmd_cpus, cmd_disasm, cmd_gdt, cmd_idt, cmd_info,
	cmd_modules, cmd_pe, cmd_ps, cmd_read, cmd_registers, cmd_stack, cmd_symbols,
	cmd_symbols_add, cmd_type, cmd_vtop;

#endif
