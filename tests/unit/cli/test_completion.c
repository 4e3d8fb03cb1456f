/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/completion.h"

enum { MAX_WORDS = 16 };

/* The candidates of a line "ps|--columns|pid,na", the last word being typed. */
static char *candidates(const char *line)
{
	char *copy = strdup(line), *rest = copy, *word, *text;
	const char *words[MAX_WORDS];
	struct arena a CLEANUP(arena_deinit);
	size_t count = 0, size;
	FILE *out = open_memstream(&text, &size);

	arena_init(&a, 0);
	while ((word = strsep(&rest, "|")) && count < MAX_WORDS)
		words[count++] = word;
	completion_candidates(out, &a, words, count);
	fclose(out);
	free(copy);
	return text;
}

/* Is there a line that begins with the word? */
static bool offers(const char *line, const char *word)
{
	char *text = candidates(line);
	bool found = false;

	for (char *l = strtok(text, "\n"); l; l = strtok(NULL, "\n"))
		found |= strcspn(l, "\t") == strlen(word) && strncmp(l, word, strlen(word)) == 0;
	free(text);
	return found;
}

Test(completion, what_is_offered)
{
	static const struct {
		const char *line, *word;
		bool offered;
	} rows[] = {
		{ "", "ps", true },
		{ "", "registry", true },
		{ "", "help", true },
		{ "", ":files", false },
		{ "p", "ps", true },
		{ "p", "modules", false },
		{ "registry|", "keys", true },
		{ "registry|k", "keys", true },
		{ "registry|k", "hives", false },
		{ "registry|keys|", ":files", true },
		{ "registry|keys|", "keys", false },
		{ "symbols|", "add", true },
		{ "symbols|", ":files", true },
		{ "ps,mod", "ps,modules", true },
		{ "ps,", "ps,ps", false },
		{ "ps,", "ps,vtop", false },
		{ "ps,", "ps,dump", false },
		{ "ps,", "ps,convert", false },
		{ "-c|mod", "modules", true },
		{ "-c|ps|", ":files", true },
		{ "-c|ps|-c|modules|", ":files", true },
		{ "--command=ps,mod", "--command=ps,modules", true },
		{ "ps|", ":files", true },
		{ "ps|--tr", "--tree", true },
		{ "ps|--", "--format", true },
		{ "vtop|--", "--tree", false },
		{ "ps|--|--", "--tree", false },
		{ "ps|--format|", "json", true },
		{ "ps|-f|j", "jsonl", true },
		{ "ps|-qf|j", "jsonl", true },
		{ "ps|-fjson|", ":files", true },
		{ "--format=c", "--format=csv", true },
		{ "ps|--color|a", "always", true },
		{ "ps|--columns|pid,na", "pid,name", true },
		{ "ps|--columns|pid,", "pid,pid", false },
		{ "ps|-C|h", "help", true },
		{ "ps|--columns=n", "--columns=name", true },
		{ "modules|--columns|pi", "pid", false },
		{ "ps|--sort|-pi", "-pid", true },
		{ "ps|--sort|pid,-na", "pid,-name", true },
		{ "ps|--where|pi", "pid=", true },
		{ "ps|--where|pi", ":nospace", true },
		{ "ps|--where|pid=", "pid=", false },
		{ "ps|--input-format|el", "elf", true },
		{ "convert|--to|kdump-z", "kdump-zlib", true },
		{ "ps|--pagefile|", ":files", true },
		{ "ps|--limit|", ":files", false },
		{ "help|con", "conditions", true },
		{ "help|", "ps", true },
		{ "completion|", "zsh", true },
		{ "completion|", ":files", false },
		{ "frobnicate|", ":files", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(offers(rows[i].line, rows[i].word), rows[i].offered, "'%s': '%s'",
			     rows[i].line, rows[i].word);
}

/* Every command, option and column of the tables. */
Test(completion, nothing_is_missing)
{
	char line[256];

	for (size_t c = 0; c < num_commands; c++) {
		const struct command *command = commands[c];
		char name[64];

		snprintf(name, sizeof(name), "%s", command->name);
		for (char *space = name; (space = strchr(space, ' ')) != NULL;)
			*space = '|';
		for (size_t i = 0; i < command->num_options; i++) {
			char option[64];

			snprintf(line, sizeof(line), "%s|--", name);
			snprintf(option, sizeof(option), "--%s", command->options[i].name);
			cr_expect(offers(line, option), "%s %s", name, option);
		}
		for (size_t i = 0; i < command->num_columns; i++) {
			snprintf(line, sizeof(line), "%s|--columns|", name);
			cr_expect(offers(line, command->columns[i].key), "%s %s", name,
				  command->columns[i].key);
		}
	}
}

/* Whatever stands there: no line is broken, and nothing is read that is not there. */
Test(completion, odd_words)
{
	static const char *const lines[] = { "-",    "--",	  "---",     "--=",    "=",
					     ",",    ",,",	  "|",	     "ps||",   "-c|",
					     "-c|,", "--columns", "ps|--x|", "ps|-x|", "help|x|y|",
					     "-cps", "--command=" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		free(candidates(lines[i]));
}
