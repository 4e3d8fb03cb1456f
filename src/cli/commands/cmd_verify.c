/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/program.h"
#include "cli/verify/collect.h"
#include "cli/verify/compare.h"
#include "cli/verify/expected_file.h"

enum {
	VERIFY_COMMAND,
	VERIFY_CHANGE,
	VERIFY_KEY,
	VERIFY_COLUMN,
	VERIFY_OLD,
	VERIFY_NEW,
	VERIFY_NUM_COLUMNS
};

/* For reading a recorded result, without --max-memory. */
#define VERIFY_DEFAULT_MEMORY (UINT64_C(512) << 20)

static const struct column verify_columns[VERIFY_NUM_COLUMNS] = {
	[VERIFY_COMMAND] = { "command", "COMMAND", CELL_STR, 12, 0,
			     "command with its options; 'open': opening and closing the snapshot" },
	[VERIFY_CHANGE] = { "change", "CHANGE", CELL_STR, 9, 0,
			    "added, removed, changed: rows; reordered: rows stand in another "
			    "order; "
			    "status: ok, partial or failed; message_added, message_removed: what "
			    "is "
			    "said of what could not be read" },
	[VERIFY_KEY] = { "key", "KEY", CELL_STR, 20, 0,
			 "which row: its key columns, or its number, from 1" },
	[VERIFY_COLUMN] = { "column", "COLUMN", CELL_STR, 12, 0, "of a changed row" },
	[VERIFY_OLD] = { "old", "OLD", CELL_STR, 20, 0,
			 "what was recorded; of a removed row all of it" },
	[VERIFY_NEW] = { "new", "NEW", CELL_STR, 0, 0, "what is said now" },
};

static const struct option_row verify_options[] = {
	{ "update", 0, OPTION_FLAG, NULL, "record anew where something differs" },
	{ "ignore", 0, OPTION_STRING, "COLUMN,...",
	  "columns that may differ; COMMAND.COLUMN: of that command" },
	{ "any-snapshot", 0, OPTION_FLAG, NULL, "go on with a snapshot that has another hash" },
	{ "any-order", 0, OPTION_FLAG, NULL, "the order of rows may differ" },
	{ "any-messages", 0, OPTION_FLAG, NULL, "what is said of unread things may differ" },
};

struct verification {
	struct command_run *run;
	const char *path; /* of the recorded result */
	struct expected before, after;
	struct command_line lines[EXPECTED_MAX_COMMANDS]; /* command NULL: cannot be run now */
	struct word_list words[EXPECTED_MAX_COMMANDS];
	struct compare_options options;
	struct compare_counts counts;
	bool another_snapshot;
};

static struct error *put_difference(void *arg, const struct difference *d)
{
	const struct verification *v = arg;
	const struct cell cells[VERIFY_NUM_COLUMNS] = {
		[VERIFY_COMMAND] = cell_str(d->command),
		[VERIFY_CHANGE] = cell_str(difference_name(d->kind)),
		[VERIFY_KEY] = cell_str(d->key),
		[VERIFY_COLUMN] = cell_str(d->column),
		[VERIFY_OLD] = cell_str(d->before),
		[VERIFY_NEW] = cell_str(d->after),
	};

	return sink_row(v->run->sink, cells, 0);
}

/* The argument, or the recorded name beside the file. */
static struct error *find_snapshot(const struct verification *v, const char **ret)
{
	const struct command_run *run = v->run;
	const char *name = v->before.snapshot.name, *slash = strrchr(v->path, '/');
	int folder = slash ? (int)(slash - v->path) + 1 : 0;

	*ret = run->num_args > 1 ? run->args[1] : NULL;
	if (*ret)
		return NULL;
	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_new(ERROR_CORRUPT, "%s: '%s' is no name of a snapshot", v->path, name);
	*ret = arena_printf(run->arena, "%.*s%s", folder, v->path, name);
	return *ret ? NULL : &error_no_memory;
}

static struct error *check_snapshot(struct verification *v, const struct collect *collect)
{
	const char *recorded = v->before.snapshot.sha256;
	struct error *err = collect_identity(collect, &v->after);

	if (err || strcmp(recorded, v->after.snapshot.sha256) == 0)
		return err;
	v->another_snapshot = true;
	if (option_flag(v->run->options, "any-snapshot")) {
		diag_note(v->run->diag,
			  "%s: another snapshot than the recorded one: SHA-256 %s, "
			  "recorded was %s",
			  collect->path, v->after.snapshot.sha256, recorded);
		return NULL;
	}
	return error_new(ERROR_CORRUPT,
			 "%s: another snapshot than the recorded one (--any-snapshot compares it "
			 "all the same): SHA-256 %s, recorded was %s",
			 collect->path, v->after.snapshot.sha256, recorded);
}

/* The recorded options of opening it, but those that are given now. */
static struct error *choose_options(struct verification *v, struct word_list *ret)
{
	const struct word_list *recorded = &v->before.options;
	const struct command_run *run = v->run;
	struct word_list given;
	const char **words;
	struct error *err;
	size_t count = 0;

	if ((err = error_wrap(opening_check(recorded), "%s", v->path)) ||
	    (err = opening_words(run->arena, run->options, true, &given)))
		return err;
	words = arena_calloc(run->arena, recorded->count + given.count + 1, sizeof(*words));
	if (!words)
		return &error_no_memory;
	for (size_t i = 0; i < recorded->count; i++) {
		if (!opening_is_given(run->options, recorded->items[i]))
			words[count++] = recorded->items[i];
	}
	for (size_t i = 0; i < given.count; i++)
		words[count++] = given.items[i];
	v->after.options = (struct word_list){ words, count };
	return opening_all(run->arena, &v->after.options, run->options, ret);
}

/* A command that this version does not know, or knows otherwise, is said and left out. */
static struct error *plan_commands(struct verification *v, const struct collect *collect)
{
	struct arena *a = v->run->arena;

	for (size_t i = 0; i < v->before.num_results; i++) {
		struct error *err;

		v->words[i] = v->before.results[i].command;
		err = command_line_parse(a, collect->path, &collect->opening, &v->words[i],
					 &v->lines[i]);
		if (err && error_code(err) != ERROR_USAGE)
			return err;
		if (!err)
			continue;
		v->lines[i].command = NULL;
		diag_error(v->run->diag, err, "%s: cannot run", v->path);
	}
	return NULL;
}

static struct error *split_ignored(struct arena *a, const char *list, struct word_list *ret)
{
	const char **items = arena_calloc(a, strlen(list) + 1, sizeof(*items));
	size_t count = 0;

	for (; items; list++) {
		size_t len = strcspn(list, ",");

		if (!(items[count++] = arena_strndup(a, list, len)))
			return &error_no_memory;
		list += len;
		if (!*list)
			break;
	}
	*ret = (struct word_list){ items, count };
	return items ? NULL : &error_no_memory;
}

/* Each of the columns to ignore is one of what was recorded. */
static struct error *check_ignored(const struct verification *v)
{
	const struct word_list *ignored = &v->options.ignored;

	for (size_t i = 0; i < ignored->count; i++) {
		const char *word = ignored->items[i], *dot = strrchr(word, '.');
		bool found = false;

		for (size_t j = 0; j < v->before.num_results && !found; j++) {
			const struct expected_result *r = &v->before.results[j];

			for (size_t k = 0; k < r->num_columns && !found; k++)
				found = strcmp(r->columns[k].key, dot ? dot + 1 : word) == 0;
		}
		if (!found)
			return error_new(ERROR_USAGE, "option '--ignore': no column '%s' in %s",
					 word, v->path);
	}
	return NULL;
}

static struct error *read_options(struct verification *v)
{
	const struct option_values *o = v->run->options;
	const char *ignore = option_string(o, "ignore");
	struct error *err;

	v->options.any_order = option_flag(o, "any-order");
	v->options.any_messages = option_flag(o, "any-messages");
	v->options.fn = put_difference;
	v->options.arg = v;
	v->options.diag = v->run->diag;
	if (!ignore)
		return NULL;
	if ((err = split_ignored(v->run->arena, ignore, &v->options.ignored)))
		return err;
	return check_ignored(v);
}

/* Other symbols explain much of what may differ. */
static void tell_profile(const struct verification *v)
{
	for (unsigned i = 0; i < NUM_EXPECTED_PROFILE; i++) {
		if (strcmp(v->before.profile[i], v->after.profile[i]) != 0)
			diag_note(v->run->diag, "%s was %s when it was recorded, now it is %s",
				  expected_profile_keys[i], v->before.profile[i],
				  v->after.profile[i]);
	}
}

static struct error *compare_all(struct verification *v)
{
	struct error *err = compare_messages("open", &v->before.messages, &v->after.messages,
					     &v->options, &v->counts);

	for (size_t i = 0; i < v->before.num_results && !err; i++) {
		const struct command *command = v->lines[i].command;

		if (command)
			err = compare_results(&v->before.results[i], &v->after.results[i],
					      command->key_columns, &v->options, &v->counts);
		else
			v->after.results[i] = v->before.results[i];
	}
	return err;
}

static void tell_summary(const struct verification *v, bool updated)
{
	const uint64_t *kinds = v->counts.kinds;
	uint64_t rows =
		kinds[DIFFERENCE_ADDED] + kinds[DIFFERENCE_REMOVED] + kinds[DIFFERENCE_CHANGED];

	if (!v->counts.total)
		diag_note(v->run->diag, "%s: the same: %zu commands, %" PRIu64 " rows", v->path,
			  v->before.num_results, v->counts.rows);
	else
		diag_note(v->run->diag,
			  "%s: %" PRIu64 " differences: %" PRIu64 " rows added, %" PRIu64
			  " removed, %" PRIu64 " values changed, %" PRIu64 " others",
			  v->path, v->counts.total, kinds[DIFFERENCE_ADDED],
			  kinds[DIFFERENCE_REMOVED], kinds[DIFFERENCE_CHANGED],
			  v->counts.total - rows);
	if (updated)
		diag_note(v->run->diag, "%s: recorded anew", v->path);
}

static struct error *verify(struct verification *v, const char *path)
{
	bool update = option_flag(v->run->options, "update"), updated;
	struct collect collect = {
		.run = v->run,
		.path = path,
		.output = update ? v->path : NULL,
	};
	struct error *err;

	if ((err = check_snapshot(v, &collect)) || (err = choose_options(v, &collect.opening)) ||
	    (err = plan_commands(v, &collect)) ||
	    (err = collect_results(&collect, v->lines, v->words, v->before.num_results, &v->after)))
		return err;
	tell_profile(v);
	if ((err = compare_all(v)))
		return err;
	updated = update && (v->counts.total || v->counts.columns || v->another_snapshot);
	if (updated && (err = expected_file_write(v->path, &v->after, true)))
		return err;
	tell_summary(v, updated);
	if (v->counts.total && !updated)
		v->run->exit_status = STATUS_FAILED;
	return NULL;
}

static struct error *read_and_verify(struct verification *v)
{
	uint64_t max_memory = VERIFY_DEFAULT_MEMORY;
	const char *path;
	struct error *err;

	(void)option_u64(v->run->options, "max-memory", &max_memory);
	if ((err = expected_file_read(v->run->arena, v->path, max_memory, &v->before)) ||
	    (err = find_snapshot(v, &path)) || (err = read_options(v)))
		return err;
	return verify(v, path);
}

static struct error *verify_run(struct command_run *run)
{
	struct verification *v = arena_alloc(run->arena, sizeof(*v));
	struct error *err;

	if (!v)
		return &error_no_memory;
	v->run = run;
	v->path = run->args[0];
	err = read_and_verify(v);
	if (!err || error_code(err) == ERROR_USAGE)
		return err;
	/* Exit status 1 says that the answers differ. */
	diag_error(run->diag, err, "cannot verify");
	return NULL;
}

const struct command cmd_verify = {
	.name = "verify",
	.summary = "compare a recorded result with what is said now",
	.arguments = "EXPECTED [SNAPSHOT]",
	.min_args = 1,
	.max_args = 2,
	.description =
		"Runs the commands of a file that 'record' wrote, and prints a row for each "
		"difference: rows that are new or gone, and the columns of others that changed. "
		"The snapshot lies beside the file, by its recorded name, unless it is given; "
		"its hash must be the recorded one. Rows are the same row if their key columns "
		"(pid and handle, an object's address) are; where a table has none, or they were "
		"not recorded, by their place. Options that say how the snapshot is opened are "
		"those that were recorded, but for those given here. Columns that are newer than "
		"the record are not compared, which is said.\n\n"
		"With --update the file is recorded anew if something differs, and the exit "
		"status is then 0.\n\n"
		"Exit status: 0 everything is as it was recorded; 1 something differs; 2 the "
		"command line is wrong; 3 it could not be run whole: the file or the snapshot "
		"cannot be read or is another one, or this version has no such command, option or "
		"column. What could be compared was.",
	.example = "ntscope verify memory.expected.json",
	.options = verify_options,
	.num_options = ARRAY_SIZE(verify_options),
	.columns = verify_columns,
	.num_columns = VERIFY_NUM_COLUMNS,
	.flags = COMMAND_NO_SNAPSHOT,
	.run = verify_run,
};
