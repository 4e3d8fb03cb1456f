/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

/* Every command's row, one per commands/cmd_<name>.c; commands.c lists them. */
extern const struct command cmd_analyze, cmd_batch, cmd_bigpools, cmd_callbacks, cmd_completion,
	cmd_convert, cmd_cpus, cmd_devices, cmd_disasm, cmd_dlls, cmd_drivers, cmd_dump, cmd_envars,
	cmd_files, cmd_formats, cmd_gdt, cmd_handles, cmd_idt, cmd_info, cmd_maps, cmd_modules,
	cmd_objects, cmd_params, cmd_pe, cmd_pooltags, cmd_ps, cmd_read, cmd_record, cmd_registers,
	cmd_registry_get, cmd_registry_hives, cmd_registry_keys, cmd_registry_values, cmd_report,
	cmd_sections, cmd_sessions, cmd_ssdt, cmd_stack, cmd_symbols, cmd_symbols_add, cmd_threads,
	cmd_timeline, cmd_timers, cmd_tokens, cmd_type, cmd_vads, cmd_verify, cmd_vtop;

/* Commands by what they are about: a topic goes on up to the first command of the next. */
struct command_topic {
	const char *title;
	const struct command *first;
};
/* The topic that begins with this command; NULL: none does. */
const char *command_topic_title(const struct command *command);

#endif
