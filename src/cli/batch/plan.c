/* SPDX-License-Identifier: MIT */
#include "cli/batch/plan.h"

#include <string.h>

#include "cli/choice.h"

const char plan_triage[] = "info,ps,modules,drivers,callbacks,ssdt --hooked,sessions,cpus";

enum { MAX_WORDS = 64 };

/* The words of one command, its name first. */
struct words {
	char *items[MAX_WORDS];
	size_t count;
};

static bool is_in(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

bool plan_passes_on(const char *option)
{
	/* About the batch's own table and messages, or without a trace in any result. */
	static const char *const kept_back[] = { "format",  "columns", "where",	   "sort",
						 "limit",   "wide",    "color",	   "quiet",
						 "command", "threads", "no-cache", "help",
						 "version", "man" };

	return !is_in(option, kept_back, ARRAY_SIZE(kept_back));
}

/* May this common option stand among the words of one command? */
static bool is_for_one(const char *option)
{
	static const char *const allowed[] = { "where", "limit", "pid" };

	return is_in(option, allowed, ARRAY_SIZE(allowed));
}

/* The next word of *p, unquoted, into to; false at a comma or the end. */
static bool take_word(const char **p, char **to, char **word_ret)
{
	char quote = '\0', *out = *to;

	*p += strspn(*p, " \t");
	if (!**p || **p == ',')
		return false;
	for (; **p && (quote || !strchr(" \t,", **p)); ++*p) {
		if (quote ? **p == quote : **p == '\'' || **p == '"')
			quote = quote ? '\0' : **p;
		else
			*out++ = **p;
	}
	*out++ = '\0';
	*word_ret = *to;
	*to = out;
	return true;
}

/* One command's words of *p, which is moved to the comma or end behind them. */
static struct error *take_words(const char **p, char **to, struct words *ret)
{
	char *word;

	ret->count = 0;
	while (take_word(p, to, &word)) {
		if (ret->count == MAX_WORDS)
			return error_new(ERROR_USAGE, "'%s': more than %d words", ret->items[0],
					 MAX_WORDS);
		ret->items[ret->count++] = word;
	}
	return ret->count ? NULL : error_new(ERROR_USAGE, "a command is missing in the list");
}

static const char *join_words(struct arena *arena, const struct words *words)
{
	const char *text = words->items[0];

	for (size_t i = 1; i < words->count && text; i++)
		text = arena_printf(arena, "%s %s", text, words->items[i]);
	return text;
}

bool plan_can_run(const struct command *command)
{
	const unsigned others = COMMAND_NO_SNAPSHOT | COMMAND_RAW_OUTPUT | COMMAND_RUNS_COMMANDS;

	return !(command->flags & others) && !command_writes_files(command);
}

static struct error *check_command(const struct plan *plan, const struct command *command)
{
	if (!plan_can_run(command))
		return error_new(ERROR_USAGE, "'%s' gives no rows for a batch: run it by itself",
				 command->name);
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].command == command)
			return error_new(ERROR_USAGE, "command '%s' is there twice", command->name);
	}
	if (plan->count == PLAN_MAX)
		return error_new(ERROR_USAGE, "more than %d commands", PLAN_MAX);
	return NULL;
}

static struct error *check_words(const struct planned *p)
{
	const struct option_values *o = &p->options;

	for (size_t i = 0; i < common_options.count; i++) {
		if (o->items[i].given && !is_for_one(o->items[i].row->name))
			return error_new(ERROR_USAGE, "'%s': --%s is for the whole batch", p->words,
					 o->items[i].row->name);
	}
	if (o->num_args < p->command->min_args)
		return error_new(ERROR_USAGE, "'%s': %s is missing", p->words,
				 p->command->arguments);
	if (o->num_args > p->command->max_args)
		return error_new(ERROR_USAGE, "'%s': '%s' is one argument too many", p->words,
				 o->args[p->command->max_args]);
	return NULL;
}

/* What the batch was told and the command was not. */
static void pass_on(struct option_values *to, const struct option_values *common)
{
	for (size_t i = 0; i < common_options.count; i++) {
		const char *name = common->items[i].row->name;

		if (!to->items[i].given && (plan_passes_on(name) || strcmp(name, "threads") == 0))
			to->items[i] = common->items[i];
	}
}

static struct error *add_command(struct plan *plan, struct arena *arena, const struct words *words,
				 const struct option_values *common)
{
	struct planned p = { .words = join_words(arena, words) };
	struct option_table own;
	struct error *err;
	size_t used;

	if (!p.words)
		return &error_no_memory;
	p.command = command_find((const char *const *)words->items, words->count, &used);
	if (!p.command)
		return choice_unknown(words->items[0]);
	if ((err = check_command(plan, p.command)))
		return err;
	own = (struct option_table){ p.command->options, p.command->num_options };
	err = options_parse(arena, &own, (int)(words->count - used), words->items + used,
			    &p.options);
	if (err || (err = check_words(&p)))
		return err;
	pass_on(&p.options, common);
	plan->items[plan->count++] = p;
	return NULL;
}

struct error *plan_add(struct plan *plan, struct arena *arena, const char *list,
		       const struct option_values *common)
{
	/* Unquoted words are no longer than the list, and so many words have an end each. */
	char *to = arena_alloc(arena, 2 * strlen(list) + 2);
	struct words words;
	struct error *err;

	if (!to)
		return &error_no_memory;
	for (;; list++) {
		if ((err = take_words(&list, &to, &words)) ||
		    (err = add_command(plan, arena, &words, common)))
			return err;
		if (!*list)
			return NULL;
	}
}
