/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/row_options.h"
#include "cli/timeline/formats.h"
#include "cli/timeline/sources.h"

enum {
	TIMELINE_TIME,
	TIMELINE_KIND,
	TIMELINE_PID,
	TIMELINE_TID,
	TIMELINE_SUBJECT,
	TIMELINE_DESCRIPTION,
	TIMELINE_PATH,
	TIMELINE_OBJECT,
	TIMELINE_SOURCE,
	TIMELINE_MEANING,
	TIMELINE_NUM_COLUMNS
};

static const struct column timeline_columns[TIMELINE_NUM_COLUMNS] = {
	[TIMELINE_TIME] = { "time", "TIME", CELL_TIME, 28, 0, "when, UTC" },
	[TIMELINE_KIND] = { "kind", "KIND", CELL_STR, 14, 0,
			    "what happened: " TIMELINE_KIND_NAMES },
	[TIMELINE_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process that it is about" },
	[TIMELINE_TID] = { "tid", "TID", CELL_U64, 6, COL_RIGHT | COL_MINOR, "thread" },
	[TIMELINE_SUBJECT] = { "subject", "SUBJECT", CELL_STR, 20, 0,
			       "what it happened to: name of a process (also of a thread's), "
			       "module or key, number of a session" },
	[TIMELINE_DESCRIPTION] = { "description", "DESCRIPTION", CELL_STR, 0, 0,
				   "the kind in words, and what else is known: command line, exit "
				   "status, a thread's first module, who loaded a module" },
	[TIMELINE_PATH] = { "path", "PATH", CELL_STR, 40, COL_HIDDEN, "of a file or key" },
	[TIMELINE_OBJECT] = { "object", "OBJECT", CELL_ADDR, 18, COL_HIDDEN,
			      "its address: process, thread, image, key node, ..." },
	[TIMELINE_SOURCE] = { "source", "SOURCE", CELL_STR, 13, COL_HIDDEN,
			      "the command that lists it; kernel: its clock; header: of the file" },
	[TIMELINE_MEANING] = { "meaning", "MACB", CELL_STR, 4, COL_HIDDEN,
			       "the field that --body puts it in: m (modified), a (accessed), c "
			       "(changed) or b (born)" },
};

static const struct option_row timeline_options[] = {
	{ "kinds", 'k', OPTION_STRING, "KIND,...", "just these: " TIMELINE_KIND_NAMES },
	{ "since", 0, OPTION_STRING, "TIME",
	  "nothing before it: 2024-05-01T10:20:30, or as much of it as needed" },
	{ "until", 0, OPTION_STRING, "TIME", "nothing after it; 2024-05-01 is the whole day" },
	{ "scan", 0, OPTION_FLAG, NULL,
	  "also of processes, threads and modules that a search of all memory finds" },
	{ "all", 'a', OPTION_FLAG, NULL,
	  "also times that cannot be: before 1980, after the capture, stamps that are hashes" },
	{ "body", 0, OPTION_FLAG, NULL, "as a body file, which mactime reads" },
	{ "timesketch", 0, OPTION_FLAG, NULL,
	  "as JSON lines, or with --format csv as CSV, that Timesketch reads" },
};

static void sink_cleanup(struct sink **s)
{
	sink_destroy(*s);
}

static struct error *put_row(struct sink *sink, struct arena *scratch, const struct event *e,
			     unsigned depth)
{
	const struct timeline_kind_row *kind = &timeline_kinds[e->kind];
	const char meaning[] = { kind->meaning, '\0' };
	const char *description = event_description(scratch, e);

	if (!description)
		return &error_no_memory;
	return sink_row(sink,
			(struct cell[TIMELINE_NUM_COLUMNS]){
				[TIMELINE_TIME] = cell_time(e->time),
				[TIMELINE_KIND] = cell_str(kind->name),
				[TIMELINE_PID] = cell_opt(e->pid),
				[TIMELINE_TID] = cell_opt(e->tid),
				[TIMELINE_SUBJECT] = cell_str(e->subject),
				[TIMELINE_DESCRIPTION] = cell_str(description),
				[TIMELINE_PATH] = cell_str(e->path),
				[TIMELINE_OBJECT] = cell_opt(e->object),
				[TIMELINE_SOURCE] = cell_str(e->source),
				[TIMELINE_MEANING] = cell_str(meaning),
			},
			depth);
}

static struct error *put_rows(const struct event_list *events, struct sink *sink, bool numbered)
{
	struct error *err = NULL;
	struct arena scratch;

	arena_init(&scratch, 0);
	for (size_t i = 0; i < events->count && !err && !sink_full(sink); i++) {
		err = put_row(sink, &scratch, &events->items[i], numbered ? (unsigned)i : 0);
		arena_reset(&scratch);
	}
	arena_deinit(&scratch);
	return err;
}

/* A format of another tool's, of the events that conditions, order and limit leave. */
struct translation {
	FILE *out;
	const struct event_list *events;
	struct sink *timesketch; /* NULL: a body file */
	uint64_t misfits;	 /* that the format has no place for */
	struct arena scratch;	 /* of one event */
};

/* number: of the event, which rows carry as their depth. */
static struct error *translate(void *arg, const struct cell *row, unsigned number)
{
	struct translation *t = arg;
	const struct event *e = &t->events->items[number];
	struct cell cells[NUM_TIMESKETCH_COLUMNS];
	struct error *err;
	bool fits = false;

	(void)row;
	if (t->timesketch)
		err = timesketch_cells(&t->scratch, e, cells, &fits);
	else
		err = body_put_event(t->out, &t->scratch, e, &fits);
	if (!err && !fits)
		t->misfits++;
	else if (!err && t->timesketch)
		err = sink_row(t->timesketch, cells, 0);
	arena_reset(&t->scratch);
	return err;
}

static struct error *open_filter(struct command_run *run, struct translation *t, struct sink **ret)
{
	struct sink_options options = { 0 };
	struct error *err;

	if ((err = row_options_read(run->arena, run->command, run->options, &options)))
		return err;
	if ((err = sink_create_calls(&options, translate, t, ret)))
		return err;
	return sink_begin(*ret, timeline_columns, TIMELINE_NUM_COLUMNS);
}

static bool is_csv(const struct option_values *options)
{
	const char *format = option_string(options, "format");

	return format && strcmp(format, sink_kind_name(SINK_CSV)) == 0;
}

static struct error *open_timesketch(const struct command_run *run, struct sink **ret)
{
	enum sink_kind kind = is_csv(run->options) ? SINK_CSV : SINK_JSONL;
	struct sink_options options = { .terminal = isatty(fileno(run->out)) };
	struct error *err = sink_create(kind, run->out, &options, ret);

	return err ? err : sink_begin(*ret, timesketch_columns, NUM_TIMESKETCH_COLUMNS);
}

static struct error *put_translation(struct command_run *run, const struct event_list *events)
{
	struct sink *filter CLEANUP(sink_cleanup) = NULL, *timesketch CLEANUP(sink_cleanup) = NULL;
	struct translation t = { .out = run->out, .events = events };
	struct error *err;

	run->wrote_raw = true;
	if (option_flag(run->options, "timesketch") && (err = open_timesketch(run, &timesketch)))
		return err;
	t.timesketch = timesketch;
	arena_init(&t.scratch, 0);
	if (!(err = open_filter(run, &t, &filter)) && !(err = put_rows(events, filter, true)))
		err = sink_end(filter);
	if (!err && timesketch)
		err = sink_end(timesketch);
	arena_deinit(&t.scratch);
	if (!err && t.misfits)
		diag_partial(run->diag, "%" PRIu64 " times cannot be written in this format",
			     t.misfits);
	return err;
}

static bool is_translated(const struct option_values *options)
{
	return option_flag(options, "body") || option_flag(options, "timesketch");
}

static struct error *check_format(const struct option_values *options)
{
	const char *format = option_string(options, "format");

	if (!is_translated(options))
		return NULL;
	if (option_flag(options, "body") && option_flag(options, "timesketch"))
		return error_new(ERROR_USAGE, "--body and --timesketch are two formats");
	if (option_string(options, "columns"))
		return error_new(ERROR_USAGE, "--body and --timesketch have columns of their own");
	if (!format || (option_flag(options, "timesketch") &&
			(is_csv(options) || strcmp(format, sink_kind_name(SINK_JSONL)) == 0)))
		return NULL;
	return error_new(ERROR_USAGE, "%s, not '%s'",
			 option_flag(options, "body") ? "--body is a format of its own"
						      : "--timesketch is jsonl or csv",
			 format);
}

static struct error *read_filter(const struct option_values *options, struct event_filter *ret)
{
	struct error *err;

	*ret = (struct event_filter){
		.all = option_flag(options, "all"),
		.since = option_string(options, "since"),
		.until = option_string(options, "until"),
	};
	if ((err = event_time_check("since", ret->since)) ||
	    (err = event_time_check("until", ret->until)))
		return err;
	return timeline_kinds_parse(option_string(options, "kinds"), ret->kinds);
}

/* Without a kernel there is what the file itself says; if that is nothing, it failed. */
static struct error *read_events(struct command_run *run, struct event_list *events)
{
	struct error *err = NULL;
	uint64_t pid;

	if (!option_u64(run->options, "pid", &pid))
		err = timeline_read_snapshot(run, events);
	if (err)
		return err;
	if (run->kernel)
		return timeline_read_sources(run, events);
	if (!events->count)
		return error_new(error_code(run->kernel_error), "%s",
				 error_message(run->kernel_error));
	diag_partial(run->diag, "%s", error_message(run->kernel_error));
	return NULL;
}

static struct error *timeline_run(struct command_run *run)
{
	struct event_list events CLEANUP(events_deinit) = { 0 };
	struct event_filter filter;
	struct error *err;

	if ((err = check_format(run->options)) || (err = read_filter(run->options, &filter)))
		return err;
	events_init(&events, &filter, timeline_now(run));
	if ((err = read_events(run, &events)))
		return err;
	events_finish(&events);
	if (events.num_odd)
		diag_note(run->diag,
			  "%zu times that cannot be (before 1980, after the capture, stamps that "
			  "are hashes) are left out: --all lists them",
			  events.num_odd);
	if (is_translated(run->options))
		return put_translation(run, &events);
	return put_rows(&events, run->sink, false);
}

const struct command cmd_timeline = {
	.name = "timeline",
	.summary = "everything that has a time, in order of time",
	.description =
		"One row for each time that the other commands find: start and end of processes "
		"and threads, modules loaded and drivers unloaded, registry keys written, "
		"sessions, symbolic links, the machine's start, its crash and the capture, and, "
		"ahead of it, timers that are due and tokens that expire. With --pid just what "
		"happened to that process. The kernel no longer lists most of what has ended: "
		"--scan looks for it in all memory.\n\n"
		"The kind link is the TimeDateStamp of an image. Many images are built so that "
		"this is a hash of their content: those that say so, or whose stamp can be no "
		"time, are left out; of the others 'description' says whether it is certain. Times "
		"that cannot be (before 1980, or more than a day after the capture; timers and "
		"tokens: a hundred years) are left out and counted, unless --all is given.\n\n"
		"--body writes a body file for mactime (The Sleuth Kit): each line has one time, "
		"in the field that the column 'meaning' says, in whole seconds; the inode is "
		"the object's address. --timesketch writes what Timesketch imports. Both take "
		"--where, --sort and --limit.\n\n"
		"All events are in memory while they are sorted, at most four million with a "
		"gigabyte of texts; what is more is reported, and --kinds, --since and --until "
		"leave less.",
	.example = "ntscope timeline --kinds process_start,process_exit --scan memory.dmp",
	.options = timeline_options,
	.num_options = ARRAY_SIZE(timeline_options),
	.columns = timeline_columns,
	.num_columns = TIMELINE_NUM_COLUMNS,
	.key_columns = "time,kind,pid,tid,object,subject,path,source",
	.flags = COMMAND_TRIES_KERNEL,
	.run = timeline_run,
};
