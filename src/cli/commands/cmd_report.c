/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/report/gather.h"
#include "formats/writers/output.h"

enum {
	DEFAULT_MAX_ROWS = 50000,
	DEFAULT_MAX_BYTES = 4 << 20, /* of tables; what is around them is small */
};

enum {
	REPORT_OUTPUT,
	REPORT_OUTPUT_SIZE,
	REPORT_TABLES,
	REPORT_ROWS,
	REPORT_LEFT_OUT,
	REPORT_FAILED,
	REPORT_MESSAGES,
	REPORT_NUM_COLUMNS
};

static const struct column report_columns[REPORT_NUM_COLUMNS] = {
	[REPORT_OUTPUT] = { "output", "OUTPUT", CELL_STR, 0, 0, "the file that was written" },
	[REPORT_OUTPUT_SIZE] = { "output_size", "SIZE", CELL_U64, 0, 0, "its bytes" },
	[REPORT_TABLES] = { "tables", "TABLES", CELL_U64, 0, 0, "tables in it" },
	[REPORT_ROWS] = { "rows", "ROWS", CELL_U64, 0, 0, "their rows" },
	[REPORT_LEFT_OUT] = { "left_out", "LEFT OUT", CELL_U64, 0, 0,
			      "rows that are not in it, for its size; it says of which tables" },
	[REPORT_FAILED] = { "failed", "FAILED", CELL_U64, 0, 0,
			    "commands that could not be run to their end" },
	[REPORT_MESSAGES] = { "messages", "MESSAGES", CELL_U64, 0, 0,
			      "what is said in it of what was found or could not be read" },
};

static const struct option_row report_options[] = {
	{ "output", 'o', OPTION_STRING, "FILE", "the HTML file to write" },
	{ "force", 0, OPTION_FLAG, NULL, "replace a file that exists" },
	{ "commands", 0, OPTION_LIST, "COMMAND,...",
	  "the tables, each a command with its options; may be repeated" },
	{ "max-rows", 0, OPTION_U64, "N", "rows of each table (default 50000)" },
	{ "max-size", 0, OPTION_SIZE, "SIZE",
	  "bytes of all tables: long ones lose their last rows (default 4M)" },
	{ "no-hash", 0, OPTION_FLAG, NULL, "do not take the snapshot's hash" },
};

/* Common options that commands look at themselves. */
static struct error *common_words(const struct command_run *run, struct plan_common *ret)
{
	static const char *const names[] = { "pid", "threads" };
	const char **words = arena_calloc(run->arena, ARRAY_SIZE(names) + 1, sizeof(*words));
	size_t count = 0;

	if (!words)
		return &error_no_memory;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = option_string(run->options, names[i]);

		if (!text)
			continue;
		words[count] = arena_printf(run->arena, "--%s=%s", names[i], text);
		if (!words[count++])
			return &error_no_memory;
	}
	if (option_flag(run->options, "quiet"))
		words[count++] = "--quiet";
	ret->snapshot = run->args[0];
	ret->options = words;
	ret->num_options = count;
	return NULL;
}

static struct error *check_options(struct command_run *run, struct gather *g)
{
	struct error *err;

	g->run = run;
	g->output = option_string(run->options, "output");
	g->hash = !option_flag(run->options, "no-hash");
	if (!g->output || !*g->output)
		return error_new(ERROR_USAGE, "report: into which file? (--output)");
	if ((err = common_words(run, &g->common)))
		return err;
	return plan_make(run->arena, run->options, &g->common, &g->plan, &g->num_planned);
}

/* The page in memory: the file is there as a whole or not at all. */
static struct error *make_page(const struct report *r, char **ret, size_t *len_ret,
			       struct report_result *result)
{
	FILE *page = open_memstream(ret, len_ret);
	struct error *err;

	if (!page)
		return &error_no_memory;
	err = report_write(r, page, result);
	if (fclose(page) != 0 && !err)
		err = &error_no_memory;
	return err;
}

static struct error *write_page(const struct command_run *run, const char *path,
				const struct report *r, struct report_result *result,
				struct output_result *written)
{
	const struct output_options options = {
		.replace = option_flag(run->options, "force"),
	};
	struct output *out CLEANUP(output_cleanup) = NULL;
	struct error *err;
	char *page = NULL;
	size_t len = 0;

	err = make_page(r, &page, &len, result);
	if (!err)
		err = output_create(path, &options, &out);
	if (!err)
		err = output_set_size(out, len);
	if (!err)
		err = output_write(out, 0, page, len);
	if (!err)
		err = output_finish(out, written);
	free(page);
	return err;
}

static struct error *put_row(struct command_run *run, const struct report *r,
			     const struct report_result *result,
			     const struct output_result *written)
{
	struct cell cells[REPORT_NUM_COLUMNS] = {
		[REPORT_OUTPUT] = cell_str(option_string(run->options, "output")),
		[REPORT_OUTPUT_SIZE] = cell_u64(written->size),
		[REPORT_TABLES] = cell_u64(r->num_tables),
		[REPORT_ROWS] = cell_u64(result->rows),
		[REPORT_LEFT_OUT] = cell_u64(result->left_out),
		[REPORT_MESSAGES] = cell_u64(r->num_messages),
	};
	uint64_t failed = 0;

	for (size_t i = 0; i < r->num_tables; i++)
		failed += r->tables[i].error != NULL;
	cells[REPORT_FAILED] = cell_u64(failed);
	return sink_row(run->sink, cells, 0);
}

static struct error *report_run(struct command_run *run)
{
	struct report report CLEANUP(gather_free) = {
		.tool = "ntscope " NTSCOPE_VERSION,
		.max_rows = DEFAULT_MAX_ROWS,
		.max_bytes = DEFAULT_MAX_BYTES,
	};
	struct gather gather = { 0 };
	struct report_result result;
	struct output_result written;
	struct error *err;

	(void)option_u64(run->options, "max-rows", &report.max_rows);
	(void)option_u64(run->options, "max-size", &report.max_bytes);
	if ((err = check_options(run, &gather)) || (err = gather_report(&gather, &report)) ||
	    (err = write_page(run, gather.output, &report, &result, &written)))
		return err;
	return put_row(run, &report, &result, &written);
}

const struct command cmd_report = {
	.name = "report",
	.summary = "one HTML file of all that is known of a snapshot",
	.arguments = "SNAPSHOT",
	.min_args = 1,
	.max_args = 1,
	.description =
		"Writes one file that any browser opens from disk. It loads nothing, neither from "
		"the network nor from other files, and runs no script but its own: what the "
		"snapshot holds stays text. In it are the facts of info, the snapshot's hash, what "
		"could not be read, the bug check, a process tree to fold and search, and a table "
		"for each command, to sort and to filter. It prints well.\n\n"
		"--commands chooses the tables; with --pid they are about one process, as far as "
		"they know of processes. Where all rows would be more than --max-size, the longest "
		"tables lose their last rows, and the page says how many. The same snapshot gives "
		"the same file.",
	.example = "ntscope report memory.dmp -o memory.html",
	.options = report_options,
	.num_options = ARRAY_SIZE(report_options),
	.columns = report_columns,
	.num_columns = REPORT_NUM_COLUMNS,
	.flags = COMMAND_NO_SNAPSHOT | COMMAND_ONE_OBJECT,
	.run = report_run,
};
