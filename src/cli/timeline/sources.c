/* SPDX-License-Identifier: MIT */
#include "cli/timeline/sources.h"

#include "cli/commands.h"

const struct timeline_source timeline_sources[] = {
	/* First: the others' processes are named by it. */
	{
		.command = &cmd_ps,
		.scans = true,
		.names_process = true,
		.subject = "name",
		.path = "image_path",
		.pid = "pid",
		.object = "eprocess",
		.times = { { "create_time", TIMELINE_PROCESS_START, "command_line", false },
			   { "exit_time", TIMELINE_PROCESS_EXIT, "exit_status", false } },
	},
	{
		.command = &cmd_threads,
		.scans = true,
		.pid = "pid",
		.tid = "tid",
		.object = "ethread",
		.process = "eprocess",
		.times = { { "create_time", TIMELINE_THREAD_START, "start_module", false },
			   { "exit_time", TIMELINE_THREAD_EXIT, "exit_status", false } },
	},
	{
		.command = &cmd_dlls,
		.scans = true,
		.subject = "name",
		.path = "path",
		.pid = "pid",
		.object = "base",
		.times = { { "load_time", TIMELINE_DLL_LOAD, "process_name", false },
			   { "time_date_stamp", TIMELINE_LINK, NULL, true } },
	},
	{
		.command = &cmd_modules,
		.scans = true,
		.subject = "name",
		.path = "path",
		.object = "base",
		.base = "base",
		.times = { { "time_date_stamp", TIMELINE_LINK, NULL, false } },
	},
	{
		.command = &cmd_modules,
		.flag = "unloaded",
		.subject = "name",
		.object = "start",
		.times = { { "time", TIMELINE_DRIVER_UNLOAD, NULL, false } },
	},
	{
		.command = &cmd_registry_keys,
		.flag = "recursive",
		.path = "path",
		.object = "address",
		.times = { { "last_write_time", TIMELINE_REGISTRY_WRITE, NULL, false } },
	},
	{
		.command = &cmd_objects,
		.path = "path",
		.object = "object",
		.times = { { "create_time", TIMELINE_SYMLINK_CREATE, "target", false } },
	},
	{
		.command = &cmd_sessions,
		.subject = "session_id",
		.object = "session",
		.times = { { "create_time", TIMELINE_SESSION_START, NULL, false } },
	},
	{
		.command = &cmd_timers,
		.subject = "module",
		.object = "timer",
		.times = { { "due_time", TIMELINE_TIMER_DUE, "symbol", false } },
	},
	{
		.command = &cmd_tokens,
		.subject = "process_name",
		.pid = "pid",
		.object = "token",
		.times = { { "expiration", TIMELINE_TOKEN_EXPIRY, "user_name", false } },
	},
};
const size_t num_timeline_sources = ARRAY_SIZE(timeline_sources);
