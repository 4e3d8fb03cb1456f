/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/workers.h"
#include "cli/batch/batch.h"
#include "cli/batch/merge.h"
#include "cli/commands.h"
#include "cli/program.h"

enum { DEFAULT_TIMEOUT = 300, MAX_TIMEOUT = 7 * 24 * 3600 };
static const uint64_t DEFAULT_MAX_MEMORY = UINT64_C(512) << 20; /* as the common option says */
static const uint64_t DEFAULT_MAX_UNPACKED = UINT64_C(256) << 30;
static const uint64_t DEFAULT_MAX_OUTPUT = UINT64_C(64) << 20;
static const uint64_t MEMORY_SLACK = UINT64_C(512) << 20;
static const uint64_t REPORT_SLACK = UINT64_C(1) << 20; /* a report beyond its rows */

enum {
	BATCH_PATH,
	BATCH_STATUS,
	BATCH_SECONDS,
	BATCH_SIZE,
	BATCH_EXIT_REASON,
	BATCH_ERROR,
	BATCH_NUM_COLUMNS
};

static const struct column batch_columns[BATCH_NUM_COLUMNS] = {
	[BATCH_PATH] = { "path", "PATH", CELL_STR, 32, 0, "the snapshot" },
	[BATCH_STATUS] = { "status", "STATUS", CELL_STR, 8, 0,
			   "ok, partial, failed, timeout or crashed" },
	[BATCH_SECONDS] = { "seconds", "SECONDS", CELL_STR, 8, COL_RIGHT,
			    "that it took; absent with --no-timing" },
	[BATCH_SIZE] = { "size", "SIZE", CELL_U64, 12, COL_RIGHT, "of the file in bytes" },
	[BATCH_EXIT_REASON] = { "exit_reason", "EXIT", CELL_STR, 12, COL_HIDDEN,
				"how its process ended" },
	[BATCH_ERROR] = { "error", "ERROR", CELL_STR, 0, 0, "why it failed: the first line" },
};

static const struct option_row batch_options[] = {
	{ "output", 'o', OPTION_STRING, "FILE",
	  "write the results to FILE: SQLite if its name ends in .sqlite, .sqlite3 or .db, else "
	  "JSON lines; without it JSON lines go to standard output" },
	{ "jobs", 'j', OPTION_U64, "N", "snapshots at a time (default: one per processor)" },
	{ "timeout", 0, OPTION_STRING, "SECONDS", "for one snapshot (default 300)" },
	{ "max-output", 0, OPTION_SIZE, "SIZE", "rows of one snapshot, as JSON (default 64M)" },
	{ "list", 0, OPTION_LIST, "FILE",
	  "also the paths in FILE ('-': standard input), one a line, or each ended by a NUL; may "
	  "be repeated" },
	{ "shard", 0, OPTION_STRING, "I/N",
	  "only the I-th of N shares, I from 1 to N, told by a hash of the path below what is "
	  "given" },
	{ "resume", 0, OPTION_FLAG, NULL,
	  "go on with FILE, which an earlier run did not finish; begin it if it is not there" },
	{ "force", 0, OPTION_FLAG, NULL, "replace FILE if it is there" },
	{ "no-timing", 0, OPTION_FLAG, NULL, "leave out seconds, so that equal runs are equal" },
	{ "merge", 0, OPTION_FLAG, NULL,
	  "put the results of shards (files of JSON lines, instead of PATHs) together" },
	{ "schema", 0, OPTION_FLAG, NULL, "print the SQL of the tables and exit" },
};

static const char *const statuses[] = { "ok", "partial", "failed", "timeout", "crashed" };

/* The command while it runs. */
struct batch_command {
	struct command_run *run;
	struct option_values options; /* with how many threads each snapshot has */
	struct plan plan;
	struct inputs inputs;
	struct batch batch;
	const char *output; /* NULL: standard output */
	size_t counts[ARRAY_SIZE(statuses)];
};

static struct error *read_timeout(const struct option_values *options, double *ret)
{
	const char *text = option_string(options, "timeout");
	double seconds = DEFAULT_TIMEOUT;
	char *end;

	if (text) {
		seconds = strtod(text, &end);
		if (end == text || *end || !(seconds > 0) || seconds > MAX_TIMEOUT)
			return error_new(ERROR_USAGE,
					 "option '--timeout': '%s' is not a number of seconds up "
					 "to %d",
					 text, MAX_TIMEOUT);
	}
	*ret = seconds;
	return NULL;
}

static struct error *read_jobs(const struct option_values *options, unsigned *ret)
{
	uint64_t jobs = workers_default_threads();

	if (option_u64(options, "jobs", &jobs) && (jobs < 1 || jobs > POOL_MAX))
		return error_new(ERROR_USAGE, "option '--jobs': 1 to %d", POOL_MAX);
	*ret = (unsigned)(jobs < POOL_MAX ? jobs : POOL_MAX);
	return NULL;
}

static uint64_t size_or(const struct option_values *options, const char *name, uint64_t size)
{
	option_u64(options, name, &size);
	return size;
}

static uint64_t add_sizes(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static struct error *read_limits(struct batch_command *c)
{
	const struct option_values *options = c->run->options;
	struct batch *b = &c->batch;
	uint64_t unpacked = size_or(options, "max-unpacked", DEFAULT_MAX_UNPACKED), threads;
	struct error *err;

	if ((err = read_timeout(options, &b->limits.seconds)) ||
	    (err = read_jobs(options, &b->jobs)))
		return err;
	threads = workers_default_threads() / b->jobs;
	if (threads < 1)
		threads = 1;
	option_u64(options, "threads", &threads);
	b->limits.threads = (unsigned)threads;
	b->limits.memory =
		add_sizes(size_or(options, "max-memory", DEFAULT_MAX_MEMORY), MEMORY_SLACK);
	b->job.max_output = size_or(options, "max-output", DEFAULT_MAX_OUTPUT);
	/* Snapshots may be unpacked to a temporary file, too. */
	b->limits.file_size = add_sizes(unpacked > b->job.max_output ? unpacked : b->job.max_output,
					REPORT_SLACK);
	b->timing = !option_flag(options, "no-timing");
	return NULL;
}

/* The batch's options, with the number of threads that one snapshot has. */
static struct error *copy_options(struct batch_command *c)
{
	const struct option_values *from = c->run->options;

	c->options = *from;
	c->options.items = arena_calloc(c->run->arena, from->count, sizeof(*from->items));
	if (!c->options.items)
		return &error_no_memory;
	for (size_t i = 0; i < from->count; i++) {
		c->options.items[i] = from->items[i];
		if (strcmp(from->items[i].row->name, "threads") == 0) {
			c->options.items[i].given = true;
			c->options.items[i].number = c->batch.limits.threads;
		}
	}
	return NULL;
}

static struct error *make_plan(struct batch_command *c)
{
	const char *const *lists;
	size_t count = option_list(c->run->options, "command", &lists);
	struct error *err = NULL;

	if (!count)
		return plan_add(&c->plan, c->run->arena, plan_triage, &c->options);
	for (size_t i = 0; i < count && !err; i++)
		err = plan_add(&c->plan, c->run->arena, lists[i], &c->options);
	return err;
}

/* " --pagefile x --timeout 5": what results depend on, in the order of the tables. */
static const char *options_text(struct batch_command *c)
{
	static const char *const own[] = { "timeout", "max-output", "no-timing" };
	const struct option_values *o = c->run->options;
	struct arena *arena = c->run->arena;
	const char *text = "";

	for (size_t i = 0; i < o->count && text; i++) {
		const struct option_value *v = &o->items[i];
		bool counts = i < common_options.count && plan_passes_on(v->row->name);

		for (size_t k = 0; k < ARRAY_SIZE(own); k++)
			counts |= strcmp(own[k], v->row->name) == 0;
		if (!v->given || !counts || strcmp(v->row->name, "verbose") == 0)
			continue;
		if (v->row->kind == OPTION_FLAG)
			text = arena_printf(arena, "%s%s--%s", text, *text ? " " : "",
					    v->row->name);
		else if (v->row->kind != OPTION_LIST)
			text = arena_printf(arena, "%s%s--%s %s", text, *text ? " " : "",
					    v->row->name, v->text);
		for (size_t k = 0; k < v->list_count && text; k++)
			text = arena_printf(arena, "%s%s--%s %s", text, *text ? " " : "",
					    v->row->name, v->list[k]);
	}
	return text;
}

static struct error *add_list(struct batch_command *c, const char *name)
{
	FILE *list = strcmp(name, "-") == 0 ? c->run->in : fopen(name, "re");
	struct error *err;

	if (!list)
		return error_os(errno, "%s", name);
	err = inputs_add_list(&c->inputs, list, name);
	if (list != c->run->in)
		fclose(list);
	return err;
}

static struct error *gather(struct batch_command *c)
{
	const struct command_run *run = c->run;
	const char *shard = option_string(run->options, "shard");
	struct shard s = { 0 };
	const char *const *lists;
	size_t num_lists = option_list(run->options, "list", &lists);
	struct error *err = NULL;

	if (shard && !shard_parse(shard, &s))
		return error_new(ERROR_USAGE,
				 "option '--shard': '%s' is not I/N with I from 1 to N", shard);
	if (!run->num_args && !num_lists)
		return error_new(ERROR_USAGE, "batch: which files or folders?");
	if (c->output)
		inputs_leave_out(&c->inputs, c->output);
	for (size_t i = 0; i < run->num_args && !err; i++)
		err = inputs_add(&c->inputs, run->args[i]);
	for (size_t i = 0; i < num_lists && !err; i++)
		err = add_list(c, lists[i]);
	if (err)
		return err;
	inputs_sort(&c->inputs);
	inputs_keep_shard(&c->inputs, &s);
	return NULL;
}

/* A record that is there already: it must be the one that comes next. */
static struct error *take_done(void *arg, const struct record_head *head)
{
	struct batch_command *c = arg;
	struct batch *b = &c->batch;

	if (!span_is(&head->run, b->run))
		return error_new(ERROR_USAGE,
				 "made by another batch, %.*s; this one is %s: give the same "
				 "options, or another -o",
				 (int)head->run.len, head->run.text, b->run);
	if (b->before >= c->inputs.count || !record_is_of(head, &c->inputs.items[b->before]))
		return error_new(ERROR_USAGE,
				 "is of '%s', and that is not what comes here now: files came, "
				 "went or were changed; begin anew with --force or another -o",
				 head->path);
	b->before++;
	return NULL;
}

static struct error *open_results(struct batch_command *c)
{
	const struct option_values *options = c->run->options;
	bool force = option_flag(options, "force");
	const struct results_ops *ops;
	struct error *err;

	if (!c->output)
		return results_to_stream(c->run->out, &c->batch.results);
	ops = results_kind(c->output);
	if (!option_flag(options, "resume"))
		return ops->create(c->output, force, &c->batch.results);
	err = ops->resume(c->output, take_done, c, &c->batch.results);
	if (error_catch(&err, ERROR_NOT_FOUND))
		err = ops->create(c->output, force, &c->batch.results);
	return err;
}

static void count_status(struct batch_command *c, const char *status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		c->counts[i] += strcmp(statuses[i], status) == 0;
}

/* Of a text that may be NULL. */
static const char *first_line(struct arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strcspn(text, "\n")) : NULL;
}

/* batch_shown_fn. */
static struct error *show(void *arg, const struct input *input, const struct record_result *result)
{
	struct batch_command *c = arg;
	struct arena arena CLEANUP(arena_deinit);
	const struct span error = { result->error, result->error_len };
	struct cell cells[BATCH_NUM_COLUMNS] = { 0 };

	arena_init(&arena, 0);
	count_status(c, result->status);
	if (!c->output)
		return NULL;
	cells[BATCH_PATH] = cell_str(input->path);
	cells[BATCH_STATUS] = cell_str(result->status);
	if (result->has_seconds)
		cells[BATCH_SECONDS] = cell_str(arena_printf(&arena, "%.3f", result->seconds));
	if (!input->problem)
		cells[BATCH_SIZE] = cell_u64(input->size);
	cells[BATCH_EXIT_REASON] = cell_str(result->exit_reason);
	if (result->error)
		cells[BATCH_ERROR] = cell_str(first_line(&arena, span_string(&arena, &error)));
	return sink_row(c->run->sink, cells, 0);
}

static void summarize(struct batch_command *c)
{
	const char *text = "", *separator = ": ";
	size_t done = 0;

	for (size_t i = 0; i < ARRAY_SIZE(statuses) && text; i++) {
		done += c->counts[i];
		if (!c->counts[i])
			continue;
		text = arena_printf(c->run->arena, "%s%s%zu %s", text, separator, c->counts[i],
				    statuses[i]);
		separator = ", ";
	}
	if (c->batch.before)
		diag_note(c->run->diag, "batch: %zu of %zu snapshots were done before",
			  c->batch.before, c->inputs.count);
	diag_note(c->run->diag, "batch: %zu snapshot%s%s", done, done == 1 ? "" : "s",
		  text ? text : "");
	if (done > c->counts[0])
		c->run->exit_status = STATUS_PARTIAL;
}

static struct error *close_results(struct results *results, struct error *err)
{
	struct error *close_err = results->ops->close(results);

	if (!err)
		return close_err;
	error_destroy(close_err);
	return err;
}

static struct error *run_batch(struct batch_command *c)
{
	struct batch *b = &c->batch;
	struct error *err;

	if ((err = open_results(c)))
		return err;
	if (!option_flag(c->run->options, "quiet"))
		b->meter = (struct meter){ .out = stderr, .is_terminal = isatty(STDERR_FILENO) };
	b->shown = show;
	b->shown_arg = c;
	fflush(c->run->out); /* or every process would have a copy of it */
	err = close_results(b->results, batch_run(b));
	if (err)
		return err;
	summarize(c);
	if (!b->stop_signal)
		return NULL;
	return error_new(ERROR_OS, "batch: stopped by SIG%s; --resume goes on from here",
			 sigabbrev_np(b->stop_signal));
}

static struct error *run_merge(struct batch_command *c)
{
	const struct command_run *run = c->run;
	uint64_t records = 0;
	struct error *err;

	if (!c->output || !run->num_args)
		return error_new(ERROR_USAGE, "batch --merge -o OUT FILE...: which files?");
	err = results_kind(c->output)->create(c->output, option_flag(run->options, "force"),
					      &c->batch.results);
	if (err)
		return err;
	err = merge_results(run->args, run->num_args, c->batch.results, &records);
	err = close_results(c->batch.results, err);
	if (err)
		unlink(c->output);
	else
		diag_note(run->diag, "batch: %llu records", (unsigned long long)records);
	return err;
}

static struct error *print_schema(struct batch_command *c)
{
	FILE *out = c->run->out;

	c->run->wrote_raw = true;
	sql_put_base(out);
	for (size_t i = 0; i < num_commands; i++) {
		if (plan_can_run(commands[i]))
			sql_put_table(out, commands[i]);
	}
	return NULL;
}

static struct error *check_options(const struct batch_command *c)
{
	static const char *const of_file[] = { "resume", "force", "format", "columns",
					       "where",	 "sort",  "limit" };

	for (size_t i = 0; i < ARRAY_SIZE(of_file) && !c->output; i++) {
		if (option_flag(c->run->options, of_file[i]))
			return error_new(ERROR_USAGE,
					 "option '--%s' needs -o: without it the "
					 "results are printed as JSON lines",
					 of_file[i]);
	}
	if (option_flag(c->run->options, "resume") && option_flag(c->run->options, "force"))
		return error_new(ERROR_USAGE, "either --resume or --force");
	return NULL;
}

static struct error *prepare(struct batch_command *c)
{
	struct batch *b = &c->batch;
	const char *options;
	struct error *err;

	if ((err = read_limits(c)) || (err = copy_options(c)) || (err = make_plan(c)) ||
	    (err = gather(c)))
		return err;
	options = options_text(c);
	b->run = options ? record_run(c->run->arena, &c->plan, options) : NULL;
	if (!b->run)
		return &error_no_memory;
	b->plan = b->job.plan = &c->plan;
	b->inputs = &c->inputs;
	b->job.options = &c->options;
	b->job.store = c->run->store;
	return NULL;
}

static struct error *batch_command_run(struct command_run *run)
{
	struct batch_command c = { .run = run, .output = option_string(run->options, "output") };
	struct error *err;

	if (option_flag(run->options, "schema"))
		return print_schema(&c);
	if ((err = check_options(&c)))
		return err;
	run->wrote_raw = !c.output;
	if (option_flag(run->options, "merge"))
		return run_merge(&c);
	inputs_init(&c.inputs, run->arena);
	err = prepare(&c);
	if (!err)
		err = run_batch(&c);
	inputs_deinit(&c.inputs);
	return err;
}

const struct command cmd_batch = {
	.name = "batch",
	.summary = "run commands on many snapshots, each in a process of its own",
	.arguments = "PATH...",
	.max_args = UINT32_MAX,
	.description =
		"Takes files, and folders with all below them, in the order of their paths' bytes. "
		"Links to files are followed; in folders, links to folders are not. What is no "
		"readable file has a record that says so.\n\n"
		"Runs what -c names on each: commands separated by commas, with their own options "
		"and arguments, as in -c 'info,ps --crossview' -c 'handles --type File --limit "
		"50'; else a triage set of a few milliseconds: info, ps, modules, drivers, "
		"callbacks, ssdt --hooked, sessions, cpus.\n\n"
		"Each snapshot has a process of its own, with limits of time (--timeout, of the "
		"processor's time that times --threads), memory (--max-memory and 512 MiB; mapped "
		"files do not count) and output (--max-output), so that a hostile or broken file "
		"costs only its own record.\n\n"
		"A record is one line of JSON: path, size, status (ok, partial, failed, timeout, "
		"crashed), exit_reason, error, seconds, messages, errors by command, and the rows "
		"of each command under its name. --schema prints the same as tables of SQLite. "
		"Records come in the order of the paths whatever --jobs is. With -o standard "
		"output has a table of the snapshots.\n\n"
		"A run that was stopped or killed goes on with --resume: finished records stay, "
		"half a line is dropped, and the file is in the end that of an unbroken run. "
		"Shards (--shard 1/8 to 8/8) share the work among machines, and --merge puts their "
		"files together again.\n\n"
		"Exit status 3 says that not every snapshot is 'ok'.",
	.example = "ntscope batch -o results.jsonl -c info,ps,modules /cases",
	.options = batch_options,
	.num_options = ARRAY_SIZE(batch_options),
	.columns = batch_columns,
	.num_columns = BATCH_NUM_COLUMNS,
	.flags = COMMAND_NO_SNAPSHOT | COMMAND_RAW_OUTPUT | COMMAND_RUNS_COMMANDS,
	.run = batch_command_run,
};
