/* SPDX-License-Identifier: MIT */
#include "cli/commands/user_processes.h"

enum {
	ENVARS_PID,
	ENVARS_PROCESS_NAME,
	ENVARS_NAME,
	ENVARS_VALUE,
	ENVARS_WOW64,
	ENVARS_ADDRESS,
	ENVARS_NUM_COLUMNS
};

static const struct column envars_columns[ENVARS_NUM_COLUMNS] = {
	[ENVARS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[ENVARS_PROCESS_NAME] = { "process_name", "PROCESS", CELL_STR, 15, 0,
				  "image name of the process" },
	[ENVARS_NAME] = { "name", "NAME", CELL_STR, 24, 0,
			  "name of the variable; \"=C:\" holds the current directory of a drive" },
	[ENVARS_VALUE] = { "value", "VALUE", CELL_STR, 0, 0, "its value" },
	[ENVARS_WOW64] = { "wow64", "WOW64", CELL_BOOL, 5, COL_HIDDEN,
			   "of the 32-bit environment of a WoW64 process" },
	[ENVARS_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 14, COL_HIDDEN,
			     "where the variable lies in the process" },
};

static const struct option_row envars_options[] = {
	PROCESS_OPTION_ROWS,
	{ "native", 0, OPTION_FLAG, NULL,
	  "of WoW64 processes the native environment, not the 32-bit one" },
};

static struct error *envars_row(struct command_run *run, const struct process_visit *visit,
				enum user_view view, const struct user_variable *v)
{
	const struct cell cells[ENVARS_NUM_COLUMNS] = {
		[ENVARS_PID] = cell_opt(visit->process->pid),
		[ENVARS_PROCESS_NAME] = cell_str(visit->process->name),
		[ENVARS_NAME] = cell_str(v->name),
		[ENVARS_VALUE] = cell_str(v->value),
		[ENVARS_WOW64] = cell_bool(view == USER_WOW64),
		[ENVARS_ADDRESS] = cell_addr(v->va),
	};

	return sink_row(run->sink, cells, 0);
}

static struct error *envars_process(struct command_run *run, const struct process_visit *visit,
				    const struct user_process *user)
{
	enum user_view view = user_process_own_view(user);
	struct user_environment environment;
	struct error *err;

	if (option_flag(run->options, "native"))
		view = USER_NATIVE;
	err = user_environment_read(user, view, visit->arena, &environment);
	if (err)
		return err;
	for (size_t i = 0; i < environment.count && !err && !sink_full(run->sink); i++)
		err = envars_row(run, visit, view, &environment.items[i]);
	return err;
}

static struct error *envars_run(struct command_run *run)
{
	return each_user_process(run, envars_process);
}

const struct command cmd_envars = {
	.name = "envars",
	.summary = "list the environment variables of each process",
	.description =
		"Reads the environment block that the process's parameters name, in the order in "
		"which the variables stand there; of a WoW64 process the block that its 32-bit "
		"code uses. The block is in the process's own pages: it holds what the process "
		"has now, not what it was started with, and the process can write anything into "
		"it. Variables in pages that are absent are left out, and standard error says so.",
	.example = "ntscope envars --pid 4242 memory.dmp",
	.options = envars_options,
	.num_options = ARRAY_SIZE(envars_options),
	.columns = envars_columns,
	.num_columns = ENVARS_NUM_COLUMNS,
	.key_columns = "pid,name,wow64",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = envars_run,
};
