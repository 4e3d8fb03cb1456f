/* SPDX-License-Identifier: MIT */
#include "tests/listings.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/options.h"
#include "output/sink.h"

enum {
	MAX_WORDS = 4,
	MAX_ROWS = 1000, /* of each listing */
};

/* What lists something, with the words that a person would give it. */
static const char *const listings[][MAX_WORDS] = {
	{ "info" },
	{ "timeline", "--scan", "--all" },
	{ "ps", "--scan" },
	{ "ps", "--crossview" },
	{ "ps", "--tree" },
	{ "threads" },
	{ "threads", "--scan" },
	{ "params" },
	{ "dlls" },
	{ "envars" },
	{ "tokens", "--groups" },
	{ "handles", "--all" },
	{ "vads" },
	{ "maps" },
	{ "objects" },
	{ "files", "--scan" },
	{ "sections" },
	{ "registry", "hives" },
	{ "registry", "keys", "--recursive" },
	{ "registry", "values", "--recursive" },
	{ "modules", "--scan" },
	{ "modules", "--unloaded" },
	{ "drivers", "--scan" },
	{ "devices" },
	{ "ssdt" },
	{ "callbacks" },
	{ "timers" },
	{ "bigpools" },
	{ "pooltags" },
	{ "sessions" },
	{ "cpus" },
	{ "idt" },
	{ "gdt" },
	{ "stack", "--all" },
	{ "registers" },
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* The command's rows as JSON, to nowhere. */
static struct error *run_listing(struct snapshot *snapshot, struct kernel *k, struct diag *diag,
				 struct arena *a, FILE *out, const char *const *words)
{
	struct sink_options sink_options = { .limit = MAX_ROWS };
	struct option_values values;
	struct option_table own;
	struct command_run run;
	struct sink *sink;
	struct error *err;
	size_t count = 0, used;

	while (count < MAX_WORDS && words[count])
		count++;
	run = (struct command_run){ .command = command_find(words, count, &used) };
	must(run.command);
	own = (struct option_table){ run.command->options, run.command->num_options };
	err = options_parse(a, &own, (int)(count - used), (char *const *)words + used, &values);
	must(!err);
	run.snapshot = snapshot;
	run.kernel = k;
	run.options = &values;
	run.out = out;
	run.diag = diag;
	run.arena = a;
	sink_options.one_object = run.command->flags & COMMAND_ONE_OBJECT;
	if ((err = sink_create(SINK_JSON, out, &sink_options, &sink)))
		return err;
	run.sink = sink;
	err = sink_begin(sink, run.command->columns, run.command->num_columns);
	if (!err)
		err = run.command->run(&run);
	if (!err)
		err = sink_end(sink);
	sink_destroy(sink);
	return err;
}

void run_listings(struct snapshot *snapshot, struct kernel *k, struct diag *diag)
{
	FILE *out = fopen("/dev/null", "w");

	must(out);
	for (size_t i = 0; i < ARRAY_SIZE(listings); i++) {
		struct error *err;
		struct arena a;

		arena_init(&a, 0);
		err = run_listing(snapshot, k, diag, &a, out, listings[i]);
		must(!err || *error_message(err));
		error_destroy(err);
		arena_deinit(&a);
	}
	fclose(out);
}
