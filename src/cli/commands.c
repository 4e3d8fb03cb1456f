/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <string.h>

#include "base/nearest.h"

/* In the order in which help lists them. */
const struct command *const commands[] = {
	&cmd_info,
	&cmd_analyze,
	&cmd_timeline,
	&cmd_record,
	&cmd_verify,
	&cmd_report,
	&cmd_formats,
	&cmd_batch,
	&cmd_ps,
	&cmd_threads,
	&cmd_params,
	&cmd_dlls,
	&cmd_envars,
	&cmd_tokens,
	&cmd_handles,
	&cmd_vads,
	&cmd_maps,
	&cmd_objects,
	&cmd_files,
	&cmd_sections,
	&cmd_registry_hives,
	&cmd_registry_keys,
	&cmd_registry_values,
	&cmd_registry_get,
	&cmd_modules,
	&cmd_drivers,
	&cmd_devices,
	&cmd_ssdt,
	&cmd_callbacks,
	&cmd_timers,
	&cmd_bigpools,
	&cmd_pooltags,
	&cmd_sessions,
	&cmd_cpus,
	&cmd_stack,
	&cmd_registers,
	&cmd_idt,
	&cmd_gdt,
	&cmd_vtop,
	&cmd_read,
	&cmd_disasm,
	&cmd_pe,
	&cmd_dump,
	&cmd_convert,
	&cmd_type,
	&cmd_symbols,
	&cmd_symbols_add,
	&cmd_completion,
};
const size_t num_commands = ARRAY_SIZE(commands);

static const struct command_topic topics[] = {
	{ "the snapshot", &cmd_info },	       { "processes and threads", &cmd_ps },
	{ "objects and files", &cmd_objects }, { "the registry", &cmd_registry_hives },
	{ "the kernel", &cmd_modules },	       { "processors and stacks", &cmd_cpus },
	{ "memory and symbols", &cmd_vtop },   { "the program", &cmd_completion },
};

const char *command_topic_title(const struct command *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
		if (topics[i].first == command)
			return topics[i].title;
	}
	return NULL;
}

/* How many of the words are the name; 0: others. */
static size_t match_words(const char *name, const char *const *words, size_t count)
{
	size_t len = strcspn(name, " "), used = 0;

	while (used < count && strlen(words[used]) == len && memcmp(words[used], name, len) == 0) {
		used++;
		name += len;
		if (*name == '\0')
			return used;
		name++;
		len = strcspn(name, " ");
	}
	return 0;
}

const struct command *command_find(const char *const *words, size_t count, size_t *used_ret)
{
	const struct command *found = NULL;

	*used_ret = 0;
	for (size_t i = 0; i < num_commands; i++) {
		size_t used = match_words(commands[i]->name, words, count);

		if (used > *used_ret) {
			*used_ret = used;
			found = commands[i];
		}
	}
	return found;
}

bool command_writes_files(const struct command *command)
{
	for (size_t i = 0; i < command->num_options; i++) {
		if (strcmp(command->options[i].name, "output") == 0)
			return true;
	}
	return false;
}

bool command_runs_with_others(const struct command *command)
{
	const unsigned runs_alone =
		COMMAND_NO_SNAPSHOT | COMMAND_RAW_OUTPUT | COMMAND_RUNS_COMMANDS;

	return !(command->flags & runs_alone) && !command->min_args &&
	       !command_writes_files(command);
}

const struct command *command_suggest(const char *name)
{
	struct nearest nearest = { .asked = name };
	const char *best;

	for (size_t i = 0; i < num_commands; i++) {
		if (strncmp(name, commands[i]->name, strlen(name)) == 0 &&
		    commands[i]->name[strlen(name)] == ' ')
			return commands[i];
	}
	for (size_t i = 0; i < num_commands; i++)
		nearest_offer(&nearest, commands[i]->name);
	best = nearest_best(&nearest);
	for (size_t i = 0; best && i < num_commands; i++) {
		if (commands[i]->name == best)
			return commands[i];
	}
	return NULL;
}
