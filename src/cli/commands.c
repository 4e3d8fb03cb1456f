/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <string.h>

/* In the order in which help lists them. */
const struct command *const commands[] = {
	&cmd_info, &cmd_ps, &cmd_modules, &cmd_cpus, &cmd_vtop, &cmd_read,
};
const size_t num_commands = ARRAY_SIZE(commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < num_commands; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

const struct command *command_suggest(const char *name)
{
	const struct command *best = NULL;
	unsigned best_distance = 0;

	for (size_t i = 0; i < num_commands; i++) {
		unsigned distance = edit_distance(name, commands[i]->name);

		if (!best || distance < best_distance) {
			best = commands[i];
			best_distance = distance;
		}
	}
	return best && edit_is_close(name, best_distance) ? best : NULL;
}
