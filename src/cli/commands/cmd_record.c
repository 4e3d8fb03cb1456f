/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/verify/collect.h"
#include "cli/verify/compare.h"
#include "cli/verify/expected_file.h"

enum { RECORD_COMMAND, RECORD_STATUS, RECORD_ROWS, RECORD_MESSAGES, RECORD_NUM_COLUMNS };

static const struct column record_columns[RECORD_NUM_COLUMNS] = {
	[RECORD_COMMAND] = { "command", "COMMAND", CELL_STR, 24, 0, "command with its options" },
	[RECORD_STATUS] = { "status", "STATUS", CELL_STR, 7, 0,
			    "ok, partial (something could not be read), failed (no result, or only "
			    "its beginning)" },
	[RECORD_ROWS] = { "rows", "ROWS", CELL_U64, 7, COL_RIGHT, "rows that were recorded" },
	[RECORD_MESSAGES] = { "messages", "MESSAGES", CELL_U64, 8, COL_RIGHT,
			      "messages of what could not be read" },
};

static const struct option_row record_options[] = {
	{ "output", 'o', OPTION_STRING, "FILE", "the file to write: NAME.expected.json" },
	{ "force", 0, OPTION_FLAG, NULL, "replace a file that exists" },
};

/* What a snapshot is asked when no command is named: what a machine was, and what ran on it. */
#define DEFAULT_COMMANDS                                                           \
	"info,ps,threads,dlls,handles,tokens,vads,modules,drivers,callbacks,ssdt," \
	"registry hives,cpus"

/* Commands as words. */
struct record_plan {
	struct word_list words[EXPECTED_MAX_COMMANDS];
	struct command_line lines[EXPECTED_MAX_COMMANDS];
	size_t count;
};

static struct error *add_words(struct arena *a, const char *text, struct record_plan *plan)
{
	if (plan->count == EXPECTED_MAX_COMMANDS)
		return error_new(ERROR_USAGE, "more than %d commands", EXPECTED_MAX_COMMANDS);
	return command_line_split(a, text, &plan->words[plan->count++]);
}

/* "ps,registry keys", or one command with options, which may hold commas. */
static struct error *add_commands(struct arena *a, const char *text, struct record_plan *plan)
{
	struct error *err = NULL;

	if (strchr(text, '-'))
		return add_words(a, text, plan);
	while (!err) {
		size_t len = strcspn(text, ",");
		const char *one = arena_strndup(a, text, len);

		err = one ? add_words(a, one, plan) : &error_no_memory;
		if (!text[len])
			break;
		text += len + 1;
	}
	return err;
}

static struct error *plan_commands(const struct command_run *run, const struct word_list *opening,
				   struct record_plan *plan)
{
	struct error *err = NULL;

	for (size_t i = 1; i < run->num_args && !err; i++)
		err = add_commands(run->arena, run->args[i], plan);
	if (!err && !plan->count)
		err = add_commands(run->arena, DEFAULT_COMMANDS, plan);
	for (size_t i = 0; i < plan->count && !err; i++)
		err = command_line_parse(run->arena, run->args[0], opening, &plan->words[i],
					 &plan->lines[i]);
	return err;
}

static struct error *put_result(const struct command_run *run, const struct expected_result *r)
{
	const char *text = command_text(run->arena, &r->command);
	const struct cell cells[RECORD_NUM_COLUMNS] = {
		[RECORD_COMMAND] = cell_str(text),
		[RECORD_STATUS] = cell_str(expected_status_name(r->status)),
		[RECORD_ROWS] = cell_u64(r->num_rows),
		[RECORD_MESSAGES] = cell_u64(r->messages.count),
	};

	return text ? sink_row(run->sink, cells, 0) : &error_no_memory;
}

/* What was recorded as a part is a part of the snapshot as well. */
static void tell_messages(const struct command_run *run, const struct word_list *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		diag_partial(run->diag, "%s", messages->items[i]);
}

static struct error *check_output(const struct command_run *run, const char **ret)
{
	const char *path = option_string(run->options, "output");

	if (!path || !*path)
		return error_new(ERROR_USAGE, "record: into which file? (--output)");
	if (strcmp(path, "-") == 0)
		return error_new(ERROR_USAGE, "option '--output': standard output has the summary "
					      "('./-' is a file of that name)");
	if (!option_flag(run->options, "force") && access(path, F_OK) == 0)
		return error_os(EEXIST, "%s (--force replaces it)", path);
	*ret = path;
	return NULL;
}

static struct error *record_run(struct command_run *run)
{
	struct record_plan *plan = arena_alloc(run->arena, sizeof(*plan));
	struct collect collect = { .run = run, .path = run->args[0] };
	struct expected result = { 0 };
	struct error *err;

	if (!plan)
		return &error_no_memory;
	if ((err = check_output(run, &collect.output)) ||
	    (err = opening_words(run->arena, run->options, true, &result.options)) ||
	    (err = opening_all(run->arena, &result.options, run->options, &collect.opening)) ||
	    (err = plan_commands(run, &collect.opening, plan)) ||
	    (err = collect_identity(&collect, &result)) ||
	    (err = collect_results(&collect, plan->lines, plan->words, plan->count, &result)) ||
	    (err = expected_file_write(collect.output, &result,
				       option_flag(run->options, "force"))))
		return err;
	tell_messages(run, &result.messages);
	for (size_t i = 0; i < result.num_results && !err; i++) {
		tell_messages(run, &result.results[i].messages);
		err = put_result(run, &result.results[i]);
	}
	return err;
}

const struct command cmd_record = {
	.name = "record",
	.summary = "record what commands say of a snapshot, for verify",
	.arguments = "SNAPSHOT [COMMAND...]",
	.min_args = 1,
	.max_args = UINT_MAX,
	.description =
		"Writes a file with the snapshot's hash, the program's version, the kernel's "
		"symbols, and for each command its options, messages, exit status and rows. The "
		"same snapshot gives the same file, byte for byte, one row a line, so that "
		"version control shows what changed. 'verify' compares it with what the commands "
		"say later.\n\n"
		"A command is one argument with its options and arguments in it (\"ps --scan\", "
		"\"registry keys 'HKLM\\SOFTWARE'\"), or a list of names (ps,modules). Without "
		"any: " DEFAULT_COMMANDS
		". Options that say how the snapshot is opened (--symbols, "
		"--pagefile, --dtb and such) are recorded for all of them; a path among them is "
		"taken as it was given.\n\n"
		"Exit status 3: a command could not read everything, or failed. Its messages are "
		"part of what is recorded.",
	.example =
		"ntscope record memory.dmp -o memory.expected.json ps,modules \"handles --pid 4\"",
	.options = record_options,
	.num_options = ARRAY_SIZE(record_options),
	.columns = record_columns,
	.num_columns = RECORD_NUM_COLUMNS,
	.flags = COMMAND_NO_SNAPSHOT,
	.run = record_run,
};
