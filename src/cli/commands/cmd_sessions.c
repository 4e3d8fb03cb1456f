/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "windows/kernel_tables/sessions.h"

enum {
	SESSIONS_ID,
	SESSIONS_SESSION,
	SESSIONS_CREATE_TIME,
	SESSIONS_COUNT,
	SESSIONS_UNLISTED,
	SESSIONS_COMMITTED,
	SESSIONS_POOL_START,
	SESSIONS_POOL_END,
	SESSIONS_PROCESSES,
	SESSIONS_NUM_COLUMNS
};

static const struct column sessions_columns[SESSIONS_NUM_COLUMNS] = {
	[SESSIONS_ID] = { "session_id", "SESSION", CELL_U64, 7, COL_RIGHT,
			  "number of the session" },
	[SESSIONS_SESSION] = { "session", "ADDRESS", CELL_ADDR, 18, 0,
			       "virtual address of the session's structure" },
	[SESSIONS_CREATE_TIME] = { "create_time", "CREATED", CELL_TIME, 28, 0,
				   "when it began; absent where the kernel does not keep it" },
	[SESSIONS_COUNT] = { "process_count", "PROCESSES", CELL_U64, 9, COL_RIGHT,
			     "in the session's own list" },
	[SESSIONS_UNLISTED] = { "unlisted", "UNLISTED", CELL_U64, 8, COL_RIGHT,
				"of these not in the list of all processes" },
	[SESSIONS_COMMITTED] = { "committed_pages", "PAGES", CELL_U64, 8, COL_RIGHT,
				 "pages of the session's memory that are committed" },
	[SESSIONS_POOL_START] = { "pool_start", "POOL START", CELL_ADDR, 18, COL_HIDDEN,
				  "first address of the session's paged pool" },
	[SESSIONS_POOL_END] = { "pool_end", "POOL END", CELL_ADDR, 18, COL_HIDDEN,
				"where it ends" },
	[SESSIONS_PROCESSES] = { "processes", "NAMES", CELL_STRS, 0, COL_HIDDEN,
				 "names and ids of its processes" },
};

static struct error *put_session(struct command_run *run, const struct session *s)
{
	struct cell cells[SESSIONS_NUM_COLUMNS] = {
		[SESSIONS_ID] = cell_opt(s->id),
		[SESSIONS_SESSION] = cell_addr(s->session),
		[SESSIONS_CREATE_TIME] =
			s->create_time.present ? cell_time(s->create_time.value) : CELL_ABSENT,
		[SESSIONS_COUNT] = cell_opt(s->processes),
		[SESSIONS_UNLISTED] = s->processes.present ? cell_u64(s->unlisted) : CELL_ABSENT,
		[SESSIONS_COMMITTED] = cell_opt(s->committed_pages),
		[SESSIONS_POOL_START] = cell_opt(s->pool_start),
		[SESSIONS_POOL_END] = cell_opt(s->pool_end),
	};

	if (s->processes.present)
		cells[SESSIONS_PROCESSES] = cell_strs(s->names, s->num_names);
	return sink_row(run->sink, cells, 0);
}

static struct error *sessions_run(struct command_run *run)
{
	struct session_list list CLEANUP(session_list_deinit) = { 0 };
	struct error *err = sessions_read(run->kernel, &list);

	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++)
		err = put_session(run, &list.items[i]);
	return err;
}

const struct command cmd_sessions = {
	.name = "sessions",
	.summary = "list logon sessions' memory and processes",
	.description =
		"Lists the sessions that the processes in the process list are in, each with the "
		"processes of the session's own list: one that hides from the list of all "
		"processes is often still there, and counts as unlisted. A session without any "
		"listed process is not found.",
	.example = "ntscope sessions --columns session_id,processes memory.dmp",
	.columns = sessions_columns,
	.num_columns = SESSIONS_NUM_COLUMNS,
	.key_columns = "session_id",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = sessions_run,
};
