/* SPDX-License-Identifier: MIT */
#include "cli/commands/user_processes.h"

enum {
	PARAMS_PID,
	PARAMS_NAME,
	PARAMS_WOW64,
	PARAMS_COMMAND_LINE,
	PARAMS_CURRENT_DIRECTORY,
	PARAMS_IMAGE_PATH,
	PARAMS_WINDOW_TITLE,
	PARAMS_DLL_PATH,
	PARAMS_DESKTOP,
	PARAMS_SHELL_INFO,
	PARAMS_IMAGE_BASE,
	PARAMS_BEING_DEBUGGED,
	PARAMS_FLAGS,
	PARAMS_PEB,
	PARAMS_PARAMETERS,
	PARAMS_ENVIRONMENT,
	PARAMS_ENVIRONMENT_SIZE,
	PARAMS_NUM_COLUMNS
};

static const struct column params_columns[PARAMS_NUM_COLUMNS] = {
	[PARAMS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[PARAMS_NAME] = { "name", "NAME", CELL_STR, 15, 0,
			  "image name as the kernel keeps it (at most 15 characters)" },
	[PARAMS_WOW64] = { "wow64", "WOW64", CELL_BOOL, 5, COL_MINOR,
			   "the 32-bit parameters of a WoW64 process" },
	[PARAMS_COMMAND_LINE] = { "command_line", "COMMAND LINE", CELL_STR, 50, 0, "command line" },
	[PARAMS_CURRENT_DIRECTORY] = { "current_directory", "CURRENT DIRECTORY", CELL_STR, 0, 0,
				       "current directory" },
	[PARAMS_IMAGE_PATH] = { "image_path", "IMAGE PATH", CELL_STR, 40, COL_HIDDEN,
				"path of the program as its loader was told" },
	[PARAMS_WINDOW_TITLE] = { "window_title", "WINDOW TITLE", CELL_STR, 24, COL_HIDDEN,
				  "title that its first window was to get; often the shortcut "
				  "that started it" },
	[PARAMS_DLL_PATH] = { "dll_path", "DLL PATH", CELL_STR, 24, COL_HIDDEN,
			      "where DLLs were to be searched; empty since Windows 8" },
	[PARAMS_DESKTOP] = { "desktop", "DESKTOP", CELL_STR, 16, COL_HIDDEN,
			     "window station and desktop that it was started on" },
	[PARAMS_SHELL_INFO] = { "shell_info", "SHELL INFO", CELL_STR, 16, COL_HIDDEN,
				"reserved string of STARTUPINFO" },
	[PARAMS_IMAGE_BASE] = { "image_base", "IMAGE BASE", CELL_ADDR, 14, COL_HIDDEN,
				"where the PEB says that the program lies" },
	[PARAMS_BEING_DEBUGGED] = { "being_debugged", "DEBUGGED", CELL_BOOL, 5, COL_HIDDEN,
				    "BeingDebugged of the PEB" },
	[PARAMS_FLAGS] = { "flags", "FLAGS", CELL_ADDR, 8, COL_HIDDEN,
			   "RTL_USER_PROC_* flags; 0x1: pointers are addresses" },
	[PARAMS_PEB] = { "peb", "PEB", CELL_ADDR, 14, COL_HIDDEN,
			 "process environment block; absent where the process has none" },
	[PARAMS_PARAMETERS] = { "parameters", "PARAMETERS", CELL_ADDR, 14, COL_HIDDEN,
				"address of the parameters" },
	[PARAMS_ENVIRONMENT] = { "environment", "ENVIRONMENT", CELL_ADDR, 14, COL_HIDDEN,
				 "address of the environment block" },
	[PARAMS_ENVIRONMENT_SIZE] = { "environment_size", "ENV SIZE", CELL_U64, 8,
				      COL_RIGHT | COL_HIDDEN, "bytes of the environment block" },
};

static const struct option_row params_options[] = {
	PROCESS_OPTION_ROWS,
	{ "native", 0, OPTION_FLAG, NULL,
	  "of WoW64 processes the native parameters, not the 32-bit ones" },
};

static struct error *params_process(struct command_run *run, const struct process_visit *visit,
				    const struct user_process *user)
{
	enum user_view view = user_process_own_view(user);
	struct user_parameters p;
	struct error *err;

	if (option_flag(run->options, "native"))
		view = USER_NATIVE;
	if ((err = user_parameters_read(user, view, visit->arena, &p)))
		return err;
	const struct cell cells[PARAMS_NUM_COLUMNS] = {
		[PARAMS_PID] = cell_opt(visit->process->pid),
		[PARAMS_NAME] = cell_str(visit->process->name),
		[PARAMS_WOW64] = cell_bool(view == USER_WOW64),
		[PARAMS_COMMAND_LINE] = cell_str(p.strings[USER_STRING_COMMAND_LINE]),
		[PARAMS_CURRENT_DIRECTORY] = cell_str(p.strings[USER_STRING_CURRENT_DIRECTORY]),
		[PARAMS_IMAGE_PATH] = cell_str(p.strings[USER_STRING_IMAGE_PATH]),
		[PARAMS_WINDOW_TITLE] = cell_str(p.strings[USER_STRING_WINDOW_TITLE]),
		[PARAMS_DLL_PATH] = cell_str(p.strings[USER_STRING_DLL_PATH]),
		[PARAMS_DESKTOP] = cell_str(p.strings[USER_STRING_DESKTOP]),
		[PARAMS_SHELL_INFO] = cell_str(p.strings[USER_STRING_SHELL_INFO]),
		[PARAMS_IMAGE_BASE] = cell_opt(p.image_base),
		[PARAMS_BEING_DEBUGGED] =
			p.being_debugged.present ? cell_bool(p.being_debugged.value) : CELL_ABSENT,
		[PARAMS_FLAGS] = cell_opt(p.flags),
		[PARAMS_PEB] = cell_opt(p.peb),
		[PARAMS_PARAMETERS] = cell_opt(p.va),
		[PARAMS_ENVIRONMENT] = cell_opt(p.environment),
		[PARAMS_ENVIRONMENT_SIZE] = cell_opt(p.environment_size),
	};

	return sink_row(run->sink, cells, 0);
}

static struct error *params_run(struct command_run *run)
{
	return each_user_process(run, params_process);
}

const struct command cmd_params = {
	.name = "params",
	.summary = "show what each process was started with, as its own memory tells it",
	.description =
		"One row per process, from its PEB and process parameters: command line, current "
		"directory, image path, window title, DLL path and desktop; of a WoW64 process "
		"those that its 32-bit code uses. Processes without a PEB, such as System, have "
		"empty rows.\n\n"
		"A process can change all of this after its start. What the kernel noted of its "
		"image then is image_path of ps.",
	.example = "ntscope params --format json memory.dmp",
	.options = params_options,
	.num_options = ARRAY_SIZE(params_options),
	.columns = params_columns,
	.num_columns = PARAMS_NUM_COLUMNS,
	.key_columns = "pid",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = params_run,
};
