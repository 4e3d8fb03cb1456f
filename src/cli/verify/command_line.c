/* SPDX-License-Identifier: MIT */
#include "cli/verify/command_line.h"

#include <string.h>

#include "cli/choice.h"

/* Common options by what they are about; the others are about the table that is printed. */
static const struct opening_option {
	const char *name;
	bool recorded;
} opening_options[] = {
	{ "symbols", true },
	{ "no-symbol-store", true },
	{ "no-builtin-symbols", true },
	{ "pagefile", true },
	{ "dtb", true },
	{ "kernel-base", true },
	{ "input-format", true },
	{ "memory-map", true },
	{ "member", true },
	{ "max-memory", false },
	{ "max-unpacked", false },
	{ "threads", false },
	{ "quiet", false },
	{ "no-cache", false },
};

/* Common options that a recorded command may have. */
static const char *const row_options[] = { "columns", "where", "sort", "limit", "pid" };

/* Options that have a command write elsewhere than to its table. */
static const char *const writing_options[] = { "output", "raw" };

/* The option that "--name" or "--name=value" names; NULL: none of them. */
static const struct opening_option *find_opening(const char *word)
{
	size_t len;

	if (strncmp(word, "--", 2) != 0)
		return NULL;
	word += 2;
	len = strcspn(word, "=");
	for (size_t i = 0; i < ARRAY_SIZE(opening_options); i++) {
		const char *name = opening_options[i].name;

		if (strlen(name) == len && memcmp(name, word, len) == 0)
			return &opening_options[i];
	}
	return NULL;
}

static bool is_named(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One word from *text on, without its quotes. */
static struct error *take_word(struct arena *a, const char **text, const char **ret)
{
	const char *s = *text;
	char *word = arena_alloc(a, strlen(s) + 1), quote = '\0';
	size_t len = 0;

	if (!word)
		return &error_no_memory;
	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote ? *s == quote : *s == '\'' || *s == '"')
			quote = quote ? '\0' : *s;
		else
			word[len++] = *s;
	}
	if (quote)
		return error_new(ERROR_USAGE, "'%s': a %c is missing", *text, quote);
	*text = s;
	*ret = word;
	return NULL;
}

struct error *command_line_split(struct arena *a, const char *text, struct word_list *ret)
{
	const char **words = arena_calloc(a, EXPECTED_MAX_WORDS, sizeof(*words));
	struct error *err;
	size_t count = 0;

	if (!words)
		return &error_no_memory;
	for (;;) {
		while (is_blank(*text))
			text++;
		if (!*text)
			break;
		if (count == EXPECTED_MAX_WORDS)
			return error_new(ERROR_USAGE, "a command of more than %d words",
					 EXPECTED_MAX_WORDS);
		if ((err = take_word(a, &text, &words[count++])))
			return err;
	}
	*ret = (struct word_list){ words, count };
	return NULL;
}

static struct error *check_command(const struct command *command)
{
	bool writes = command_writes_files(command) && !(command->flags & COMMAND_RAW_OUTPUT);

	if (!(command->flags & COMMAND_NO_SNAPSHOT) && !writes)
		return NULL;
	return error_new(ERROR_USAGE, "%s: its rows cannot be recorded: it %s", command->name,
			 writes ? "writes files" : "lists no snapshot");
}

/* own: what the command's words alone say. */
static struct error *check_words(const struct command *command, const struct option_values *own)
{
	for (size_t i = 0; i < own->count; i++) {
		const char *name = own->items[i].row->name;
		bool is_common = i < common_options.count;

		if (!own->items[i].given)
			continue;
		if (is_common && !is_named(name, row_options, ARRAY_SIZE(row_options)))
			return error_new(ERROR_USAGE, "%s: '--%s' is no option of a single command",
					 command->name, name);
		if (is_named(name, writing_options, ARRAY_SIZE(writing_options)))
			return error_new(ERROR_USAGE, "%s: what --%s writes cannot be recorded",
					 command->name, name);
	}
	if (own->num_args < command->min_args)
		return error_new(ERROR_USAGE, "%s: %s is missing", command->name,
				 command->arguments);
	if (own->num_args > command->max_args)
		return error_new(ERROR_USAGE, "%s: '%s' is one argument too many", command->name,
				 own->args[command->max_args]);
	return NULL;
}

/* The words after the command's name, after those of opening. argv is not written to. */
static struct error *parse_words(struct arena *a, const struct option_table *table,
				 const struct word_list *opening, const struct word_list *words,
				 size_t used, struct option_values *ret)
{
	size_t count = 0;
	char **argv = arena_calloc(a, opening->count + words->count + 1, sizeof(*argv));

	if (!argv)
		return &error_no_memory;
	for (size_t i = 0; i < opening->count; i++) {
		if (!(argv[count++] = arena_strdup(a, opening->items[i])))
			return &error_no_memory;
	}
	for (size_t i = used; i < words->count; i++) {
		if (!(argv[count++] = arena_strdup(a, words->items[i])))
			return &error_no_memory;
	}
	return options_parse(a, table, (int)count, argv, ret);
}

/* Before the arguments, where commands find it. */
static struct error *put_snapshot(struct arena *a, const char *snapshot, struct option_values *o)
{
	const char **args = arena_calloc(a, o->num_args + 2, sizeof(*args));

	if (!args)
		return &error_no_memory;
	args[0] = snapshot;
	for (size_t i = 0; i < o->num_args; i++)
		args[i + 1] = o->args[i];
	o->args = args;
	o->num_args++;
	return NULL;
}

struct error *command_line_parse(struct arena *a, const char *snapshot,
				 const struct word_list *opening, const struct word_list *words,
				 struct command_line *ret)
{
	const struct word_list none = { NULL, 0 };
	const struct command *command;
	struct option_table table;
	struct option_values own;
	struct error *err;
	size_t used;

	command = command_find(words->items, words->count, &used);
	if (!command)
		return choice_unknown(words->count ? words->items[0] : "");
	table = (struct option_table){ command->options, command->num_options };
	if ((err = check_command(command)))
		return err;
	err = error_wrap(parse_words(a, &table, &none, words, used, &own), "%s", command->name);
	if (err || (err = check_words(command, &own)))
		return err;
	ret->command = command;
	if ((err = parse_words(a, &table, opening, words, used, &ret->options)))
		return err;
	ret->args = ret->options.args;
	ret->num_args = ret->options.num_args;
	return put_snapshot(a, snapshot, &ret->options);
}

static const char *word_of(struct arena *a, const struct option_value *v, const char *text)
{
	if (v->row->kind == OPTION_FLAG)
		return arena_printf(a, "--%s", v->row->name);
	return arena_printf(a, "--%s=%s", v->row->name, text);
}

struct error *opening_words(struct arena *a, const struct option_values *options, bool recorded,
			    struct word_list *ret)
{
	const char **words = arena_calloc(a, EXPECTED_MAX_WORDS, sizeof(*words));
	size_t count = 0;

	if (!words)
		return &error_no_memory;
	for (size_t i = 0; i < options->count; i++) {
		const struct option_value *v = &options->items[i];
		size_t times = v->row->kind == OPTION_LIST ? v->list_count : 1;
		const char *name = arena_printf(a, "--%s", v->row->name);
		const struct opening_option *known = name ? find_opening(name) : NULL;

		if (!v->given || !known || known->recorded != recorded)
			continue;
		if (times > EXPECTED_MAX_WORDS - count)
			return error_new(ERROR_USAGE, "more than %d options", EXPECTED_MAX_WORDS);
		for (size_t j = 0; j < times; j++) {
			words[count] =
				word_of(a, v, v->row->kind == OPTION_LIST ? v->list[j] : v->text);
			if (!words[count++])
				return &error_no_memory;
		}
	}
	*ret = (struct word_list){ words, count };
	return NULL;
}

struct error *opening_all(struct arena *a, const struct word_list *recorded,
			  const struct option_values *options, struct word_list *ret)
{
	struct word_list others;
	const char **words;
	struct error *err = opening_words(a, options, false, &others);

	if (err)
		return err;
	words = arena_calloc(a, recorded->count + others.count + 1, sizeof(*words));
	if (!words)
		return &error_no_memory;
	for (size_t i = 0; i < recorded->count; i++)
		words[i] = recorded->items[i];
	for (size_t i = 0; i < others.count; i++)
		words[recorded->count + i] = others.items[i];
	*ret = (struct word_list){ words, recorded->count + others.count };
	return NULL;
}

struct error *opening_check(const struct word_list *words)
{
	for (size_t i = 0; i < words->count; i++) {
		const struct opening_option *known = find_opening(words->items[i]);

		if (!known || !known->recorded)
			return error_new(ERROR_USAGE, "unknown option '%s'", words->items[i]);
	}
	return NULL;
}

bool opening_is_given(const struct option_values *options, const char *word)
{
	const struct opening_option *known = find_opening(word);

	return known && option_flag(options, known->name);
}
