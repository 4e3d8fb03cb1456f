/* SPDX-License-Identifier: MIT */
#include "cli/completion.h"

#include <string.h>

#include "cli/choice.h"
#include "cli/help.h"
#include "formats/writer.h"

/* The word that is being typed. */
struct typed {
	FILE *out;
	struct arena *arena;
	const char *word;
	size_t kept; /* bytes at its begin that all candidates share: "--columns=pid," */
	const struct command *command;
};

/* One candidate in place of what follows word[0..kept). */
static void offer(const struct typed *t, const char *candidate, const char *help)
{
	const char *rest = t->word + t->kept;

	if (strncmp(candidate, rest, strlen(rest)) == 0)
		fprintf(t->out, "%.*s%s\t%s\n", (int)t->kept, t->word, candidate, help);
}

static void offer_files(const struct typed *t)
{
	fputs(":files\n", t->out);
}

/* The same list with more kept: "pid,na" of "--columns=pid,na". */
static struct typed last_item(const struct typed *t)
{
	struct typed item = *t;
	const char *comma = strrchr(t->word + t->kept, ',');

	if (comma)
		item.kept = (size_t)(comma + 1 - t->word);
	return item;
}

/* Is the word among the items of the list before the one that is typed? */
static bool is_listed(const struct typed *list, const struct typed *item, const char *word)
{
	const char *at = list->word + list->kept, *end = item->word + item->kept;
	size_t len = strlen(word);

	while (at < end) {
		size_t n = strcspn(at += *at == '-', ",");

		if (n == len && memcmp(at, word, len) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

/* "ps,mod": names of one word, as others would have to be quoted. */
static void offer_command_list(const struct typed *t)
{
	const struct typed item = last_item(t);

	for (size_t i = 0; i < num_commands; i++) {
		if (!strchr(commands[i]->name, ' ') && command_runs_with_others(commands[i]) &&
		    !is_listed(t, &item, commands[i]->name))
			offer(&item, commands[i]->name, commands[i]->summary);
	}
}

static void offer_columns(const struct typed *t)
{
	const struct typed item = last_item(t);

	for (size_t i = 0; t->command && i < t->command->num_columns; i++) {
		const struct column *column = &t->command->columns[i];

		if (!is_listed(t, &item, column->key))
			offer(&item, column->key, column->help);
	}
	if (item.kept == t->kept)
		offer(&item, "help", "list the columns");
}

static void offer_order(const struct typed *t)
{
	struct typed item = last_item(t);

	item.kept += item.word[item.kept] == '-';
	for (size_t i = 0; t->command && i < t->command->num_columns; i++) {
		const struct column *column = &t->command->columns[i];

		if (!is_listed(t, &item, column->key))
			offer(&item, column->key, column->help);
	}
}

static void offer_conditions(const struct typed *t)
{
	if (strpbrk(t->word + t->kept, "=<>~!"))
		return;
	fputs(":nospace\n", t->out);
	for (size_t i = 0; t->command && i < t->command->num_columns; i++) {
		const struct column *column = &t->command->columns[i];
		const char *text = arena_printf(t->arena, "%s=", column->key);

		if (text)
			offer(t, text, column->help);
	}
}

static void offer_formats(const struct typed *t)
{
	for (size_t i = 0; i < num_formats; i++)
		offer(t, format_registry[i]->name, format_registry[i]->description);
}

static void offer_writers(const struct typed *t)
{
	for (size_t i = 0; i < num_writers; i++)
		offer(t, writer_registry[i]->name, writer_registry[i]->description);
}

/* "text|json|csv" */
static void offer_words(const struct typed *t, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, "|");
		const char *word = arena_strndup(t->arena, words, len);

		if (word)
			offer(t, word, "");
		words += len + (words[len] == '|');
	}
}

/* Values that are not in the options' tables. */
static const struct {
	const char *option;
	void (*offer)(const struct typed *t);
} value_kinds[] = {
	{ "columns", offer_columns },	   { "sort", offer_order },
	{ "where", offer_conditions },	   { "command", offer_command_list },
	{ "input-format", offer_formats }, { "to", offer_writers },
};

static void offer_value(const struct typed *t, const struct option_row *row)
{
	const char *argument = row->argument;

	for (size_t i = 0; i < ARRAY_SIZE(value_kinds); i++) {
		if (strcmp(value_kinds[i].option, row->name) == 0) {
			value_kinds[i].offer(t);
			return;
		}
	}
	if (*argument >= 'a' && *argument <= 'z')
		offer_words(t, argument);
	else if (strstr(argument, "PATH") || strstr(argument, "FILE") || strstr(argument, "FOLDER"))
		offer_files(t);
}

static void offer_options(const struct typed *t, const struct option_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *text = arena_printf(t->arena, "--%s", table->rows[i].name);

		if (text)
			offer(t, text, table->rows[i].help);
	}
}

static const struct option_row *find_row(const struct option_table *own, const char *name,
					 size_t len)
{
	const struct option_table *tables[] = { &common_options, own };

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct option_row *row = &tables[t]->rows[i];
			bool is_letter = len == 1 && row->letter == *name;

			if (is_letter || (strlen(row->name) == len &&
					  memcmp(row->name, name, len) == 0 && len > 1))
				return row;
		}
	}
	return NULL;
}

/* The option whose value the next word is; NULL: none. */
static const struct option_row *waits_for_value(const struct option_table *own, const char *word)
{
	const struct option_row *row = NULL;

	if (word[0] != '-')
		return NULL;
	if (word[1] == '-')
		row = find_row(own, word + 2, strlen(word + 2));
	for (const char *c = word + 1; word[1] != '-' && *c; c++) {
		row = find_row(own, c, 1);
		if (!row || (row->kind != OPTION_FLAG && c[1]))
			return NULL;
	}
	return row && row->kind != OPTION_FLAG ? row : NULL;
}

/* What the complete words say. */
struct context {
	struct choice chosen;
	const char *first;		  /* of a command of two words; or "help" */
	const struct option_row *waiting; /* the typed word is its value */
	bool ended;			  /* "--" was there */
	size_t args;			  /* words that are neither options nor the command */
};

/* skipped: so many plain words name the command. */
static void read_words(struct context *c, const struct option_table *own, const char *const *words,
		       size_t count, size_t skipped)
{
	for (size_t i = 0; i < count; i++) {
		const struct option_row *row = c->ended ? NULL : waits_for_value(own, words[i]);

		c->waiting = NULL;
		if (row) {
			c->waiting = i + 1 == count ? row : NULL;
			i++;
		} else if (!c->ended && strcmp(words[i], "--") == 0) {
			c->ended = true;
		} else if (c->ended || words[i][0] != '-' || !words[i][1]) {
			if (skipped)
				skipped--;
			else
				c->args++;
		}
	}
}

/* The first words of names, each once. */
static void offer_first_words(const struct typed *t)
{
	const char *last = "";

	for (size_t i = 0; i < num_commands; i++) {
		const char *name = commands[i]->name;
		size_t len = strcspn(name, " ");
		const char *word = arena_strndup(t->arena, name, len);

		if (!word)
			return;
		if (strcmp(word, last) != 0)
			offer(t, word, name[len] ? "commands of two words" : commands[i]->summary);
		last = word;
	}
	offer(t, "help", "explain a command and its columns, or a topic");
}

static void offer_second_words(const struct typed *t, const char *first)
{
	size_t len = strlen(first);

	for (size_t i = 0; i < num_commands; i++) {
		const char *name = commands[i]->name;

		if (strncmp(name, first, len) == 0 && name[len] == ' ')
			offer(t, name + len + 1, commands[i]->summary);
	}
}

static void offer_topics(const struct typed *t)
{
	offer_first_words(t);
	for (size_t i = 0; i < num_help_topics; i++)
		offer(t, help_topics[i].name, help_topics[i].summary);
	offer(t, "options", "what every command takes");
}

static void offer_plain(const struct typed *t, const struct context *c)
{
	bool is_help = c->first && strcmp(c->first, "help") == 0;

	if (!c->first && !c->chosen.count) {
		if (strchr(t->word, ','))
			offer_command_list(t);
		else
			offer_first_words(t);
		return;
	}
	if (is_help && c->args == 0)
		offer_topics(t);
	else if (c->first && c->args == 0 && !is_help)
		offer_second_words(t, c->first);
	if (!c->chosen.count)
		return;
	if (c->args == 0 && t->command && t->command->flags & COMMAND_NO_SNAPSHOT &&
	    t->command->arguments && *t->command->arguments >= 'a' && *t->command->arguments <= 'z')
		offer_words(t, t->command->arguments);
	else
		offer_files(t);
}

/* "--name=value": the row, and where the value begins. */
static const struct option_row *attached_value(const struct option_table *own, const char *word,
					       size_t *start_ret)
{
	const char *equals = strchr(word, '=');
	const struct option_row *row;

	if (strncmp(word, "--", 2) != 0 || !equals)
		return NULL;
	row = find_row(own, word + 2, (size_t)(equals - word) - 2);
	*start_ret = (size_t)(equals + 1 - word);
	return row && row->kind != OPTION_FLAG ? row : NULL;
}

/* Which command the words are about; how many of them name it. */
static size_t find_command(struct context *c, struct arena *a, const char *const *words,
			   size_t count)
{
	struct command_words found = { .first = (int)count };
	size_t used = 0, at;

	error_destroy(options_find_commands(a, (int)count, (char *const *)words, &found));
	at = (size_t)found.first;
	if (at < count && !found.named_before) {
		error_destroy(choice_add_words(&c->chosen, a, words + at, count - at, &used));
		if (used == 0 || !c->chosen.count || (used == 1 && at + 1 == count))
			c->first = words[at];
		used = 1 > used ? 1 : used;
	}
	for (size_t i = 0; i < found.num_named; i++)
		error_destroy(choice_add_list(&c->chosen, a, found.named[i]));
	return used;
}

void completion_candidates(FILE *out, struct arena *a, const char *const *words, size_t count)
{
	struct context c = { 0 };
	struct option_table own = { 0 };
	struct typed t = { .out = out, .arena = a, .word = count ? words[count - 1] : "" };
	size_t before = count ? count - 1 : 0, used = find_command(&c, a, words, before);
	const struct option_row *row;

	t.command = c.chosen.count == 1 ? c.chosen.items[0] : NULL;
	error_destroy(choice_options(&c.chosen, a, &own));
	read_words(&c, &own, words, before, used);
	if (c.waiting) {
		offer_value(&t, c.waiting);
	} else if (!c.ended && (row = attached_value(&own, t.word, &t.kept)) != NULL) {
		offer_value(&t, row);
	} else if (!c.ended && t.word[0] == '-') {
		t.kept = 0;
		offer_options(&t, &own);
		offer_options(&t, &common_options);
	} else {
		offer_plain(&t, &c);
	}
}
